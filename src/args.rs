//! What can be typed, and nothing else: below this room nobody knows clap.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{exit_code, report};

/// Finds the files and database records that have lost each other. Without a command it compares, reports, and changes
/// nothing; with --execute it asks, and removes.
#[derive(Debug, Parser)]
#[command(name = "cleanup-assets", version, about, after_help = exit_code::HELP, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub options: Options,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a small SQLite application with uploads, and run the dry run on it
    Demo {
        /// A new or empty folder
        #[arg(default_value = "cleanup-assets-demo")]
        dir: PathBuf,
    },
    /// List past runs, or show one
    History {
        /// The number of a run
        run: Option<i64>,
    },
    /// Bring back what a run trashed, and the rows that it removed; nothing is overwritten
    Restore {
        /// Everything that this run removed
        #[arg(long, value_name = "RUN", required_unless_present = "keys", conflicts_with = "keys")]
        run: Option<i64>,
        /// These keys
        #[arg(value_name = "KEY")]
        keys: Vec<String>,
    },
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    Man,
}

/// Options that stand before or after a command.
#[derive(Debug, Clone, Default, Args)]
pub struct Options {
    /// The configuration; else ./config.toml, $XDG_CONFIG_HOME/cleanup-assets/config.toml or
    /// /etc/cleanup-assets/config.toml
    #[arg(short, long, global = true, value_name = "FILE", env = "CLEANUP_ASSETS_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Remove what is found, after a typed confirmation
    #[arg(long, global = true, conflicts_with = "check")]
    pub execute: bool,
    /// Act on, and report, only what FILE names: a report in JSON or CSV, or a list of keys
    #[arg(long, global = true, value_name = "FILE")]
    pub only: Option<PathBuf>,
    /// Compare only keys that begin with PREFIX, inside the configured prefix
    #[arg(long, global = true, value_name = "PREFIX")]
    pub prefix: Option<String>,
    /// Report only findings of this kind: orphaned-file, orphaned-record or a rule's name; repeatable
    #[arg(long = "kind", global = true, value_name = "KIND")]
    pub kinds: Vec<String>,
    /// The format of the report on standard output
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// Also write the report to FILE; its extension (.txt, .json, .csv) gives the format
    #[arg(short, long, global = true, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Act on up to N findings in this run
    #[arg(long, global = true, value_name = "N")]
    pub max_removals: Option<u64>,
    /// Remove up to P percent of the files, and of each table's rows, in this run
    #[arg(long, global = true, value_name = "P", value_parser = percent)]
    pub max_percent: Option<f64>,
    /// Exit with 10 when there is any finding that is not held: for CI
    #[arg(long, global = true)]
    pub check: bool,
    /// Print the report only when there is something to report
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Log more on standard error; repeatable. RUST_LOG, where it is set, decides
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// The format of the log on standard error
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// Colours in the log; NO_COLOR is honoured
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
    /// Show no progress, even on a terminal
    #[arg(long, global = true)]
    pub no_progress: bool,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("a percentage from 0 to 100".to_owned()),
    }
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
    Csv,
}

impl From<Format> for report::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => report::Format::Text,
            Format::Json => report::Format::Json,
            Format::Csv => report::Format::Csv,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}
