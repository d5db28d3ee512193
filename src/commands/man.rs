//! `cleanup-assets man`: the manual page, made of what `--help` says of the program and of each command.

use std::io::Write;

use anyhow::Result;
use clap::Args;
use clap_mangen::Man;

use crate::cli::{self, ExitCode};

/// Print the manual page
#[derive(Debug, Args)]
pub struct Arguments {}

/// Prints the page.
pub fn run(_: Arguments) -> Result<ExitCode> {
    Ok(cli::print(&page()?).map(|()| ExitCode::Done)?)
}

fn page() -> Result<String> {
    let (program, mut page) = (super::program(), Vec::new());
    let commands: Vec<_> = program.get_subcommands().cloned().collect();
    let man = Man::new(program);
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    writeln!(page, ".SH COMMANDS")?;
    for command in commands {
        let name = format!("cleanup-assets {}", command.get_name());
        let mut command = command.bin_name(name).disable_help_flag(true);
        let usage = command.render_usage().to_string();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        write_command(&mut page, usage.trim_start_matches("Usage: "), &about, &Man::new(command))?;
    }
    writeln!(page, ".SH \"EXIT STATUS\"")?;
    for code in ExitCode::ALL {
        writeln!(page, ".TP\n\\fB{}\\fR\n{}", code.number(), escaped(code.meaning()))?;
    }
    man.render_version_section(&mut page)?;
    // Each section comes with a head of its own; a page has one.
    let page = String::from_utf8(page)?;
    Ok(format!("{HEAD}{}", page.replace(HEAD, "")))
}

/// What makes an apostrophe one, in every roff.
const HEAD: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// What a command is for, and its own options.
fn write_command(page: &mut Vec<u8>, usage: &str, about: &str, man: &Man) -> Result<()> {
    writeln!(page, ".SS \"{}\"\n{}", escaped(usage), escaped(about))?;
    let mut options = Vec::new();
    man.render_options_section(&mut options)?;
    let options = String::from_utf8(options)?;
    Ok(page.write_all(options.replace(".SH OPTIONS\n", "").as_bytes())?)
}

/// Text in which roff takes nothing for its own.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('-', "\\-")
}
