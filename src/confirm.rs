//! The typed confirmation: a terminal, one sentence, one word; and the token without which nothing can be removed.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::domain::key::Printable;
use crate::plan::DeletionPlan;
use crate::report::size;

/// Proof that somebody at a terminal typed the store's name. Only [`ask`] makes one.
#[derive(Debug)]
pub struct Confirmed(());

/// Where the removals would happen, in words that hold no secret.
pub struct Target<'a> {
    /// The bucket's name, or the root folder's own.
    pub name: String,
    pub storage: &'a str,
    pub database: String,
    /// Where removed files wait; `None`: they go for good.
    pub trash: Option<&'a str>,
}

/// Says what will happen and asks for the store's name. `None`: declined, or nobody there to ask.
pub fn ask(plan: &DeletionPlan, target: &Target<'_>) -> io::Result<Option<Confirmed>> {
    if !io::stdin().is_terminal() {
        eprintln!("Nothing was removed: standard input is no terminal, and nobody can confirm.");
        return Ok(None);
    }
    let name = Printable(&target.name);
    eprint!("\n{}{}\nType {name} to confirm: ", sentence(plan, target), left(plan.later()));
    io::stderr().flush()?;
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed)?;
    match typed.trim_end_matches(['\r', '\n']) == target.name {
        true => Ok(Some(Confirmed(()))),
        false => {
            eprintln!("Declined: that is not {name}. Nothing was removed.");
            Ok(None)
        }
    }
}

/// One sentence: how many files, how many bytes, to trash or for good; how many rows of which table; and from where.
fn sentence(plan: &DeletionPlan, target: &Target<'_>) -> String {
    let census = plan.census();
    let mut parts = Vec::new();
    for table in &census.tables {
        let name = Printable(&table.table);
        if table.deleted > 0 {
            let reach = table
                .cascade
                .as_ref()
                .map(|reach| format!(" (and what follows: {}; that cannot be brought back)", Printable(reach)));
            parts.push(format!("DELETE {} of {name}{}", counted(table.deleted, "row"), reach.unwrap_or_default()));
        }
        if table.updated > 0 {
            parts.push(format!("update {} of {name}", counted(table.updated, "row")));
        }
    }
    let files = census.files + census.following_files;
    if files > 0 {
        let what = format!("{} ({})", counted(files, "file"), size(census.file_bytes + census.following_bytes));
        parts.push(match target.trash {
            Some(trash) => format!("move {what} to the trash below {}", Printable(trash)),
            None => format!("DELETE {what} FOR GOOD"),
        });
    }
    if census.due_files > 0 {
        let what = format!("{} ({})", counted(census.due_files, "file"), size(census.due_bytes));
        parts.push(format!("delete {what} of trash that is due for good"));
    }
    let what = match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => "do nothing".to_owned(),
    };
    let (storage, database) = (Printable(target.storage), Printable(&target.database));
    let mut sentence = match (census.rows(), files) {
        (0, 0) => format!("This will {what}, in {storage}."),
        (0, _) => format!("This will {what}, in {storage}; the database {database} names none of them."),
        _ => format!("This will {what}, in the database {database} and {storage}."),
    };
    if census.readings > 0 {
        let times = counted(census.readings, "time");
        sentence += &format!(
            "\nSources with a url_base, a key_sql or a query cannot be asked by key: they are read whole {times} or more for this."
        );
    }
    sentence
}

/// What to say of findings that stay for a later run.
fn left(later: u64) -> String {
    match later {
        0 => String::new(),
        1 => " 1 more finding is left for a later run (--limit).".to_owned(),
        later => format!(" {later} more findings are left for a later run (--limit)."),
    }
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
