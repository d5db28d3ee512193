//! `cleanup-assets history [RUN]`: past runs of this configuration, from the ledger.

use std::io::{self, Write};

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use crate::cli::{ExitCode, Global, TextOrJson};
use crate::config;
use crate::database;
use crate::domain::key::Printable;
use crate::domain::row_id;
use crate::exit_code::Misconfigured;
use crate::ledger::{Ledger, Removal, Run, Which};
use crate::maintain::{joined, ledger_path, pair};
use crate::publish::is_broken_pipe;
use crate::report::{size, write_value};

/// Removals read from the ledger at once.
const PAGE: usize = 1_000;

/// List past runs, or show one
#[derive(Debug, Args)]
pub struct Arguments {
    /// The number of a run
    run: Option<i64>,
    /// The format on standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: TextOrJson,
}

/// Prints all runs, newest first, or one with its removals.
pub async fn run(Arguments { run: number, format }: Arguments, global: &Global) -> Result<ExitCode> {
    let config = config::load(&config::find(global.config.as_deref())?)?;
    let path = ledger_path(&config);
    let mut ledger = match path.exists() {
        true => Some(Ledger::open(&path, &pair(&config)?).await?),
        false => None,
    };
    let runs = match &mut ledger {
        Some(ledger) => {
            if ledger.runs(None).await?.is_empty() {
                // At this address there was none: the database may have had another.
                ledger.recognize(joined(database::identities(&config).await)).await?;
            }
            ledger.runs(number).await?
        }
        None => Vec::new(),
    };
    let removals = match (ledger, number, runs.first()) {
        (_, Some(number), None) => {
            let message = format!("history {number}: {} knows no such run of this configuration", path.display());
            return Err(Misconfigured(message).into());
        }
        (Some(ledger), Some(number), Some(_)) => Some(Removals { ledger, run: number, after: 0 }),
        _ => None,
    };
    let printed = match format {
        TextOrJson::Json => print_json(&runs, removals).await,
        TextOrJson::Text => print_text(&runs, removals).await,
    };
    match printed {
        Err(error) if !is_broken_pipe(&error) => Err(error),
        _ => Ok(ExitCode::Done),
    }
}

/// The removals of one run, page by page.
struct Removals {
    ledger: Ledger,
    run: i64,
    after: i64,
}

impl Removals {
    /// The next of them; empty at the end.
    async fn next_page(&mut self) -> Result<Vec<Removal>> {
        let page = self.ledger.removals(Which::OfRun(self.run), self.after, PAGE).await?;
        self.after = page.last().map_or(self.after, |last| last.id);
        Ok(page)
    }
}

async fn print_text(runs: &[Run], removals: Option<Removals>) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout());
    if runs.is_empty() {
        writeln!(out, "No runs yet.")?;
        return Ok(out.flush()?);
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
    if let (Some(_), [run]) = (&removals, runs) {
        if !run.kinds.is_empty() {
            writeln!(out)?;
        }
        for (kind, sums) in &run.kinds {
            let (kind, bytes) = (Printable(kind), size(sums.bytes.unsigned_abs()));
            writeln!(out, "  {kind}: {} files ({bytes}), {} rows", sums.files, sums.rows)?;
        }
    }
    if let Some(mut removals) = removals {
        let mut page = removals.next_page().await?;
        let dropped = runs.first().map_or(0, |run| run.dropped);
        writeln!(out, "{}", if page.is_empty() && dropped == 0 { "\nThis run removed nothing." } else { "" })?;
        if dropped > 0 {
            writeln!(out, "  {dropped} of its removals are remembered no longer, one by one: see [ledger] keep")?;
        }
        while !page.is_empty() {
            page.iter().try_for_each(|removal| line(&mut out, removal))?;
            page = removals.next_page().await?;
        }
    }
    Ok(out.flush()?)
}

fn line(out: &mut impl Write, removal: &Removal) -> io::Result<()> {
    let (outcome, key) = (removal.state.outcome(), Printable(&removal.object.key));
    match &removal.row {
        Some(row) => write!(
            out,
            "  {outcome:<11} {:>10}  {} id {}  {key}",
            "",
            Printable(&row.table),
            Printable(row_id::shown(&row.id))
        )?,
        None => write!(out, "  {outcome:<11} {:>10}  {key}", size(removal.object.size))?,
    }
    match &removal.detail {
        Some(detail) => writeln!(out, "  ({})", Printable(detail)),
        None => writeln!(out),
    }
}

/// One document, written as a stream: a run a line, and a removal a line.
async fn print_json(runs: &[Run], mut removals: Option<Removals>) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout());
    write!(out, "{{\"schema\": 1,\n \"runs\": [")?;
    for (at, run) in runs.iter().enumerate() {
        out.write_all(if at == 0 { b"\n  " } else { b",\n  " })?;
        let Some(removals) = removals.as_mut() else {
            write_value(&mut out, &json!(run))?;
            continue;
        };
        let Value::Object(fields) = json!(run) else { continue };
        write!(out, "{{")?;
        for (name, value) in fields {
            write!(out, "\"{name}\": ")?;
            write_value(&mut out, &value)?;
            write!(out, ", ")?;
        }
        write!(out, "\"removals\": [")?;
        let mut separator = "\n   ";
        loop {
            let page = removals.next_page().await?;
            if page.is_empty() {
                break;
            }
            for removal in &page {
                write!(out, "{separator}")?;
                write_value(&mut out, &document(removal))?;
                separator = ",\n   ";
            }
        }
        write!(out, "]}}")?;
    }
    writeln!(out, "]}}")?;
    Ok(out.flush()?)
}

fn document(removal: &Removal) -> Value {
    json!({
        "kind": removal.kind,
        "key": Some(&removal.object.key).filter(|key| !key.is_empty()),
        "table": removal.row.as_ref().map(|row| &row.table),
        "id": removal.row.as_ref().map(|row| row_id::to_json(&row.id)),
        "outcome": removal.state.outcome(),
        "size": removal.object.size,
        "etag": removal.object.etag,
        "trash_key": removal.trash_key,
        "in_trash": removal.state.is_in_trash(),
        "detail": removal.detail,
        "intended_at": removal.intended_at,
        "done_at": removal.done_at,
    })
}
