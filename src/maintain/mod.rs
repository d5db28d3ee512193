//! One run, from what was typed to how it ended: compare and report; what `--execute` adds is in `remove`.

mod options;
mod remove;
mod settings;

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use chrono::{TimeDelta, Utc};
use tokio::select;

use crate::cli::ExitCode;
use crate::cli::progress::ProgressLine;
use crate::compare::Progress;
use crate::compare::scope::Scope;
use crate::config::{self, Age, Config};
use crate::database::{self, Advisory, Database};
use crate::domain::key::Printable;
use crate::domain::{Counts, Found, Hold, Kind, Requests, Time, Totals};
use crate::execute;
use crate::exit_code::{self, LockedOut, Misconfigured};
use crate::inspect::{Inspected, Inspection};
use crate::interrupt::Interrupt;
use crate::ledger::{Ledger, Position, RunTotals};
use crate::lock::Lock;
use crate::news::Night;
use crate::only::Only;
use crate::publish::{self, OutputFile};
use crate::report::{Format, OtherDatabase, Outcome, Report, TableTotals, warnings};
use crate::storage::{self, Store};

pub use options::Options;
use settings::{add_earlier_trash, kinds, open_ledger, scope, warning_of_settings};
pub use settings::{joined, ledger_path, own_files, pair};

/// A run: what was typed and written, and what it works with.
struct Run<'a> {
    options: &'a Options,
    config: Config,
    scope: Arc<Scope>,
    kinds: Vec<Kind>,
    only: Option<Only>,
    interrupt: Interrupt,
    began: Instant,
    number: i64,
}

/// Both sides, open, and the lock in the database where something may be removed.
struct Sides {
    database: Database,
    store: Arc<dyn Store>,
    advisory: Option<Advisory>,
}

/// Compares and reports; with `--execute`, removes what is confirmed.
pub async fn maintain(options: &Options) -> Result<ExitCode> {
    let config = config::load(&config::find(options.config.as_deref())?)?;
    let mut scope = scope(&config, options.prefix.as_deref())?;
    let kinds = kinds(&options.kinds, &config)?;
    let only = options.only.as_deref().map(Only::read).transpose()?;
    let output = options.output.as_deref().map(OutputFile::prepare).transpose()?;

    let path = ledger_path(&config);
    let lock = if options.execute { Some(Lock::take(&path)?) } else { None };
    let (mut ledger, temporary) = match options.execute {
        true => (Ledger::open(&path, &pair(&config)?).await?, None),
        false => open_ledger(&config).await?,
    };
    add_earlier_trash(&mut scope, &config, &mut ledger).await.context("the ledger")?;
    let scope = Arc::new(scope);
    let mode = if options.execute { "execute" } else { "dry-run" };
    let mut report = empty_report(&config, &kinds, mode)?;
    if options.execute {
        ledger.mark_interrupted().await.context("the ledger")?;
    }
    let number = ledger.begin(mode, report.started_at).await?;
    report.run = number;
    for warning in warning_of_settings(&config).into_iter().chain(temporary) {
        // Somebody who asked for silence is told of it in the report, once there is one.
        match options.quiet {
            true => report.warnings.push(warning),
            false => tracing::warn!("{warning}"),
        }
    }
    report.is_list = only.is_some();
    let (interrupt, began) = (Interrupt::listen(), Instant::now());
    let run = Run { options, config, scope, kinds, only, interrupt, began, number };
    run.to_its_end(&mut ledger, lock, report, output).await
}

impl Run<'_> {
    async fn to_its_end(
        &self,
        ledger: &mut Ledger,
        lock: Option<Lock>,
        mut report: Report,
        output: Option<OutputFile>,
    ) -> Result<ExitCode> {
        let mut sides = None;
        let compared = self.compare(ledger, &mut sides, &mut report).await;
        let inspected = match compared {
            Ok(Some(inspected)) => inspected,
            ended => return self.report_failure(ledger, ended.map(|_| ()), report, output).await,
        };
        report.finished_at = Utc::now();
        report.totals = inspected.totals;
        report.found = inspected.found.clone();
        let found = report.found.all();
        report.outcome = if found.findings == 0 { Outcome::Clean } else { Outcome::Findings };
        report.warnings.extend(self.warning(&inspected));
        report.warnings.extend_from_slice(&inspected.warnings);
        report.tables = self.tables(&inspected);
        if self.options.execute {
            report.warnings.extend(self.trash_in_doubt(ledger).await?);
        }
        report.is_news = self.is_news(ledger, &inspected, &report).await.context("the ledger")?;
        // Where the database is in doubt, what was removed may have to be brought back.
        if !inspected.doubts.doubts_the_database() && !ledger.has_held(&BEHIND).await? {
            self.forget_the_old(ledger, report.started_at).await;
        }
        if !self.options.execute {
            // A run that may yet remove something has not ended.
            self.end(ledger, &report).await?;
        }
        log_findings(&report, ledger).await?;

        let (Some(lock), Some(sides)) = (lock, sides) else {
            let unheld = found.findings - found.held;
            self.publish(&report, ledger, true, output).await?;
            return Ok(if self.options.check && unheld > 0 { ExitCode::Findings } else { ExitCode::Done });
        };
        self.remove(ledger, (lock, sides), &inspected, report, output).await
    }

    /// Opens both sides and compares them; `None`: somebody asked the run to end.
    async fn compare(
        &self,
        ledger: &mut Ledger,
        opened: &mut Option<Sides>,
        report: &mut Report,
    ) -> Result<Option<Inspected>> {
        let progress = Arc::new(Progress::default());
        let _line = ProgressLine::show(progress.clone(), !self.options.no_progress);
        let mut requests = Requests::default();
        let inspecting = async {
            let sides = opened.insert(self.open().await?);
            let strayed = execute::strayed(ledger, &*sides.store).await.context("the storage")?;
            let identities = joined(sides.database.identities().await);
            let changes = ledger.identify(identities, self.number, strayed.is_some()).await.context("the ledger")?;
            report.warnings.extend(changes);
            if let Some(strayed) = strayed {
                anyhow::ensure!(!self.options.execute, strayed);
                report.warnings.push(strayed);
            }
            // Where nobody can confirm nothing is removed, and nothing else is changed either.
            if sides.advisory.is_some() && std::io::stdin().is_terminal() {
                let (database, store) = (&sides.database, &*sides.store);
                let rows = execute::resume_rows(ledger, &self.config, database, store).await.context(RESUMING)?;
                let files = execute::resume(ledger, Some(database), &self.config.derived, store).await;
                let files = files.context(RESUMING)?;
                report.resumed = rows.resolved + files.resolved;
                report.warnings.extend(rows.told().chain(files.told()));
            }
            let inspection = Inspection {
                config: &self.config,
                scope: &self.scope,
                kinds: &self.kinds,
                only: self.only.as_ref(),
                run: self.number,
                is_narrowed: self.is_narrowed(),
                accepts_database: self.options.accept_database,
            };
            let inspected = inspection.inspect(&sides.database, sides.store.clone(), ledger, progress);
            let inspected = inspected.await;
            requests = sides.store.requests();
            inspected
        };
        let inspected = select! {
            inspected = inspecting => inspected.map(Some),
            () = self.interrupt.asked() => Ok(None),
        };
        report.requests = requests;
        inspected
    }

    /// Lets the ledger forget what is older than the configuration says. Where it cannot, the next run will.
    async fn forget_the_old(&self, ledger: &mut Ledger, now: Time) {
        let before = |age: Age| {
            let age = TimeDelta::from_std(age.0).unwrap_or(TimeDelta::MAX);
            now.checked_sub_signed(age).unwrap_or(Time::UNIX_EPOCH)
        };
        let config::Ledger { keep, keep_rows, .. } = &self.config.ledger;
        let rows_before = before(keep_rows.unwrap_or(self.config.trash.keep));
        if let Err(error) = ledger.drop_old(before(*keep), rows_before).await {
            tracing::warn!("{error:#}");
        }
    }

    async fn open(&self) -> Result<Sides> {
        let own = own_files(&self.config, self.options.output.iter().chain(&self.options.only))?;
        let store = storage::open(&self.config, &self.scope.prefix, &own).await;
        let store = store.context("the storage")?.into();
        let database = Database::open(&self.config).await.context("the database")?;
        let advisory = match self.options.execute {
            true => Some(database.lock(&storage::lock_name(&self.config.storage)).await.context("the database")?),
            false => None,
        };
        Ok(Sides { database, store, advisory })
    }

    /// Reports a comparison that failed or was interrupted: nothing is known to be missing.
    async fn report_failure(
        &self,
        ledger: &mut Ledger,
        ended: Result<()>,
        mut report: Report,
        output: Option<OutputFile>,
    ) -> Result<ExitCode> {
        report.finished_at = Utc::now();
        report.totals = Totals::default();
        report.found = Found::default();
        report.outcome = if ended.is_ok() { Outcome::Interrupted } else { Outcome::Failed };
        report.error = ended.as_ref().err().map(exit_code::sentence);
        ledger.forget_all().await?;
        self.end(ledger, &report).await?;
        if let Err(error) = ended {
            // What was typed or written is wrong, or another run is at work: there was no comparison to report.
            if !error.chain().any(|cause| cause.is::<Misconfigured>() || cause.is::<LockedOut>()) {
                self.publish(&report, ledger, true, output).await?;
            }
            return Err(error);
        }
        self.publish(&report, ledger, true, output).await?;
        Ok(ExitCode::Interrupted)
    }

    /// How many rows and findings each table has.
    fn tables(&self, inspected: &Inspected) -> Vec<TableTotals> {
        let mut tables: Vec<TableTotals> = Vec::new();
        for records in &self.config.records {
            if tables.iter().all(|table| table.name != records.name) {
                tables.push(TableTotals {
                    name: records.name.clone(),
                    records: inspected.rows.get(&records.name).copied().unwrap_or(0),
                    findings: inspected.found.tables.get(&records.name).copied().unwrap_or(0),
                });
            }
        }
        tables
    }

    fn warning(&self, inspected: &Inspected) -> Option<String> {
        let (_, address) = storage::address(&self.config.storage);
        let address = match self.scope.prefix[self.scope.root.len()..].trim_end_matches('/') {
            "" => address,
            narrowed => format!("{address}/{narrowed}"),
        };
        let min_overlap = self.config.safety.min_overlap.0;
        inspected.doubts.wrong_pair.map(|why| warnings::wrong_pair(why, &inspected.totals, &address, min_overlap))
    }

    /// Whether there is anything new to tell of a complete comparison; what is compared with the next is written down.
    async fn is_news(&self, ledger: &mut Ledger, inspected: &Inspected, report: &Report) -> Result<bool> {
        let doubts = &inspected.doubts;
        let counts = Counts {
            warnings: report.warnings.len() as u64,
            held: report.found.all().held,
            young: report.totals.too_young,
        };
        let scope = self.narrowed_to();
        let (counted, told) = ledger.told_before(self.number, &scope).await?;
        ledger.count(self.number, &scope, counts).await?;
        if !self.options.quiet {
            return Ok(true);
        }
        let night = Night {
            may_remove: ledger.has_removable(&self.acting()).await?,
            is_refused: doubts.refuses_files() || !doubts.obstacles.is_empty(),
            has_new: ledger.has_new(self.number).await?,
            has_findings: report.found.all().findings > 0,
            of_settings: warning_of_settings(&self.config).into_iter().count() as u64,
            counts,
        };
        Ok(night.is_news(counted, told, report.started_at))
    }

    /// Whether the run looks at a part of what is configured alone.
    fn is_narrowed(&self) -> bool {
        self.only.is_some() || self.options.prefix.is_some() || !self.options.kinds.is_empty()
    }

    /// What the run was narrowed to, in words that are the same the next night; empty: it was not.
    fn narrowed_to(&self) -> String {
        let prefix = self.options.prefix.iter().map(|prefix| format!("--prefix {prefix}"));
        let kinds = self.options.kinds.iter().map(|kind| format!("--kind {kind}"));
        let only = self.options.only.iter().map(|only| format!("--only {}", only.display()));
        prefix.chain(kinds).chain(only).collect::<Vec<_>>().join(" ")
    }

    async fn end(&self, ledger: &mut Ledger, report: &Report) -> Result<()> {
        let ended = RunTotals {
            outcome: report.outcome.name(),
            found: &report.found,
            totals: Some(&report.totals).filter(|totals| **totals != Totals::default()),
            requests: report.requests,
            removals: &report.removals.clone().unwrap_or_default(),
        };
        ledger.end(self.number, &ended, report.finished_at).await
    }

    /// Prints the report, where `print` says so and there is something to say, and writes it to the file.
    async fn publish(
        &self,
        report: &Report,
        ledger: &mut Ledger,
        print: bool,
        output: Option<OutputFile>,
    ) -> Result<()> {
        // While the report is written nothing is left to be tidied up: a signal ends the program, whoever holds the pipe.
        self.interrupt.end_at_once(true);
        let is_ordinary = matches!(report.outcome, Outcome::Clean | Outcome::Findings);
        let tells = !self.options.quiet || report.is_news || report.resumed > 0 || !is_ordinary;
        let format = (print && tells).then_some(self.options.format);
        // A CSV has no place for them.
        for warning in report.warnings.iter().filter(|_| format == Some(Format::Csv)) {
            tracing::warn!("{warning}");
        }
        let mut published = publish::publish(report, ledger, format, output).await;
        if format.is_some() && published.is_ok() {
            published = ledger.mark_told(self.number).await.context("the ledger");
        }
        self.interrupt.end_at_once(false);
        published
    }
}

/// What is held by these speaks of a side that is behind.
const BEHIND: [Hold; 2] = [Hold::NewerThanDatabase, Hold::NewerThanStorage];

const RESUMING: &str = "what an earlier run left open could not be resolved";

fn empty_report(config: &Config, kinds: &[Kind], mode: &'static str) -> Result<Report> {
    let (storage_kind, storage_address) = storage::address(&config.storage);
    Ok(Report {
        run: 0,
        mode,
        outcome: Outcome::Interrupted,
        started_at: Utc::now(),
        finished_at: Utc::now(),
        database_engine: config.database.engine.to_string(),
        database_address: database::address(&config.database)?,
        databases: other_databases(config)?,
        storage_kind,
        storage_address,
        min_age: config.safety.min_age.to_string(),
        folder_tables: config
            .records
            .iter()
            .filter(|records| records.owns_folders())
            .map(|records| records.name.clone())
            .collect(),
        kinds: kinds.to_vec(),
        totals: Totals::default(),
        found: Found::default(),
        tables: Vec::new(),
        requests: Requests::default(),
        warnings: Vec::new(),
        error: None,
        resumed: 0,
        refusal: None,
        later: 0,
        removals: None,
        is_list: false,
        is_news: false,
    })
}

fn other_databases(config: &Config) -> Result<Vec<OtherDatabase>> {
    let others = config.databases.iter().map(|other| {
        let address = database::address(&other.database)?;
        Ok(OtherDatabase { name: other.name.clone(), engine: other.database.engine.to_string(), address })
    });
    others.collect()
}

async fn log_findings(report: &Report, ledger: &mut Ledger) -> Result<()> {
    if !tracing::enabled!(tracing::Level::INFO) {
        return Ok(());
    }
    for kind in &report.kinds {
        let mut position = Position::default();
        loop {
            let page = ledger.findings(kind, &position, 1000).await?;
            let Some(last) = page.last() else { break };
            position = last.clone();
            for finding in page.read()? {
                tracing::info!("{}: {}", kind.log(), Printable(&finding.key));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod worlds;
