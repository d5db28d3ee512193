//! Where a run is held to be killed: before or after a step, at the how-manieth of its kind.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::process::Process;
use super::scene::{Scene, TRASH};
use crate::support::s3::{Call, Fault, Gate, Seen, What};
use crate::support::tool::Tool;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Before,
    /// The step is taken, and the tool does not know it yet.
    After,
}

#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A commit of the ledger or a step in a folder: one of the binary's failpoints.
    Failpoint(&'static str),
    /// A call of this kind, whatever it is about.
    Any(Call),
    CopyToTrash,
    CopyFromTrash,
    /// One DeleteObjects, whatever keys it names.
    DeleteMany,
    /// DeleteObject, of a file at its place.
    Delete,
    /// DeleteObject, of a copy in the trash.
    DeleteInTrash,
}

/// A step, and the how-manieth of it are its first and its last item.
pub type Row = (Step, &'static [usize]);

/// Runs `cell` before and after each of these steps, at each of their items.
pub fn at_each(name: &str, rows: &[Row], cell: impl Fn(Hold)) {
    let mut cells = 0;
    for (step, items) in rows {
        for moment in [Moment::Before, Moment::After] {
            for nth in *items {
                cell(Hold { step: *step, moment, nth: *nth });
                cells += 1;
            }
        }
    }
    say_run(cells, name);
}

/// Prints how many cells were run; not with `println!`, which a test that passes keeps to itself.
pub fn say_run(cells: usize, name: &str) {
    static SO_FAR: AtomicUsize = AtomicUsize::new(0);

    let so_far = SO_FAR.fetch_add(cells, Ordering::Relaxed) + cells;
    writeln!(io::stdout(), "killed: {cells} cells, {name}; {so_far} so far").expect("standard output");
}

/// One step at one moment; `nth` counts from 1.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    pub step: Step,
    pub moment: Moment,
    pub nth: usize,
}

impl Hold {
    /// Runs the tool until it is held there, and kills it.
    pub fn kill(self, scene: &Scene, arguments: &[&str]) {
        if let Step::Failpoint(_) = self.step {
            return self.kill_at_failpoint(&scene.tool, arguments, &scene.name());
        }
        println!("held {:?} {:?}, number {}", self.moment, self.step, self.nth);
        let gate = Gate::default();
        scene.server().fault(self.fault(&gate));
        Process::start(&scene.tool, arguments, &[], &scene.name()).kill_once(|| gate.is_reached());
        scene.server().no_more_faults();
    }

    /// The same with any tool, to which `typed` confirms, at one of the binary's failpoints.
    pub fn kill_at_failpoint(self, tool: &Tool, arguments: &[&str], typed: &str) {
        println!("held {:?} {:?}, number {}", self.moment, self.step, self.nth);
        let Step::Failpoint(name) = self.step else { panic!("{:?} is no failpoint", self.step) };
        let marker = tool.path("held");
        // A scene can be held more than once.
        if marker.exists() {
            fs::remove_file(&marker).expect("the marker of the hold before");
        }
        let moment = if self.moment == Moment::Before { "before" } else { "after" };
        let hold = OsString::from(format!("{name}:{moment}:{}", self.nth));
        let environment =
            [("CLEANUP_ASSETS_HOLD", hold), ("CLEANUP_ASSETS_HOLD_FILE", marker.clone().into_os_string())];
        Process::start(tool, arguments, &environment, typed).kill_once(|| marker.exists());
    }

    fn fault(self, gate: &Gate) -> Fault {
        let in_trash = |seen: &Seen| seen.key.starts_with(TRASH);
        let what = match self.moment {
            Moment::Before => What::HoldBefore(gate.clone()),
            Moment::After => What::HoldAfterwards(gate.clone()),
        };
        let fault = match self.step {
            Step::Any(call) => Fault::on(call, what),
            Step::CopyToTrash => Fault::on(Call::Copy, what).when(in_trash),
            Step::CopyFromTrash => Fault::on(Call::Copy, what).when(move |seen| !in_trash(seen)),
            Step::DeleteMany => Fault::on(Call::DeleteMany, what),
            Step::Delete => Fault::on(Call::Delete, what).when(move |seen| !in_trash(seen)),
            Step::DeleteInTrash => Fault::on(Call::Delete, what).when(in_trash),
            Step::Failpoint(name) => unreachable!("{name} is held by the binary"),
        };
        fault.after(self.nth - 1).times(1)
    }
}
