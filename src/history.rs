//! Past runs of this configuration, from the ledger.

use std::io::{self, Write};

use anyhow::Result;
use serde_json::json;

use crate::args::{Format, Options};
use crate::config;
use crate::dry_run::fingerprint;
use crate::exit_code::{ExitCode, Misconfigured};
use crate::ledger::{self, Ledger, Run};
use crate::report::size;

/// Prints all runs, newest first, or one.
pub async fn history(run: Option<i64>, options: &Options) -> Result<ExitCode> {
    let config = config::load(&config::find(options.config.as_deref())?)?;
    let path = config.ledger.clone().unwrap_or_else(ledger::default_path);
    let mut runs = match path.exists() {
        true => Ledger::open(&path, &fingerprint(&config)?).await?.runs().await?,
        false => Vec::new(),
    };
    if let Some(id) = run {
        runs.retain(|run| run.id == id);
        if runs.is_empty() {
            let message = format!("history {id}: {} knows no such run of this configuration", path.display());
            return Err(Misconfigured(message).into());
        }
    }
    let printed = match options.format {
        Format::Text => print_text(&runs, run.is_some()),
        Format::Json => print_json(&runs, run.is_some()),
        Format::Csv => return Err(Misconfigured("history is printed as text or as json".to_owned()).into()),
    };
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::Done),
    }
}

fn print_text(runs: &[Run], is_one: bool) -> io::Result<()> {
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
    if is_one {
        writeln!(out, "\nThis run removed nothing.")?;
    }
    Ok(())
}

fn print_json(runs: &[Run], is_one: bool) -> io::Result<()> {
    let mut document = json!({ "schema": 1, "runs": runs });
    if is_one {
        document["runs"][0]["removals"] = json!([]);
    }
    writeln!(io::stdout().lock(), "{document:#}")
}
