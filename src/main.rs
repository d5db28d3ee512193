//! Parse, log, run, and say how it ended.

use std::io::{IsTerminal, stderr};

use clap::Parser;
use cleanup_assets::args::{Arguments, Color, LogFormat, Options};
use cleanup_assets::domain::key::Printable;
use cleanup_assets::exit_code::{self, ExitCode};
use tracing_subscriber::EnvFilter;

fn main() -> std::process::ExitCode {
    share_the_heap();
    let arguments = Arguments::parse();
    log_to_stderr(&arguments.options);
    let code = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(cleanup_assets::run(arguments)).unwrap_or_else(|error| {
            eprintln!("error: {}", Printable(&exit_code::sentence(&error)));
            exit_code::of_error(&error)
        }),
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            ExitCode::Failed
        }
    };
    code.into()
}

/// glibc gives each thread a heap of its own, and what one frees the others cannot use: two heaps take a fifth less memory
/// at their peak than eight, and no more time.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn share_the_heap() {
    // SAFETY: no other thread runs yet; it changes a number in the allocator.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 2) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn share_the_heap() {}

fn log_to_stderr(options: &Options) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        EnvFilter::new(match options.verbose {
            0 => "warn",
            1 => "warn,cleanup_assets=info",
            2 => "info,cleanup_assets=debug",
            _ => "debug",
        })
    });
    // sqlx warns of parameters of a URL with their values, which may be secrets.
    let filter = match "sqlx=error".parse() {
        Ok(quiet) => filter.add_directive(quiet),
        Err(_) => filter,
    };
    let colour = match options.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(colour).with_target(false);
    match options.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
