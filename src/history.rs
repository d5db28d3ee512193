//! Past runs of this configuration, from the ledger.

use std::io::{self, Write};

use anyhow::Result;
use serde_json::json;

use crate::args::{Format, Options};
use crate::config;
use crate::exit_code::{ExitCode, Misconfigured};
use crate::key::Printable;
use crate::ledger::{Ledger, Removal, Run, Which};
use crate::maintain::{fingerprint, ledger_path};
use crate::report::size;

/// Prints all runs, newest first, or one with its removals.
pub async fn history(run: Option<i64>, options: &Options) -> Result<ExitCode> {
    let config = config::load(&config::find(options.config.as_deref())?)?;
    let path = ledger_path(&config);
    let (mut runs, mut removals) = (Vec::new(), Vec::new());
    if path.exists() {
        let mut ledger = Ledger::open(&path, &fingerprint(&config)?).await?;
        runs = ledger.runs().await?;
        if let Some(id) = run {
            removals = ledger.removals(Which::OfRun(id), 0, usize::MAX >> 1).await?;
        }
    }
    if let Some(id) = run {
        runs.retain(|run| run.id == id);
        if runs.is_empty() {
            let message = format!("history {id}: {} knows no such run of this configuration", path.display());
            return Err(Misconfigured(message).into());
        }
    }
    let removals = run.map(|_| removals);
    let printed = match options.format {
        Format::Text => print_text(&runs, removals.as_deref()),
        Format::Json => print_json(&runs, removals.as_deref()),
        Format::Csv => return Err(Misconfigured("history is printed as text or as json".to_owned()).into()),
    };
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::Done),
    }
}

fn print_text(runs: &[Run], removals: Option<&[Removal]>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if runs.is_empty() {
        return writeln!(out, "No runs yet.");
    }
    writeln!(
        out,
        "{:>5}  {:<20}  {:<8}  {:<11}  {:>8}  {:>8}  {:>10}",
        "Run", "Started", "Mode", "Outcome", "Found", "Removed", "Bytes"
    )?;
    for run in runs {
        let bytes = size(run.bytes.unsigned_abs());
        let outcome = run.outcome.as_deref().unwrap_or("unfinished");
        let Run { id, mode, started_at, found, removed, .. } = run;
        writeln!(out, "{id:>5}  {started_at:<20}  {mode:<8}  {outcome:<11}  {found:>8}  {removed:>8}  {bytes:>10}")?;
    }
    match removals {
        None => Ok(()),
        Some([]) => writeln!(out, "\nThis run removed nothing."),
        Some(removals) => {
            writeln!(out)?;
            for removal in removals {
                let (outcome, key) = (removal.state.outcome(), Printable(&removal.object.key));
                write!(out, "  {outcome:<9} {:>10}  {key}", size(removal.object.size))?;
                match &removal.detail {
                    Some(detail) => writeln!(out, "  ({})", Printable(detail))?,
                    None => writeln!(out)?,
                }
            }
            Ok(())
        }
    }
}

fn print_json(runs: &[Run], removals: Option<&[Removal]>) -> io::Result<()> {
    let mut document = json!({ "schema": 1, "runs": runs });
    if let Some(removals) = removals {
        let removals: Vec<_> = removals
            .iter()
            .map(|removal| {
                json!({
                    "kind": removal.kind,
                    "key": removal.object.key,
                    "outcome": removal.state.outcome(),
                    "size": removal.object.size,
                    "etag": removal.object.etag,
                    "trash_key": removal.trash_key,
                    "detail": removal.detail,
                    "intended_at": removal.intended_at,
                    "done_at": removal.done_at,
                })
            })
            .collect();
        document["runs"][0]["removals"] = json!(removals);
    }
    writeln!(io::stdout().lock(), "{document:#}")
}
