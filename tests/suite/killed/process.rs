//! The tool at a terminal where somebody has already typed the name that it will ask for. Its report and its log go to
//! files, which no run can fill up and wait for.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

use crate::support::tool::{Outcome, Tool};

/// No run of these tests takes longer, on a machine that is busy with the whole suite.
const PATIENCE: Duration = Duration::from_secs(120);
const TICK: Duration = Duration::from_millis(2);

pub struct Process<'t> {
    tool: &'t Tool,
    child: Child,
    /// The terminal's other end: it hangs up when this is dropped.
    _keyboard: File,
}

impl<'t> Process<'t> {
    /// Starts the tool at a terminal, with `typed` and Enter on its way.
    pub fn start(tool: &'t Tool, arguments: &[&str], environment: &[(&str, OsString)], typed: &str) -> Process<'t> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let keyboard = openpt(flags).expect("a terminal");
        grantpt(&keyboard).and_then(|()| unlockpt(&keyboard)).expect("the terminal is ours");
        let terminal = ioctl_tiocgptpeer(&keyboard, flags).expect("the terminal's other end");
        let mut keyboard = File::from(keyboard);
        writeln!(keyboard, "{typed}").expect("a typed line");
        let output = |name| File::create(tool.path(name)).expect("a file for the output");
        let mut command = tool.command(arguments);
        command.stdin(Stdio::from(terminal)).stdout(output("stdout")).stderr(output("stderr"));
        let child = command.envs(environment.iter().cloned()).spawn().expect("the tool starts");
        Process { tool, child, _keyboard: keyboard }
    }

    /// Waits until `is_held`, and kills the tool there and then.
    pub fn kill_once(mut self, is_held: impl Fn() -> bool) {
        let ended = self.wait_for(&is_held);
        if ended && !is_held() {
            panic!("the run ended before it was held: {:#?}", self.outcome());
        }
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("an end");
    }

    /// Waits for the tool to end by itself.
    pub fn end(mut self) -> Outcome {
        self.wait_for(&|| false);
        self.outcome()
    }

    /// Whether the tool ended before `is_held`.
    fn wait_for(&mut self, is_held: &dyn Fn() -> bool) -> bool {
        let started = Instant::now();
        loop {
            if is_held() {
                return false;
            }
            if self.child.try_wait().expect("a child").is_some() {
                return true;
            }
            if started.elapsed() > PATIENCE {
                self.child.kill().expect("SIGKILL");
                panic!("after {PATIENCE:?} the run was neither held nor at its end: {:#?}", self.outcome());
            }
            sleep(TICK);
        }
    }

    fn outcome(&mut self) -> Outcome {
        let code = self.child.wait().expect("an end").code().unwrap_or(-1);
        let read = |name| fs::read_to_string(self.tool.path(name)).expect("the output in UTF-8");
        Outcome { code, stdout: read("stdout"), stderr: read("stderr") }
    }
}
