//! The log, on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

use super::Global;
use super::global::{Color, LogFormat};

/// Logs what the options ask for from here on.
pub fn to_stderr(options: &Global) {
    let colour = match options.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter(options.verbose, options.quiet)).with_writer(stderr);
    let log = log.with_ansi(colour).with_target(false);
    match options.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

fn filter(verbose: u8, quiet: bool) -> EnvFilter {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        EnvFilter::new(match verbose {
            // What is worth a word stands in the report, if there is one.
            0 if quiet => "error",
            0 => "warn",
            1 => "warn,cleanup_assets=info",
            2 => "info,cleanup_assets=debug",
            _ => "debug",
        })
    });
    // sqlx warns of parameters of a URL with their values, which may be secrets.
    match "sqlx=error".parse() {
        Ok(quiet) => filter.add_directive(quiet),
        Err(_) => filter,
    }
}
