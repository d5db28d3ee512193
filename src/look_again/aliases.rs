//! The second look at objects that go by two names (I4): a store that folds names, or a link or a mount in a folder, gives
//! a file under a name that it does not list. A row that uses such a name wants the file all the same.

use anyhow::{Context, Result};

use crate::domain::FileNumber;
use crate::domain::key::Printable;
use crate::domain::resemble::keys_of_value;
use crate::ledger::{Ledger, Uncarried};
use crate::storage::Store;

/// Keys read from the ledger at once.
const PAGE: usize = 2_000;

/// Names that are tried for one value.
const MOST_NAMES: usize = 64;

/// Finds the files that the store gives under names that the database uses, and leaves them in the ledger. Gives what people
/// should know.
pub async fn at_aliases(ledger: &mut Ledger, store: &dyn Store) -> Result<Option<String>> {
    match store.has_other_names() {
        true => compare_numbers(ledger, store).await?,
        false => ledger.match_unlisted().await?,
    }
    let aliases = ledger.aliases().await.context("the ledger")?;
    Ok(aliases.map(|(count, key, named)| {
        let plural = if count == 1 { "file is" } else { "files are" };
        format!(
            "the storage gives files under names that it does not list, such as {} for {}: the database uses such names, \
             and {count} {plural} held; write the names into the database as the storage lists them",
            Printable(&named),
            Printable(&key)
        )
    }))
}

/// Compares files by what tells them apart whatever they are called.
async fn compare_numbers(ledger: &mut Ledger, store: &dyn Store) -> Result<()> {
    let mut after: Option<Uncarried> = None;
    loop {
        let page = ledger.uncarried_after(after.as_ref(), PAGE).await?;
        let opened = page.iter().flat_map(|uncarried| {
            let value = uncarried.value.as_str();
            numbers(store, value).into_iter().map(move |number| (number, value))
        });
        ledger.add_opened(&opened.collect::<Vec<_>>()).await?;
        match page.into_iter().next_back() {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    let mut after = String::new();
    while ledger.has_opened().await? {
        let page = ledger.files_after(&after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        let files = page.iter().filter_map(|key| Some((key.as_str(), store.file_number(key)?)));
        ledger.match_opened(&files.collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// The files that a value opens: as it is, in other readings, and with less path in front.
pub(super) fn numbers(store: &dyn Store, value: &str) -> Vec<FileNumber> {
    let names = std::iter::once(value.to_owned()).chain(keys_of_value(value));
    let opened = names.flat_map(|name| {
        let ends: Vec<String> = name.match_indices('/').map(|(slash, _)| name[slash + 1..].to_owned()).collect();
        std::iter::once(name).chain(ends)
    });
    opened.take(MOST_NAMES).filter_map(|name| store.file_number(&name)).collect()
}
