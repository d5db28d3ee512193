//! The tool at a terminal where somebody has already typed the name that it will ask for. Its report and its log go to
//! files, which no run can fill up and wait for.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rexpect::process::{PtyProcess, Signal, WaitStatus};

use crate::support::tool::{Outcome, Tool};

/// No run of these tests takes longer, on a machine that is busy with the whole suite.
const PATIENCE: Duration = Duration::from_secs(120);
const TICK: Duration = Duration::from_millis(2);

pub struct Process<'t> {
    tool: &'t Tool,
    process: PtyProcess,
}

impl<'t> Process<'t> {
    /// Starts the tool at a terminal, with `typed` and Enter on its way.
    pub fn start(tool: &'t Tool, arguments: &[&str], environment: &[(&str, OsString)], typed: &str) -> Process<'t> {
        let plain = tool.command(arguments);
        // The pseudo-terminal takes the place of all three streams; the shell leaves it the first, and turns into the tool.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "exec \"$0\" \"$@\" >stdout 2>stderr"]).arg(plain.get_program()).args(plain.get_args());
        command.current_dir(tool.home()).env_clear().envs(environment.iter().cloned());
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let process = PtyProcess::new(command).expect("the tool at a pseudo-terminal");
        let mut keyboard = process.get_file_handle().expect("the terminal's keyboard");
        writeln!(keyboard, "{typed}").expect("the terminal takes a line");
        Process { tool, process }
    }

    /// Waits until `is_held`, and kills the tool there and then.
    pub fn kill_once(mut self, is_held: impl Fn() -> bool) {
        if let Some(code) = self.wait_for(&is_held) {
            panic!("the run ended before it was held: {:#?}", self.outcome(code));
        }
        self.kill();
    }

    /// Waits for the tool to end by itself.
    pub fn end(mut self) -> Outcome {
        let code = self.wait_for(&|| false).expect("an end, since it is never held");
        self.outcome(code)
    }

    /// The tool's exit code, where it ended before `is_held`.
    fn wait_for(&mut self, is_held: &dyn Fn() -> bool) -> Option<i32> {
        let started = Instant::now();
        while !is_held() {
            match self.process.status().expect("the tool's status") {
                WaitStatus::StillAlive => {}
                WaitStatus::Exited(_, code) => return Some(code),
                _ => return Some(-1),
            }
            if started.elapsed() > PATIENCE {
                self.kill();
                panic!("after {PATIENCE:?} the run was neither held nor at its end: {:#?}", self.outcome(-1));
            }
            sleep(TICK);
        }
        None
    }

    fn kill(&mut self) {
        self.process.signal(Signal::SIGKILL).expect("SIGKILL");
        let ended = self.process.wait().expect("an end");
        assert!(matches!(ended, WaitStatus::Signaled(_, Signal::SIGKILL, _)), "{ended:?}");
    }

    fn outcome(&self, code: i32) -> Outcome {
        let read = |name| fs::read_to_string(self.tool.path(name)).expect("the output in UTF-8");
        Outcome { code, stdout: read("stdout"), stderr: read("stderr") }
    }
}
