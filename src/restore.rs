//! `cleanup-assets restore`: brings back from the trash what a run removed, and the rows that it deleted or updated. It
//! overwrites nothing.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::{Context, Result};
use futures::StreamExt;

use crate::args::Options;
use crate::config;
use crate::config::Config;
use crate::database::{Advisory, Back, Database};
use crate::domain::key::Printable;
use crate::execute::{self, Restored};
use crate::exit_code::{ExitCode, Misconfigured};
use crate::ledger::{Ledger, Removal, Which};
use crate::lock::Lock;
use crate::maintain::{fingerprint, ledger_path};
use crate::report::size;
use crate::storage::{self, Presence, Store};

/// Files, or rows, restored between two commits to the ledger.
const BATCH: usize = 100;
/// Reasons that are told apart; rows that fail for others are all named.
const REASONS: usize = 20;

/// What is to be brought back.
pub enum What {
    Run(i64),
    Keys(Vec<String>),
}

#[derive(Default)]
struct Done {
    files: u64,
    bytes: u64,
    rows: u64,
    taken: u64,
    failed: u64,
    /// Why rows failed, and how many more did so than the one that was named.
    reasons: BTreeMap<String, u64>,
}

/// Brings it back, and says what was done.
pub async fn restore(what: What, options: &Options) -> Result<ExitCode> {
    let config = config::load(&config::find(options.config.as_deref())?)?;
    let path = ledger_path(&config);
    if !path.exists() {
        return Err(Misconfigured(format!("restore: there is no ledger at {}", path.display())).into());
    }
    let _lock = Lock::take(&path)?;
    let mut ledger = Ledger::open(&path, &fingerprint(&config)?).await?;
    ledger.mark_interrupted().await.context("the ledger")?;
    let store = storage::open(&config.storage, &config.storage.prefix).await.context("the storage")?;
    let mut database = None;
    if execute::has_open_rows(&mut ledger).await? {
        let database = opened(&mut database, &config).await?;
        execute::resume_rows(&mut ledger, &config, database, &*store).await.context(RESUMING)?;
    }
    execute::resume(&mut ledger, None, &config.derived, &*store).await.context(RESUMING)?;

    let mut done = Done::default();
    let selections: Vec<(Which<'_>, Which<'_>)> = match &what {
        What::Run(run) => vec![(Which::TrashedByRun(*run), Which::RowsOfRun(*run))],
        What::Keys(keys) => keys.iter().map(|key| (Which::TrashedAt(key), Which::LastRowsOf(key))).collect(),
    };
    let mut found = 0;
    for (which, rows) in selections {
        if !ledger.removals(rows, 0, 1).await?.is_empty() {
            // A run on another host must not be at work, and is better met before the first file than after the last.
            opened(&mut database, &config).await?;
        }
        let mut after = 0;
        let before = found;
        loop {
            let mut batch = ledger.removals(which, after, BATCH).await?;
            let Some(last) = batch.last() else { break };
            after = last.id;
            // A key that was removed more than once: the last of them is what people miss.
            if matches!(which, Which::TrashedAt(_)) {
                batch = batch.split_off(batch.len() - 1);
            }
            found += batch.len();
            let restored = execute::restore(&mut ledger, &*store, &batch, config.storage.concurrency).await?;
            for (removal, restored) in batch.iter().zip(restored) {
                tell(removal, restored, &mut done);
            }
        }
        // Files first: a row must not point at nothing meanwhile.
        let mut after = 0;
        loop {
            let batch = ledger.removals(rows, after, BATCH).await?;
            let Some(last) = batch.last() else { break };
            after = last.id;
            found += batch.len();
            let batch = with_their_files(batch, &*store, config.storage.concurrency, &mut done).await;
            let database = opened(&mut database, &config).await?;
            let backs = execute::restore_rows(&mut ledger, database, &batch).await?;
            batch.iter().zip(backs).for_each(|(removal, back)| tell_of_row(removal, back, &mut done));
        }
        if let (Which::TrashedAt(key), true) = (which, found == before) {
            done.failed += 1;
            eprintln!("{}: it is not in the trash, and no row of it was removed", Printable(key));
        }
    }
    let was_restored = match &what {
        What::Run(run) => !ledger.removals(Which::RestoredOfRun(*run), 0, 1).await?.is_empty(),
        What::Keys(_) => false,
    };
    if found == 0 && !was_restored {
        let what = match what {
            What::Run(run) => format!("of run {run}"),
            What::Keys(keys) => format!("of {}", keys.join(", ")),
        };
        let message = format!("restore: nothing {what} is in the trash, and no row of it was removed");
        return Err(Misconfigured(message).into());
    }
    for (reason, more) in done.reasons.iter().filter(|(_, more)| **more > 0) {
        let rows = if *more == 1 { "row" } else { "rows" };
        eprintln!("{more} more {rows} for the same reason: {}", Printable(reason.lines().next().unwrap_or_default()));
    }
    match say(&done) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    Ok(if done.failed + done.taken > 0 { ExitCode::Partial } else { ExitCode::Done })
}

const RESUMING: &str = "what an earlier run left open could not be resolved";

/// The database, opened where there are rows to bring back, and once; with its lock, against a run on another host.
async fn opened<'d>(opened: &'d mut Option<(Database, Advisory)>, config: &Config) -> Result<&'d Database> {
    if opened.is_none() {
        let database = Database::open(config).await.context("the database")?;
        let advisory = database.lock(&storage::address(&config.storage).1).await.context("the database")?;
        *opened = Some((database, advisory));
    }
    opened.as_ref().map(|(database, _)| database).context("the database")
}

/// Leaves out rows whose files went with them and are not back: they would point at nothing.
async fn with_their_files(batch: Vec<Removal>, store: &dyn Store, concurrency: usize, done: &mut Done) -> Vec<Removal> {
    let looks: Vec<_> = batch
        .iter()
        .map(|removal| async move {
            // A row that had lost its object comes back as it was.
            match removal.object.last_modified {
                None => Ok(()),
                Some(_) => match store.look(&removal.object.key).await {
                    Ok(Presence::Present(_)) => Ok(()),
                    Ok(Presence::Missing) => Err("its file is not there any more".to_owned()),
                    Ok(Presence::Unknown(reason)) => Err(reason),
                    Err(error) => Err(format!("its file could not be looked at: {error:#}")),
                },
            }
        })
        .collect();
    let looks: Vec<Result<(), String>> = futures::stream::iter(looks).buffered(concurrency).collect().await;
    let mut with = Vec::new();
    for (removal, look) in batch.into_iter().zip(looks) {
        match look {
            Ok(()) => with.push(removal),
            Err(reason) => tell_of_row(&removal, Back::Failed(reason), done),
        }
    }
    with
}

fn tell_of_row(removal: &Removal, back: Back, done: &mut Done) {
    let Some(row) = &removal.row else { return };
    let row = format!("{} id {}", row.table, row.id);
    match back {
        Back::Done => done.rows += 1,
        Back::Taken(reason) => {
            done.taken += 1;
            eprintln!("{}: {}; it was left alone", Printable(&row), Printable(&reason));
        }
        Back::Failed(reason) => {
            done.failed += 1;
            if let Some(more) = done.reasons.get_mut(&reason) {
                *more += 1;
                return;
            }
            eprintln!("{}: {}", Printable(&row), Printable(&reason));
            if done.reasons.len() < REASONS {
                done.reasons.insert(reason, 0);
            }
        }
    }
}

/// Counts what became of one file, and says why where it is not back.
fn tell(removal: &Removal, restored: Restored, done: &mut Done) {
    let key = Printable(&removal.object.key);
    match restored {
        Restored::Done => {
            done.files += 1;
            done.bytes += removal.object.size;
        }
        Restored::Taken => {
            done.taken += 1;
            eprintln!("{key}: something else is there now, and was left alone");
        }
        Restored::Failed(reason) => {
            done.failed += 1;
            eprintln!("{key}: {}", Printable(&reason));
        }
    }
}

fn say(done: &Done) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "Restored: {} files ({}), {} rows", done.files, size(done.bytes), done.rows)?;
    if done.taken > 0 {
        writeln!(out, "Left alone, as something else is in their place now: {}", done.taken)?;
    }
    if done.failed > 0 {
        writeln!(out, "Failed: {}", done.failed)?;
    }
    Ok(())
}
