//! The tool at a real terminal: a pseudo-terminal on its standard input and standard error, its report in a file, as
//! somebody has it who types `cleanup-assets --execute > report`.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use rexpect::process::WaitStatus;
use rexpect::reader::Options;
use rexpect::session::PtySession;
use rexpect::{ReadUntil, spawn_with_options};

use super::servers::unique_name;
use super::tool::{Outcome, Tool};

/// How every prompt ends.
const PROMPT: &str = " to confirm: ";
/// Longer than any run of the tests, so that only a run that hangs meets it.
const PATIENCE_MS: u64 = 300_000;

/// The tool under way at its terminal.
pub struct Terminal {
    session: PtySession,
    report: PathBuf,
    /// What the terminal has shown so far.
    pub shown: String,
    ended: bool,
}

/// Runs the tool at a terminal and types `word` where it asks for one; gives how it ended, with all that the terminal
/// showed as its standard error.
pub fn run(tool: &Tool, arguments: &[&str], word: &str) -> Outcome {
    let mut terminal = Terminal::start(tool, arguments);
    match terminal.prompt() {
        true => terminal.answer(word),
        false => terminal.end(),
    }
}

/// Runs the tool at a terminal and expects it to ask for nothing.
pub fn run_without_prompt(tool: &Tool, arguments: &[&str]) -> Outcome {
    let mut terminal = Terminal::start(tool, arguments);
    assert!(!terminal.prompt(), "there is a prompt: {}", terminal.shown);
    terminal.end()
}

impl Terminal {
    pub fn start(tool: &Tool, arguments: &[&str]) -> Terminal {
        Terminal::start_after(tool, arguments, ":")
    }

    /// The same after a line of shell, which may set limits for the tool.
    pub fn start_after(tool: &Tool, arguments: &[&str], line: &str) -> Terminal {
        let report = tool.path(&unique_name('-'));
        let plain = tool.command(arguments);
        // The pseudo-terminal takes the place of all three streams; the shell sends the report past it.
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &format!("{line}\nexec \"$0\" \"$@\" >\"$REPORT\"")])
            .arg(plain.get_program())
            .args(plain.get_args());
        command.current_dir(tool.home()).env_clear().env("REPORT", &report).env("TERM", "xterm");
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let options = Options::default().timeout_ms(Some(PATIENCE_MS)).strip_ansi_escape_codes(true);
        let session = spawn_with_options(command, options).expect("a pseudo-terminal");
        Terminal { session, report, shown: String::new(), ended: false }
    }

    /// Waits until the tool asks for a word; false where it comes to its end without.
    pub fn prompt(&mut self) -> bool {
        let needles = vec![ReadUntil::String(PROMPT.to_owned()), ReadUntil::EOF];
        let (before, found) = self.session.exp_any(needles).unwrap_or_else(|e| panic!("{e}: {}", self.shown));
        self.shown += &in_utf8(&before);
        self.shown += &found;
        self.ended = !found.ends_with(PROMPT);
        !self.ended
    }

    /// Types `word` and waits for the end.
    pub fn answer(mut self, word: &str) -> Outcome {
        self.type_line(word);
        self.end()
    }

    pub fn type_line(&mut self, word: &str) {
        self.session.send_line(word).expect("the terminal takes a line");
    }

    /// What presses Ctrl-C, also from elsewhere, such as from a hook of the server.
    pub fn ctrl_c(&self) -> impl Fn() + Send + Sync + 'static {
        let keyboard: File = self.session.process().get_file_handle().expect("the terminal's keyboard");
        let keyboard = Mutex::new(keyboard);
        move || keyboard.lock().expect("the keyboard").write_all(&[3]).expect("the terminal takes Ctrl-C")
    }

    /// Presses Ctrl-D at the beginning of a line, which is the end of the input.
    pub fn end_of_input(&mut self) {
        self.session.send_control('d').expect("the terminal takes Ctrl-D");
    }

    /// Waits for the end.
    pub fn end(mut self) -> Outcome {
        if !self.ended {
            let rest = self.session.exp_eof().unwrap_or_else(|e| panic!("{e}: {}", self.shown));
            self.shown += &in_utf8(&rest);
        }
        let code = match self.session.process().wait().expect("the tool ends") {
            WaitStatus::Exited(_, code) => code,
            _ => -1,
        };
        Outcome {
            code,
            stdout: std::fs::read_to_string(&self.report).expect("a report in UTF-8"),
            stderr: std::mem::take(&mut self.shown),
        }
    }
}

/// rexpect reads bytes and gives each as a character of its own.
fn in_utf8(read: &str) -> String {
    let bytes: Vec<u8> = read.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
