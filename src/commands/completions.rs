//! `cleanup-assets completions SHELL`: what a shell needs to complete what is typed.

use anyhow::Result;
use clap::Args;
use clap_complete::Shell;

use crate::cli::{self, ExitCode};

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub struct Arguments {
    shell: Shell,
}

/// Prints the script.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::program(), "cleanup-assets", &mut script);
    Ok(cli::print(&String::from_utf8(script)?).map(|()| ExitCode::Done)?)
}
