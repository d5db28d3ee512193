//! What `--execute` does once the findings are known: plan, ask, remove, and report.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Instant;

use anyhow::{Context, Result};
use chrono::{TimeDelta, Utc};

use super::{Run, Sides};
use crate::cli::ExitCode;
use crate::config::{Action, Place};
use crate::confirm::{self, Target};
use crate::database::Database;
use crate::domain::key::Printable;
use crate::domain::removal::{Removals, Stopped};
use crate::domain::{Hold, Side, Time};
use crate::execute::{self, Sight, Site};
use crate::exit_code;
use crate::inspect::Inspected;
use crate::ledger::{Acting, Ledger, Rows};
use crate::lock::Lock;
use crate::plan::{self, Census, Limits, TableCensus};
use crate::publish::OutputFile;
use crate::report::{self, Format, Outcome, Report};

/// Trash that is due stays while any finding is held by one of these: they speak of a side that is behind, or of a table
/// that was forgotten.
const DOUBTS: [Hold; 3] = [Hold::NewerThanDatabase, Hold::NewerThanStorage, Hold::UnknownFolder];

impl Run<'_> {
    /// Plans, asks, removes, and reports.
    pub(super) async fn remove(
        &self,
        ledger: &mut Ledger,
        (lock, sides): (Lock, Sides),
        inspected: &Inspected,
        mut report: Report,
        output: Option<OutputFile>,
    ) -> Result<ExitCode> {
        let due_before = self.due_before();
        let found = self.census(ledger, &sides.database, inspected, due_before).await?;
        report.warnings.extend(plan::left_out_warnings(found.left_out));
        let census = self.limited(ledger, &found, &mut report).await?;
        report.later = found.findings().saturating_sub(census.findings());
        let limits = Limits::new(&self.config.safety, self.options.max_removals, self.options.max_percent);
        let plan = match plan::plan(&found, census, due_before, &inspected.totals, &inspected.doubts, limits) {
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
        let is_text = self.options.format == Format::Text;
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

        let mut removals = Removals { versions: sides.store.keeps_versions().await, ..Removals::default() };
        let Sides { database, store, advisory } = sides;
        let mut advisory = advisory.context("the lock in the database was not taken")?;
        let candidates = plan.census().files + plan.census().following_files;
        let mut site = Site {
            config: &self.config,
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
            owners: HashMap::new(),
            met: HashSet::new(),
            left: BTreeSet::new(),
            sight: Sight::new(&*store, candidates),
            at_once: execute::DELETE_BATCH,
            pace: execute::Pace::UntilStopped,
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
            // Each reason is told. What was wanted or had changed after all was rightly left.
            (Ok(()), None) if removals.removed() == 0 => {
                report.outcome = Outcome::Skipped;
                if removals.is_complete() { ExitCode::Done } else { ExitCode::Partial }
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

    /// Trash that was removed up to then is due.
    fn due_before(&self) -> Time {
        let keep = TimeDelta::from_std(self.config.trash.keep.0).unwrap_or(TimeDelta::MAX);
        Utc::now().checked_sub_signed(keep).unwrap_or_default()
    }

    /// What to say of due trash that stays because the database names what looks like it.
    pub(super) async fn trash_in_doubt(&self, ledger: &mut Ledger) -> Result<Option<String>> {
        let Some((count, key, value)) = ledger.due_in_doubt(self.due_before()).await? else { return Ok(None) };
        let (files, key, value) = (if count == 1 { "file" } else { "files" }, Printable(&key), Printable(&value));
        Ok(Some(format!(
            "{count} {files} of due trash stay, such as {key}: the database names {value}, which looks like it; \
             `cleanup-assets restore {key}` brings it back"
        )))
    }

    /// Counts what could be removed.
    pub(super) async fn census(
        &self,
        ledger: &mut Ledger,
        database: &Database,
        inspected: &Inspected,
        due_before: Time,
    ) -> Result<Census> {
        let left_out = ledger.plan_rows(&self.acting()).await?;
        let (files, file_bytes) = ledger.removable().await?;
        let (following_files, following_bytes) = ledger.following().await?;
        // A run that was narrowed does not reach for what it was not asked about.
        // Trash that is due may be wanted by what the database does not know.
        let is_doubtful = inspected.doubts.refuses_files() || ledger.has_held(&DOUBTS).await?;
        let (due_files, due_bytes) =
            if self.is_narrowed() || is_doubtful { (0, 0) } else { ledger.due(due_before).await? };
        let mut tables: Vec<TableCensus> = Vec::new();
        for Rows { kind, section, table, rows } in ledger.planned_counts().await? {
            let records = &self.config.records[section];
            let at = tables.iter().position(|census| census.table == table).unwrap_or(tables.len());
            if at == tables.len() {
                let is_refused = inspected.doubts.obstacles.iter().any(|(refused, _)| *refused == table);
                let cascade = match is_refused {
                    true => None,
                    false => database.reach_of_deletes(section).await.context("the database")?,
                };
                // Two sections of one table are two keys of the same rows.
                let same =
                    || self.config.records.iter().zip(&inspected.tables).filter(|(other, _)| other.name == table);
                let of = same().map(|(_, rows)| *rows).max().unwrap_or(0);
                let allow_cascade = same().all(|(other, _)| other.allow_cascade);
                tables.push(TableCensus { table, of, cascade, allow_cascade, ..TableCensus::default() });
            }
            add_rows(&mut tables[at], records.action(&kind), rows);
        }
        let mut census = Census {
            files,
            file_bytes,
            following_files,
            following_bytes,
            tables,
            due_files,
            due_bytes,
            left_out,
            readings: 0,
        };
        if database.streams_again() {
            // Once before and once after the removal of each window.
            let rows = if following_files > 0 { census.rows() } else { 0 };
            let windows = [(files, execute::WINDOW), (rows, execute::rows::STREAMED_WINDOW)];
            census.readings = windows.iter().map(|(count, window)| 2 * count.div_ceil(*window as u64)).sum();
        }
        Ok(census)
    }

    /// What of `found` this run removes: all, or with `--limit` only so much.
    async fn limited(&self, ledger: &mut Ledger, found: &Census, report: &mut Report) -> Result<Census> {
        let mut census = found.clone();
        let Some(limit) = self.options.limit.filter(|limit| *limit < found.findings()) else { return Ok(census) };
        if let Some(rows) = ledger.limit_plan(limit).await? {
            report.warnings.push(format!(
                "{rows} findings belong together, as one file follows all of them, and --limit {limit} lets none of them go: \
                 they stay until a run has a limit of {rows} or more"
            ));
        }
        (census.files, census.file_bytes) = ledger.removable().await?;
        (census.following_files, census.following_bytes) = ledger.following().await?;
        census.tables.iter_mut().for_each(|table| (table.deleted, table.updated) = (0, 0));
        for Rows { kind, section, table, rows } in ledger.planned_counts().await? {
            if let Some(census) = census.tables.iter_mut().find(|census| census.table == table) {
                add_rows(census, self.config.records[section].action(&kind), rows);
            }
        }
        Ok(census)
    }

    /// The sections and kinds of which rows are removed, and not only reported.
    pub(super) fn acting(&self) -> Vec<Acting<'_>> {
        let mut acting = Vec::new();
        for (section, records) in self.config.records.iter().enumerate() {
            let built_in = self.kinds.iter().filter(|kind| kind.rule().is_none() && kind.side() == Side::Row);
            let built_in = built_in.map(|kind| (kind.name(), records.action(kind)));
            let rules = records.rules.iter().map(|rule| (&*rule.name, &rule.then));
            let all = built_in.chain(rules).filter(|(_, action)| **action != Action::Report);
            acting.extend(all.map(|(kind, action)| Acting { section, kind, deletes: *action == Action::Delete }));
        }
        acting
    }

    /// The run's own folder in the trash.
    fn trash_folder(&self) -> Option<String> {
        let trash = &self.config.trash;
        trash.enabled.then(|| format!("{}{}/", trash.beginning(), ulid::Ulid::generate()))
    }

    fn target<'a>(&'a self, report: &'a Report) -> Target<'a> {
        let trash = &self.config.trash;
        Target {
            name: match &self.config.storage.place {
                Place::S3 { bucket, .. } => bucket.clone(),
                Place::Local { root, .. } => {
                    let root = root.canonicalize().unwrap_or_else(|_| root.clone());
                    root.file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned())
                }
            },
            storage: &report.storage_address,
            database: report
                .databases
                .iter()
                .fold(report.database_address.clone(), |all, other| format!("{all}, {} {}", other.name, other.address)),
            trash: trash.enabled.then_some(trash.beginning()),
        }
    }
}

/// Counts rows as what a run does to them.
fn add_rows(table: &mut TableCensus, action: &Action, rows: u64) {
    match action {
        Action::Delete => table.deleted += rows,
        Action::Set(_) => table.updated += rows,
        Action::Report => {}
    }
}
