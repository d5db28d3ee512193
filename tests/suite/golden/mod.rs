//! What the program says, word for word, in files below `tests/golden` that are there to be read: the help, the manual
//! page, what is said of wrong usage and of a wrong configuration, and a report in each format.
//!
//! A test fails where a file differs, and writes nothing. `SNAPSHOTS=overwrite cargo test --features failpoints --test
//! suite golden` writes them anew: what changed is then in the difference that a reviewer sees.

mod configuration_errors;
mod help;
mod reports;
mod usage_errors;

use std::path::Path;

use snapbox::Data;
use snapbox::assert::DEFAULT_ACTION_ENV;

use crate::support::tool::{Outcome, Tool};

/// Expects `text` to be what the file below `tests/golden` holds.
fn expect(name: &str, text: String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let expected = Data::read_from(&path, None).raw();
    // Compared as it is: nothing in these files is a pattern.
    snapbox::Assert::new().action_env(DEFAULT_ACTION_ENV).eq(Data::text(text).raw(), expected);
}

/// Runs a command line and tells of it.
fn transcript(tool: &Tool, arguments: &[&str]) -> String {
    told(tool, arguments, &tool.run(arguments))
}

/// A command line as it was typed, how it ended, and what it said; the folder that it ran in is `[HOME]`.
fn told(tool: &Tool, arguments: &[&str], Outcome { code, stdout, stderr }: &Outcome) -> String {
    let words: Vec<String> = arguments.iter().map(|word| shell_word(word)).collect();
    let typed = ["cleanup-assets".to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(" ");
    let said = format!("$ {typed}\nexit {code}\n{stderr}{stdout}");
    said.replace(&tool.home().display().to_string(), "[HOME]")
}

fn shell_word(word: &str) -> String {
    match word.is_empty() || word.contains(|c: char| c.is_whitespace() || "'\"$".contains(c)) {
        true => format!("'{word}'"),
        false => word.to_owned(),
    }
}

/// Pieces of a file, told apart.
fn document(head: &str, pieces: Vec<String>) -> String {
    let pieces: Vec<String> = pieces.into_iter().map(|piece| format!("{}\n", piece.trim_end())).collect();
    format!("{head}\n\n{}", pieces.join("\n---\n\n"))
}
