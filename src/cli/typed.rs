//! Reads what was typed. clap knows which options a command has; what it would not say well is said here: an option of
//! the program itself that was typed with a command, or an option of a command that was typed before it.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, Error, Parser};

/// What was typed; help, the version and wrong usage end the program here.
pub fn read<T: Parser>() -> T {
    let words: Vec<OsString> = std::env::args_os().collect();
    let mut program = T::command();
    let matches = program.try_get_matches_from_mut(&words);
    let read = matches.map_err(|error| explained(error, &program, &words)).and_then(|matches| {
        refuse_before_a_command(&program, &matches)?;
        T::from_arg_matches(&matches).map_err(|error| error.format(&mut program))
    });
    read.unwrap_or_else(|error| error.exit())
}

/// Options that are not global and stand before a command are lost on it: they are refused, and not ignored.
fn refuse_before_a_command(program: &Command, matches: &ArgMatches) -> Result<(), Error> {
    let Some(command) = matches.subcommand_name() else { return Ok(()) };
    let typed = |option: &&Arg| matches.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine);
    match own_options(program).find(typed) {
        Some(option) => Err(misplaced(program, command, option)),
        None => Ok(()),
    }
}

/// The same for such an option after a command, which does not know it.
fn explained(error: Error, program: &Command, words: &[OsString]) -> Error {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else { return error };
    let option = own_options(program).find(|option| error.kind() == ErrorKind::UnknownArgument && is(option, typed));
    let matches = program.clone().ignore_errors(true).try_get_matches_from(words);
    match (option, matches.as_ref().ok().and_then(ArgMatches::subcommand_name)) {
        (Some(option), Some(command)) => misplaced(program, command, option),
        _ => error,
    }
}

/// The options of the program itself, but for the help and the version.
fn own_options(program: &Command) -> impl Iterator<Item = &Arg> {
    let acts = |option: &Arg| !matches!(option.get_id().as_str(), "help" | "version");
    program.get_arguments().filter(move |option| option.get_long().is_some() && !option.is_global_set() && acts(option))
}

fn is(option: &Arg, typed: &str) -> bool {
    option.get_long().is_some_and(|long| typed.strip_prefix("--") == Some(long))
        || option.get_short().is_some_and(|short| typed.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4])))
}

/// The error for an option of the program itself that was typed with a command.
fn misplaced(program: &Command, command: &str, option: &Arg) -> Error {
    let name = option.get_long().unwrap_or_default();
    let mut program = program.clone();
    program.build();
    let Some(command) = program.find_subcommand_mut(command) else {
        return program.error(ErrorKind::UnknownArgument, format!("--{name} does not go with {command}"));
    };
    let (of, takes) = (command.get_name().to_owned(), command.get_arguments().any(|own| own.get_long() == Some(name)));
    let sentence = match takes {
        true => format!("--{name} stands before `{of}`; write it after: cleanup-assets {of} --{name}"),
        false => format!("--{name} belongs to the comparison, which has no command; `{of}` does not take it"),
    };
    command.error(ErrorKind::ArgumentConflict, sentence)
}
