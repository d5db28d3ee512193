//! The second look at names that lead through a link or a mount of the folder, in whatever way they are written (I4): no
//! path opens for them, so that nothing but their text tells where they lead.

use std::collections::{HashMap, HashSet};

use anyhow::Result;

use super::aliases::numbers;
use crate::domain::resemble::{folds_of_key, folds_of_value};
use crate::ledger::{Ledger, Uncarried};
use crate::storage::{MOST_OTHER_NAMES, OtherName, Store};

/// Values read from the ledger at once.
const PAGE: usize = 2_000;

/// Notes the names behind links that values stand for, and that rows whose values lead through a link resemble it. Gives
/// what people should know.
pub async fn at_links(ledger: &mut Ledger, store: &dyn Store) -> Result<Option<String>> {
    let links = store.other_names();
    let too_many = (links.len() >= MOST_OTHER_NAMES).then(|| {
        format!(
            "the storage has {MOST_OTHER_NAMES} symbolic links or more: a value that leads through another one in other \
             letters than the link is not recognised"
        )
    });
    let ways = Ways::of(links);
    if ways.0.is_empty() {
        return Ok(too_many);
    }
    let mut after: Option<Uncarried> = None;
    loop {
        let page = ledger.uncarried_after(after.as_ref(), PAGE).await?;
        // What opens a file is known by its number.
        let is_closed = |uncarried: &Uncarried| numbers(store, &uncarried.value).is_empty();
        let through = page.iter().filter_map(|uncarried| Some((uncarried, ways.of_value(&uncarried.value)?)));
        let through: Vec<_> = through.filter(|(uncarried, _)| is_closed(uncarried)).collect();
        let rows: Vec<_> =
            through.iter().map(|(uncarried, through)| (uncarried.value.as_str(), through.link)).collect();
        ledger.add_resembling(&[], &rows).await?;
        let names: HashSet<&str> =
            through.iter().flat_map(|(_, through)| through.names.iter().map(String::as_str)).collect();
        ledger.add_parts(&names.into_iter().collect::<Vec<_>>()).await?;
        match page.into_iter().next_back() {
            Some(last) => after = Some(last),
            None => return Ok(too_many),
        }
    }
}

/// Links by the folds of their keys.
struct Ways(HashMap<String, Vec<OtherName>>);

/// Where a value leads.
struct Through<'w> {
    /// The key of a link on its way.
    link: &'w str,
    /// The names that it stands for where links lead to other places below the root.
    names: Vec<String>,
}

impl Ways {
    fn of(links: Vec<OtherName>) -> Self {
        let mut ways: HashMap<String, Vec<OtherName>> = HashMap::new();
        for link in links {
            for fold in folds_of_key(&link.key).into_iter().filter(|fold| !fold.is_empty()) {
                ways.entry(fold).or_default().push(link.clone());
            }
        }
        Ways(ways)
    }

    /// `None`: it leads through no link. There may be more path in front of the link's own.
    fn of_value(&self, value: &str) -> Option<Through<'_>> {
        let mut through: Option<Through<'_>> = None;
        for fold in folds_of_value(value) {
            let starts = std::iter::once(0).chain(fold.match_indices('/').map(|(slash, _)| slash + 1));
            for start in starts {
                let rest = &fold[start..];
                let ends = rest.match_indices('/').map(|(slash, _)| slash).chain([rest.len()]);
                let links = ends.flat_map(|end| {
                    self.0.get(&rest[..end]).into_iter().flatten().map(move |link| (link, &rest[end..]))
                });
                for (link, below) in links {
                    let through = through.get_or_insert_with(|| Through { link: &link.key, names: Vec::new() });
                    through.names.extend(link.target.as_ref().map(|target| joined(target, below)));
                }
            }
        }
        through
    }
}

/// What lies below a folder; `below` is empty, or begins with `/`.
fn joined(folder: &str, below: &str) -> String {
    if folder.is_empty() { below.trim_start_matches('/').to_owned() } else { format!("{folder}{below}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(value: &str) -> Option<(String, Vec<String>)> {
        let link =
            |key: &str, target: Option<&str>| OtherName { key: key.to_owned(), target: target.map(str::to_owned) };
        let ways = Ways::of(vec![link("Linked", Some("media/2024")), link("out", None), link("all", Some(""))]);
        ways.of_value(value).map(|through| (through.link.to_owned(), through.names))
    }

    #[test]
    fn a_value_stands_for_what_its_link_leads_to() {
        let expected =
            |link: &str, names: &[&str]| Some((link.to_owned(), names.iter().map(|name| (*name).to_owned()).collect()));
        assert_eq!(names("LINKED/a.png"), expected("Linked", &["media/2024/a.png"]));
        assert_eq!(names("/srv/x/linked%2Fb/A.png"), expected("Linked", &["media/2024/b/a.png"]));
        assert_eq!(names("linked"), expected("Linked", &["media/2024"]));
        assert_eq!(names("ALL/a.png"), expected("all", &["a.png"]));
        assert_eq!(names("Out/a.png"), expected("out", &[]));
        assert_eq!(names("unlinked/a.png"), None);
        let ways = Ways::of(
            ["Media", "media"].map(|key| OtherName { key: key.to_owned(), target: Some(format!("of {key}")) }).into(),
        );
        let both = ways.of_value("MEDIA/a.png").map(|through| through.names);
        assert_eq!(both, Some(vec!["of Media/a.png".to_owned(), "of media/a.png".to_owned()]));
        assert_eq!(names("media/a.png"), None);
    }
}
