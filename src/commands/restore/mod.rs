//! `cleanup-assets restore`: brings back from the trash what a run removed, and the rows that it deleted or updated. It
//! overwrites nothing.

mod from_trash;
mod told;

use anyhow::{Context, Result};
use clap::Args;
use futures::StreamExt;

use crate::cli::{ExitCode, Global, TextOrJson};
use crate::config::{self, Config};
use crate::database::{self, Advisory, Back, Database};
use crate::domain::Kind;
use crate::execute::{self, Sight};
use crate::exit_code::Misconfigured;
use crate::ledger::{Ledger, Removal, Which};
use crate::lock::Lock;
use crate::maintain::{joined, ledger_path, own_files, pair};
use crate::storage::{self, Presence, Store};
use told::Told;

/// Files, or rows, restored between two commits to the ledger.
const BATCH: usize = 100;
const RESUMING: &str = "what an earlier run left open could not be resolved";

/// Bring back what a run trashed, and the rows that it removed; nothing is overwritten
#[derive(Debug, Args)]
#[command(override_usage = "cleanup-assets restore [OPTIONS] <--run RUN | KEY... | --from-trash>")]
pub struct Arguments {
    #[command(flatten)]
    what: What,
    /// The format on standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: TextOrJson,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// Everything that this run removed
    #[arg(long, value_name = "RUN")]
    run: Option<i64>,
    /// These keys
    #[arg(value_name = "KEY")]
    keys: Vec<String>,
    /// Every file in the trash that the ledger does not know, where the ledger was lost
    #[arg(long)]
    from_trash: bool,
}

impl What {
    /// The removals of files, and those of rows, one after the other.
    fn selections(&self) -> Vec<(Which<'_>, Which<'_>)> {
        match self.run {
            Some(run) => vec![(Which::TrashedByRun(run), Which::RowsOfRun(run))],
            None => self.keys.iter().map(|key| (Which::TrashedAt(key), Which::LastRowsOf(key))).collect(),
        }
    }
}

/// Brings it back, and says what was done.
pub async fn run(Arguments { what, format }: Arguments, global: &Global) -> Result<ExitCode> {
    let config = config::load(&config::find(global.config.as_deref())?)?;
    let path = ledger_path(&config);
    if !path.exists() && !what.from_trash {
        return Err(Misconfigured(format!("restore: there is no ledger at {}", path.display())).into());
    }
    let _lock = Lock::take(&path)?;
    let mut ledger = Ledger::open(&path, &pair(&config)?).await?;
    if ledger.may_have_others() {
        // Which of them this database is tells what it is.
        ledger.recognize(joined(database::identities(&config).await)).await.context("the ledger")?;
    }
    ledger.mark_interrupted().await.context("the ledger")?;
    let own = own_files(&config, [])?;
    let store = storage::open(&config, &config.storage.prefix, &own).await.context("the storage")?;
    let strayed = execute::strayed(&mut ledger, &*store).await.context("the storage")?;
    strayed.iter().for_each(|strayed| tracing::warn!("{strayed}"));
    let (database, told) = (None, Told::new(format)?);
    let mut restoring = Restoring { config: &config, store: &*store, strayed, ledger, database, told, found: 0 };
    restoring.resume().await?;
    if what.from_trash {
        restoring.bring_back_strays().await?;
    } else {
        for (files, rows) in what.selections() {
            restoring.bring_back(files, rows).await?;
        }
        restoring.expect_something(&what).await?;
    }
    let code = if restoring.told.is_complete() { ExitCode::Done } else { ExitCode::Partial };
    restoring.told.finish()?;
    Ok(code)
}

/// What a restore works with.
struct Restoring<'a> {
    config: &'a Config,
    store: &'a dyn Store,
    /// Why none of its files can be found; rows need none of them.
    strayed: Option<String>,
    ledger: Ledger,
    database: Option<(Database, Advisory)>,
    told: Told,
    /// Removals that could be brought back.
    found: usize,
}

impl Restoring<'_> {
    /// Resolves what a run that died left open.
    async fn resume(&mut self) -> Result<()> {
        if self.strayed.is_some() {
            return Ok(());
        }
        if execute::has_open_rows(&mut self.ledger).await? {
            let database = opened(&mut self.database, self.config).await?;
            let rows = execute::resume_rows(&mut self.ledger, self.config, database, self.store).await;
            rows.context(RESUMING)?.told().for_each(|open| tracing::warn!("{open}"));
        }
        let files = execute::resume(&mut self.ledger, None, &self.config.derived, self.store).await;
        files.context(RESUMING)?.told().for_each(|open| tracing::warn!("{open}"));
        Ok(())
    }

    async fn bring_back(&mut self, files: Which<'_>, rows: Which<'_>) -> Result<()> {
        if !self.ledger.removals(rows, 0, 1).await?.is_empty() {
            // A run on another host must not be at work, and is better met before the first file than after the last.
            opened(&mut self.database, self.config).await?;
        }
        let before = self.found;
        // Files first: a row must not point at nothing meanwhile.
        match files {
            // A row that had several files is not whole without the others.
            Which::TrashedAt(key) => {
                for key in self.ledger.keys_beside(key).await? {
                    self.files(Which::TrashedAt(&key)).await?;
                }
            }
            _ => self.files(files).await?,
        }
        self.rows(rows).await?;
        for (database, count) in self.ledger.rows_of_others(rows).await? {
            self.found += 1;
            self.told.rows_of_another(&database, count)?;
        }
        if let (Which::TrashedAt(key), true) = (files, self.found == before) {
            self.told.nothing_of(key)?;
        }
        Ok(())
    }

    async fn files(&mut self, which: Which<'_>) -> Result<()> {
        let (mut after, mut sight) = (0, None);
        loop {
            let batch = self.ledger.removals(which, after, BATCH).await?;
            let Some(last) = batch.last() else { return Ok(()) };
            after = last.id;
            self.found += batch.len();
            if let Some(why) = &self.strayed {
                batch.iter().try_for_each(|removal| self.told.out_of_reach(removal, why))?;
                continue;
            }
            let sight = sight.get_or_insert_with(|| Sight::new(self.store, batch.len() as u64));
            let mut way = execute::Way { store: self.store, config: self.config, sight };
            let restored = execute::restore(&mut self.ledger, &mut way, &batch).await?;
            for (removal, restored) in batch.iter().zip(restored) {
                self.told.file(removal, restored)?;
            }
        }
    }

    async fn rows(&mut self, which: Which<'_>) -> Result<()> {
        let mut after = 0;
        loop {
            let batch = self.ledger.removals(which, after, BATCH).await?;
            let Some(last) = batch.last() else { return Ok(()) };
            after = last.id;
            self.found += batch.len();
            let batch = self.with_their_files(batch).await?;
            let database = opened(&mut self.database, self.config).await?;
            let backs = execute::restore_rows(&mut self.ledger, database, &batch).await?;
            for (removal, back) in batch.iter().zip(backs) {
                self.told.row(removal, back)?;
            }
        }
    }

    /// Leaves out rows whose files went with them and are not back: they would point at nothing.
    async fn with_their_files(&mut self, batch: Vec<Removal>) -> Result<Vec<Removal>> {
        let looks: Vec<_> = batch.iter().map(|removal| why_without_file(self.store, self.config, removal)).collect();
        let looks = futures::stream::iter(looks).buffered(self.config.storage.concurrency);
        let looks: Vec<Option<String>> = looks.collect().await;
        let mut with = Vec::new();
        for (removal, look) in batch.into_iter().zip(looks) {
            match look {
                None => with.push(removal),
                Some(reason) => self.told.row(&removal, Back::Failed(reason))?,
            }
        }
        Ok(with)
    }

    /// Refuses what names nothing that was ever removed.
    async fn expect_something(&mut self, what: &What) -> Result<()> {
        let (was_restored, names) = match what.run {
            Some(run) => {
                let restored = self.ledger.removals(Which::RestoredOfRun(run), 0, 1).await?;
                (!restored.is_empty(), format!("run {run}"))
            }
            None => (false, what.keys.join(", ")),
        };
        if self.found == 0 && !was_restored {
            let dropped = match what.run {
                Some(run) => self.ledger.dropped_of(run).await.context("the ledger")?,
                None => 0,
            };
            let message = match dropped {
                0 => format!("restore: nothing of {names} is in the trash, and the ledger knows no removed row of it"),
                _ => format!(
                    "restore: nothing of {names} is in the trash, and its {dropped} removals are remembered no longer (see \
                     [ledger] keep)"
                ),
            };
            return Err(Misconfigured(message).into());
        }
        Ok(())
    }
}

/// The database, opened where there are rows to bring back, and once; with its lock, against a run on another host.
async fn opened<'d>(opened: &'d mut Option<(Database, Advisory)>, config: &Config) -> Result<&'d Database> {
    if opened.is_none() {
        let database = Database::open(config).await.context("the database")?;
        let advisory = database.lock(&storage::lock_name(&config.storage)).await.context("the database")?;
        *opened = Some((database, advisory));
    }
    opened.as_ref().map(|(database, _)| database).context("the database")
}

/// Why a row must not come back yet; `None`: its file is there, or it had none.
async fn why_without_file(store: &dyn Store, config: &Config, removal: &Removal) -> Option<String> {
    let table = removal.row.as_ref().map(|row| &row.table);
    let owns_folder = config.records.iter().any(|records| Some(&records.name) == table && records.owns_folders());
    let had_folder = owns_folder && removal.object.key.ends_with('/') && Kind::named(&removal.kind).rule().is_some();
    if !had_folder {
        // A row that had lost its object comes back as it was.
        removal.object.last_modified?;
    }
    match storage::look_for(store, &removal.object.key, had_folder).await {
        Ok(Presence::Present(_)) => None,
        Ok(Presence::Missing) => Some("its file is not there any more".to_owned()),
        Ok(Presence::Unknown(reason)) => Some(reason),
        Err(error) => Some(format!("its file could not be looked at: {error:#}")),
    }
}
