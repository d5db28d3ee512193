//! The dry run, from what was typed to the report: compare, look again, hold what is in doubt, report. It changes
//! nothing but the ledger.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use chrono::Utc;
use tokio::sync::mpsc::channel;
use tokio::time::timeout;
use tokio::{select, try_join};

use crate::args::{Format, Options};
use crate::compare::scope::Scope;
use crate::compare::{Progress, Scan, Scanned};
use crate::config::{self, Config};
use crate::database::{self, Database};
use crate::exit_code::{self, ExitCode, Misconfigured};
use crate::finding::{Kind, Requests, Totals};
use crate::ledger::{self, Ledger, Position};
use crate::progress::ProgressLine;
use crate::publish::{self, OutputFile};
use crate::report::{Outcome, Report, warnings};
use crate::storage::{self, Store};
use crate::{judge, look_again};

/// Ranges listed beside each other at most: a range needs about a MiB for its slice and its page.
const RANGES: usize = 16;
/// Notes on their way from the scan to the ledger.
const NOTES_AHEAD: usize = 16;

/// What a comparison that came to its end found.
struct Compared {
    totals: Totals,
    warnings: Vec<String>,
}

/// Compares, reports, and changes nothing.
pub async fn dry_run(options: &Options) -> Result<ExitCode> {
    let config = config::load(&config::find(options.config.as_deref())?)?;
    let scope = Arc::new(scope(&config, options.prefix.as_deref())?);
    let kinds = kinds(&options.kinds)?;
    let output = options.output.as_deref().map(OutputFile::prepare).transpose()?;
    warn_of_settings(&config);

    let database_address = database::address(&config.database)?;
    let started_at = Utc::now();
    let mut ledger = open_ledger(&config).await?;
    let run = ledger.begin("dry-run", started_at).await?;
    let progress = Arc::new(Progress::default());
    let line = ProgressLine::show(progress.clone(), !options.no_progress);
    let mut requests = Requests::default();
    let comparison = Comparison { config: &config, scope: &scope, kinds: &kinds, run };
    let comparing = async {
        let store: Arc<dyn Store> = storage::open(&config.storage, &scope.prefix).await.context("the storage")?.into();
        let limit = config.safety.max_runtime;
        let compared = timeout(limit.0, compare(comparison, store.clone(), &mut ledger, progress)).await;
        requests = store.requests();
        compared.unwrap_or_else(|_| Err(anyhow!("the comparison took longer than [safety] max_runtime, {limit}")))
    };
    let compared = select! {
        compared = comparing => Some(compared),
        () = interruption() => None,
    };
    drop(line);
    tokio::spawn(end_when_interrupted());

    let (storage_kind, storage_address) = storage::address(&config.storage);
    let mut report = Report {
        run,
        mode: "dry-run",
        outcome: Outcome::Interrupted,
        started_at,
        finished_at: Utc::now(),
        database_engine: config.database.engine.to_string(),
        database_address,
        storage_kind,
        storage_address,
        min_age: config.safety.min_age.to_string(),
        kinds,
        totals: Totals::default(),
        requests,
        warnings: Vec::new(),
        error: None,
    };
    let ended = match compared {
        Some(Ok(compared)) => {
            report.outcome = if compared.totals.findings() == 0 { Outcome::Clean } else { Outcome::Findings };
            (report.totals, report.warnings) = (compared.totals, compared.warnings);
            let unheld = report.totals.findings() - report.totals.held;
            Ok(if options.check && unheld > 0 { ExitCode::Findings } else { ExitCode::Done })
        }
        Some(Err(error)) => {
            report.outcome = Outcome::Failed;
            report.error = Some(exit_code::sentence(&error));
            Err(error)
        }
        None => Ok(ExitCode::Interrupted),
    };
    let found = report.totals.findings();
    if matches!(report.outcome, Outcome::Failed | Outcome::Interrupted) {
        ledger.forget_all().await?;
    }
    ledger.end(run, report.outcome.name(), found, report.finished_at).await?;
    if ended.as_ref().is_err_and(|error| error.chain().any(|cause| cause.is::<Misconfigured>())) {
        return ended;
    }
    log_findings(&report, &mut ledger).await?;
    // A CSV has no place for them.
    for warning in report.warnings.iter().filter(|_| matches!(options.format, Format::Csv)) {
        tracing::warn!("{warning}");
    }
    let is_news = report.outcome != Outcome::Clean || !report.warnings.is_empty();
    let format = (is_news || !options.quiet).then(|| options.format.into());
    publish::publish(&report, &mut ledger, format, output).await?;
    ended
}

/// Everything that [`compare`] is told.
struct Comparison<'a> {
    config: &'a Config,
    scope: &'a Arc<Scope>,
    kinds: &'a [Kind],
    run: i64,
}

/// Both sides to their ends, then the second look, then what is held; the findings are in the ledger.
async fn compare(
    comparison: Comparison<'_>,
    store: Arc<dyn Store>,
    ledger: &mut Ledger,
    progress: Arc<Progress>,
) -> Result<Compared> {
    let Comparison { config, scope, kinds, run } = comparison;
    let database = Database::open(config).await.context("the database")?;
    let min_age = config.safety.min_age.0;
    let scan = Scan {
        store: store.clone(),
        scope: scope.clone(),
        min_age,
        concurrency: config.storage.concurrency.min(RANGES),
        progress,
    };
    let (notes, mut noted) = channel(NOTES_AHEAD);
    let gather = async {
        while let Some(note) = noted.recv().await {
            ledger.take(note).await.context("the ledger")?;
        }
        Ok(())
    };
    let (scanned, ()) = try_join!(scan.run(database.keys(), notes), gather)?;
    let Scanned { mut totals, forgotten } = scanned;

    tracing::debug!("both sides are read; looking again at files");
    look_again::at_files(ledger, &database).await?;
    tracing::debug!("looking again at records");
    let concurrency = config.storage.concurrency;
    let young = look_again::at_records(ledger, &database, &*store, min_age, concurrency).await?;
    totals.too_young += young;
    totals.too_young_records = young;

    let min_overlap = config.safety.min_overlap.0;
    let wrong_pair = judge::wrong_pair(&totals, !config.records.is_empty(), min_overlap);
    tracing::debug!("holding what is in doubt");
    ledger.hold_near_misses().await.context("the ledger")?;
    // A wrong pair is refused as a whole; what it finds is not held one by one.
    if wrong_pair.is_none() {
        hold_what_is_unknown(config, scope, ledger, &totals, &forgotten).await.context("the ledger")?;
    }
    tracing::debug!("keeping what was found");
    ledger.keep_kinds(kinds).await.context("the ledger")?;
    ledger.count_findings(&mut totals).await.context("the ledger")?;
    ledger.keep_sightings(run, kinds, &scope.prefix, Utc::now()).await.context("the ledger")?;

    let (_, address) = storage::address(&config.storage);
    let address = match scope.prefix[scope.root.len()..].trim_end_matches('/') {
        "" => address,
        narrowed => format!("{address}/{narrowed}"),
    };
    let warnings = wrong_pair.map(|why| warnings::wrong_pair(why, &totals, &address, min_overlap));
    Ok(Compared { totals, warnings: warnings.into_iter().collect() })
}

/// Holds files that are too new for this database (I17), or in folders that it knows nothing of (I18).
async fn hold_what_is_unknown(
    config: &Config,
    scope: &Scope,
    ledger: &mut Ledger,
    totals: &Totals,
    forgotten: &[String],
) -> Result<()> {
    if let Some(newest) = judge::newest_believable(totals.newest_known, config.safety.min_age.0) {
        // A narrowed run has only seen what the database knows there.
        let reason = match scope.prefix == scope.root {
            true => "newer than anything the database knows".to_owned(),
            false => format!("newer than anything the database knows below {}", scope.prefix),
        };
        ledger.hold_newer_than(newest, &reason).await?;
    }
    let allowed = &config.safety.unknown_prefixes;
    let is_allowed = |segment: &str| {
        let name = segment.trim_end_matches('/');
        let below_root = name.strip_prefix(&scope.root).unwrap_or(name);
        allowed.iter().map(|prefix| prefix.trim_end_matches('/')).any(|prefix| prefix == name || prefix == below_root)
    };
    let segments: Vec<&str> = forgotten.iter().map(String::as_str).filter(|segment| !is_allowed(segment)).collect();
    if segments.is_empty() { Ok(()) } else { ledger.hold_below(&segments, &scope.root).await }
}

fn scope(config: &Config, narrowed: Option<&str>) -> Result<Scope> {
    let root = config.storage.prefix.clone();
    let prefix = narrowed.unwrap_or(&root).to_owned();
    if !prefix.starts_with(&root) {
        let message = format!("--prefix {prefix}: it must begin with the configured prefix {root}");
        return Err(Misconfigured(message).into());
    }
    Ok(Scope { root, prefix, ignore: config.storage.ignore.clone(), trash: config.trash.prefix.clone() })
}

fn kinds(names: &[String]) -> Result<Vec<Kind>> {
    if names.is_empty() {
        return Ok(Kind::ALL.to_vec());
    }
    let mut kinds = Vec::new();
    for name in names {
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == name) else {
            let known = Kind::ALL.map(Kind::name).join(", ");
            return Err(Misconfigured(format!("--kind {name}: there is no such kind; there are {known}")).into());
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

fn warn_of_settings(config: &Config) {
    let min_age = config.safety.min_age;
    if min_age.0 < std::time::Duration::from_secs(3600) {
        tracing::warn!("[safety] min_age is {min_age}: uploads that are still under way can look like orphans");
    }
}

async fn open_ledger(config: &Config) -> Result<Ledger> {
    let path = config.ledger.clone().unwrap_or_else(ledger::default_path);
    let (ledger, problem) = Ledger::open_or_temporary(&path, &fingerprint(config)?).await?;
    if let Some(problem) = problem {
        tracing::warn!(
            "{}; this run uses a temporary one, and no sighting is remembered",
            exit_code::sentence(&problem)
        );
    }
    Ok(ledger)
}

/// What names the pair of database and store in a ledger.
pub fn fingerprint(config: &Config) -> Result<String> {
    let (kind, address) = storage::address(&config.storage);
    Ok(format!("{} {} | {kind} {address}", config.database.engine, database::address(&config.database)?))
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

/// While the report is written nothing is left to be tidied up: a signal ends the program, whoever holds the pipe.
async fn end_when_interrupted() {
    interruption().await;
    std::process::exit(ExitCode::Interrupted as i32);
}

/// Waits for Ctrl-C or for a polite request to end.
async fn interruption() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        // Without handlers a signal ends the program by itself.
        _ => std::future::pending().await,
    }
}
