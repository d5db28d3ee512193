//! The commands: each has one file with its arguments and its function, one line in [`Command`] and one arm in [`run`].
//! Without one the program compares ([`cleanup`]).

mod cleanup;
mod completions;
mod demo;
mod history;
mod man;
mod restore;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};

use crate::cli::{ExitCode, Global};

/// Finds the files and database records that have lost each other. Without a command it compares, reports, and changes
/// nothing; with --execute it asks, and removes.
#[derive(Debug, Parser)]
#[command(name = "cleanup-assets", version, after_help = ExitCode::help(), max_term_width = 100)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    cleanup: cleanup::Arguments,
    #[command(flatten)]
    pub global: Global,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Arguments),
    History(history::Arguments),
    Restore(restore::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// The program as clap knows it, for what is made of it.
fn program() -> clap::Command {
    CommandLine::command()
}

/// Does what was typed.
pub async fn run(CommandLine { command, cleanup, global }: CommandLine) -> Result<ExitCode> {
    match command {
        None => cleanup::run(cleanup, &global).await,
        Some(Command::Demo(arguments)) => demo::run(arguments, &global).await,
        Some(Command::History(arguments)) => history::run(arguments, &global).await,
        Some(Command::Restore(arguments)) => restore::run(arguments, &global).await,
        Some(Command::Completions(arguments)) => completions::run(arguments),
        Some(Command::Man(arguments)) => man::run(arguments),
    }
}
