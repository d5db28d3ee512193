//! `cleanup-assets` without a command: what can be typed for the comparison, and for the removal that `--execute` adds.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::cli::{ExitCode, Global, ReportFormat};
use crate::maintain::{Options, maintain};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Remove what is found, after a typed confirmation
    #[arg(long, conflicts_with = "check")]
    execute: bool,
    /// Act on, and report, only what FILE names: a report in JSON or CSV, or a list of keys
    #[arg(long, value_name = "FILE")]
    only: Option<PathBuf>,
    /// Compare only keys that begin with PREFIX, inside the configured prefix
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// Report only findings of this kind: orphaned-file, orphaned-record or a rule's name; repeatable
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    #[command(flatten)]
    reporting: Reporting,
    /// Remove at most N findings, those first seen longest ago; the others stay for the next run
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    limit: Option<u64>,
    /// Refuse to remove more than N findings, instead of [safety] max_removals
    #[arg(long, value_name = "N")]
    max_removals: Option<u64>,
    /// Refuse to remove more than P percent of the files, or of a table's rows, instead of [safety] max_percent
    #[arg(long, value_name = "P", value_parser = percent)]
    max_percent: Option<f64>,
    /// Take the database for right as it is now, though it seems to have gone back; needs a run that is not narrowed
    #[arg(long, conflicts_with_all = ["only", "prefix", "kinds"])]
    accept_database: bool,
}

/// How a comparison tells what it found.
#[derive(Debug, Args)]
pub struct Reporting {
    /// The format of the report on standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: ReportFormat,
    /// Also write the report to FILE; its extension (.txt, .json, .csv) gives the format
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Exit with 10 when there is any finding that is not held: for CI
    #[arg(long)]
    pub check: bool,
}

fn at_least_one(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err("a number from 1 on".to_owned()),
    }
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("a percentage from 0 to 100".to_owned()),
    }
}

/// Compares and reports; with `--execute`, removes what is confirmed.
pub async fn run(arguments: Arguments, global: &Global) -> Result<ExitCode> {
    let Arguments { execute, only, prefix, kinds, reporting, limit, max_removals, max_percent, accept_database } =
        arguments;
    let options = Options {
        execute,
        only,
        prefix,
        kinds,
        limit,
        max_removals,
        max_percent,
        accept_database,
        ..dry_run(global.config.clone(), reporting, global)
    };
    maintain(&options).await
}

/// A comparison of everything, which only reports.
pub fn dry_run(config: Option<PathBuf>, reporting: Reporting, global: &Global) -> Options {
    Options {
        config,
        execute: false,
        only: None,
        prefix: None,
        kinds: Vec::new(),
        format: reporting.format.into(),
        output: reporting.output,
        limit: None,
        max_removals: None,
        max_percent: None,
        accept_database: false,
        check: reporting.check,
        quiet: global.quiet,
        no_progress: global.no_progress,
    }
}
