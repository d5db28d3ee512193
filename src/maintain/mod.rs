//! One run, from what was typed to how it ended: compare and report; and with `--execute` plan, confirm and remove.

mod settings;

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use chrono::{TimeDelta, Utc};
use tokio::select;

use crate::args::{Format, Options};
use crate::compare::Progress;
use crate::compare::scope::Scope;
use crate::config::{self, Config, Place};
use crate::confirm::{self, Target};
use crate::database::{self, Advisory, Database};
use crate::execute::{self, Site};
use crate::exit_code::{self, ExitCode, LockedOut, Misconfigured};
use crate::finding::{Kind, Requests, Totals};
use crate::inspect::{Inspected, Inspection};
use crate::interrupt::Interrupt;
use crate::ledger::{Ledger, Position};
use crate::lock::Lock;
use crate::only::Only;
use crate::plan::{self, Census, Limits};
use crate::progress::ProgressLine;
use crate::publish::{self, OutputFile};
use crate::removal::{Removals, Stopped};
use crate::report::{self, Outcome, Report, warnings};
use crate::storage::{self, Store};

pub use settings::{fingerprint, ledger_path};
use settings::{kinds, open_ledger, scope, warn_of_settings};

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
    let scope = Arc::new(scope(&config, options.prefix.as_deref())?);
    let kinds = kinds(&options.kinds)?;
    let only = options.only.as_deref().map(Only::read).transpose()?;
    let output = options.output.as_deref().map(OutputFile::prepare).transpose()?;
    warn_of_settings(&config);

    let path = ledger_path(&config);
    let lock = if options.execute { Some(Lock::take(&path)?) } else { None };
    let mut ledger = match options.execute {
        true => Ledger::open(&path, &fingerprint(&config)?).await?,
        false => open_ledger(&config).await?,
    };
    let mode = if options.execute { "execute" } else { "dry-run" };
    let mut report = empty_report(&config, &kinds, mode)?;
    let number = ledger.begin(mode, report.started_at).await?;
    report.run = number;
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
        report.outcome = if report.totals.findings() == 0 { Outcome::Clean } else { Outcome::Findings };
        report.warnings.extend(self.warning(&inspected));
        if !self.options.execute {
            // A run that may yet remove something has not ended.
            self.end(ledger, &report).await?;
        }
        log_findings(&report, ledger).await?;

        let (Some(lock), Some(sides)) = (lock, sides) else {
            let unheld = report.totals.findings() - report.totals.held;
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
            // Where nobody can confirm nothing is removed, and nothing else is changed either.
            if sides.advisory.is_some() && std::io::stdin().is_terminal() {
                report.resumed = execute::resume(ledger, Some(&sides.database), &*sides.store)
                    .await
                    .context("what an earlier run left open could not be resolved")?;
            }
            let inspection = Inspection {
                config: &self.config,
                scope: &self.scope,
                kinds: &self.kinds,
                only: self.only.as_ref(),
                run: self.number,
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

    async fn open(&self) -> Result<Sides> {
        let store = storage::open(&self.config.storage, &self.scope.prefix).await.context("the storage")?.into();
        let database = Database::open(&self.config).await.context("the database")?;
        let advisory = match self.options.execute {
            true => Some(database.lock(&storage::address(&self.config.storage).1).await.context("the database")?),
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

    /// Plans, asks, removes, and reports.
    async fn remove(
        &self,
        ledger: &mut Ledger,
        (lock, sides): (Lock, Sides),
        inspected: &Inspected,
        mut report: Report,
        output: Option<OutputFile>,
    ) -> Result<ExitCode> {
        let keep = TimeDelta::from_std(self.config.trash.keep.0).unwrap_or(TimeDelta::MAX);
        let due_before = Utc::now().checked_sub_signed(keep).unwrap_or_default();
        let (files, file_bytes) = ledger.removable().await?;
        // A run that was narrowed does not reach for what it was not asked about.
        let is_narrowed = self.only.is_some() || self.options.prefix.is_some() || !self.options.kinds.is_empty();
        let (due_files, due_bytes) = if is_narrowed { (0, 0) } else { ledger.due(due_before).await? };
        let census = Census { files, file_bytes, due_files, due_bytes };
        let limits = Limits::new(&self.config.safety, self.options.max_removals, self.options.max_percent);
        let plan = match plan::plan(census, due_before, &inspected.totals, inspected.wrong_pair, limits) {
            Ok(plan) => plan,
            Err(refusal) => {
                report.outcome = Outcome::Refused;
                report.refusal = Some((refusal.limit(), refusal.to_string()));
                self.end(ledger, &report).await?;
                self.publish(&report, ledger, true, output).await?;
                eprintln!("refused: {refusal}");
                return Ok(ExitCode::Refused);
            }
        };
        if plan.is_empty() {
            self.end(ledger, &report).await?;
            self.publish(&report, ledger, true, output).await?;
            return Ok(ExitCode::Done);
        }
        // People read the report before they confirm; programs get one document at the end.
        let is_text = matches!(self.options.format, Format::Text);
        if is_text {
            self.publish(&report, ledger, true, None).await?;
        }
        self.interrupt.end_at_once(true);
        // Reading takes its time, which is not the run's.
        let left = self.config.safety.max_runtime.0.saturating_sub(self.began.elapsed());
        let confirmed = confirm::ask(&plan, &self.target(&report))?;
        self.interrupt.end_at_once(false);
        let Some(confirmed) = confirmed else {
            report.outcome = Outcome::Declined;
            self.end(ledger, &report).await?;
            self.publish(&report, ledger, !is_text, output).await?;
            return Ok(ExitCode::Declined);
        };

        let mut removals = Removals::default();
        let Sides { database, store, advisory } = sides;
        let mut advisory = advisory.context("the lock in the database was not taken")?;
        let mut site = Site {
            ledger,
            database: &database,
            store: &*store,
            lock: &lock,
            advisory: &mut advisory,
            interrupt: &self.interrupt,
            run: self.number,
            trash: self.trash_folder(),
            concurrency: self.config.storage.concurrency,
            max_deletes_per_second: self.config.safety.max_deletes_per_second,
            deadline: Instant::now().checked_add(left),
        };
        let executed = execute::execute(plan, confirmed, &mut site, &mut removals).await;
        report.requests = store.requests();
        report.finished_at = Utc::now();
        let code = match (&executed, removals.stopped) {
            (Err(error), _) => {
                report.error = Some(exit_code::sentence(error));
                report.outcome = Outcome::Failed;
                ExitCode::Failed
            }
            (Ok(()), Some(Stopped::Interrupted)) => {
                report.outcome = Outcome::Interrupted;
                ExitCode::Interrupted
            }
            (Ok(()), _) if !removals.is_complete() => {
                report.outcome = Outcome::Partial;
                ExitCode::Partial
            }
            _ => {
                report.outcome = Outcome::Removed;
                ExitCode::Done
            }
        };
        report.removals = Some(removals);
        // What was done is told even where the ledger cannot take it.
        let ended = self.end(ledger, &report).await;
        if let (true, Some(removals)) = (is_text, &report.removals) {
            report::removals(&mut std::io::stdout(), removals)?;
        }
        self.publish(&report, ledger, !is_text, output).await?;
        executed.and(ended).map(|()| code)
    }

    /// The run's own folder in the trash.
    fn trash_folder(&self) -> Option<String> {
        let trash = &self.config.trash;
        trash.enabled.then(|| format!("{}{}/", trash.prefix, ulid::Ulid::generate()))
    }

    fn target<'a>(&'a self, report: &'a Report) -> Target<'a> {
        let trash = &self.config.trash;
        Target {
            name: match &self.config.storage.place {
                Place::S3 { bucket, .. } => bucket.clone(),
                Place::Local { root } => {
                    let root = root.canonicalize().unwrap_or_else(|_| root.clone());
                    root.file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned())
                }
            },
            storage: &report.storage_address,
            database: &report.database_address,
            trash: trash.enabled.then_some(trash.prefix.as_str()),
        }
    }

    fn warning(&self, inspected: &Inspected) -> Option<String> {
        let (_, address) = storage::address(&self.config.storage);
        let address = match self.scope.prefix[self.scope.root.len()..].trim_end_matches('/') {
            "" => address,
            narrowed => format!("{address}/{narrowed}"),
        };
        let min_overlap = self.config.safety.min_overlap.0;
        inspected.wrong_pair.map(|why| warnings::wrong_pair(why, &inspected.totals, &address, min_overlap))
    }

    async fn end(&self, ledger: &mut Ledger, report: &Report) -> Result<()> {
        let (outcome, found) = (report.outcome.name(), report.totals.findings());
        let removals = report.removals.clone().unwrap_or_default();
        ledger.end(self.number, outcome, found, &removals, report.finished_at).await
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
        let is_news = report.outcome != Outcome::Clean || !report.warnings.is_empty() || report.resumed > 0;
        let format = (print && (is_news || !self.options.quiet)).then(|| self.options.format.into());
        // A CSV has no place for them.
        for warning in report.warnings.iter().filter(|_| print && matches!(self.options.format, Format::Csv)) {
            tracing::warn!("{warning}");
        }
        let published = publish::publish(report, ledger, format, output).await;
        self.interrupt.end_at_once(false);
        published
    }
}

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
        storage_kind,
        storage_address,
        min_age: config.safety.min_age.to_string(),
        kinds: kinds.to_vec(),
        totals: Totals::default(),
        requests: Requests::default(),
        warnings: Vec::new(),
        error: None,
        resumed: 0,
        refusal: None,
        removals: None,
        is_list: false,
    })
}

async fn log_findings(report: &Report, ledger: &mut Ledger) -> Result<()> {
    if !tracing::enabled!(tracing::Level::INFO) {
        return Ok(());
    }
    for kind in &report.kinds {
        let mut position = Position::default();
        loop {
            let page = ledger.findings(*kind, &position, 1000).await?;
            let Some(last) = page.last() else { break };
            position = Position::after(last);
            for finding in &page {
                let key = crate::key::Printable(&finding.key);
                match kind {
                    Kind::OrphanedRecord => tracing::info!("Asset record exists but file missing: {key}"),
                    Kind::OrphanedFile => tracing::info!("File exists but no DB record: {key}"),
                }
            }
        }
    }
    Ok(())
}
