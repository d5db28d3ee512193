//! The options that stand before and after every command. What only some commands act on stands beside those.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The configuration; else ./config.toml, $XDG_CONFIG_HOME/cleanup-assets/config.toml or
    /// /etc/cleanup-assets/config.toml
    #[arg(short, long, global = true, value_name = "FILE", env = "CLEANUP_ASSETS_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Print the report only when it has news: a finding that is new or may be removed, a run that would be refused, or
    /// counts that changed
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
