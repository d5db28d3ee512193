//! What breaks on each call while a run removes: {500, 503, reset before and after the call took effect, a truncated
//! answer, an empty 200, 403, 200 with errors inside, a key in neither list} × {list, head, copy, delete, delete-many}
//! × {once, for ever} × {to the trash, for good} × {few files, many close together, many far apart}: the first and the last
//! are looked at one by one, the others by listing. Timeouts, which take a minute each, have a test of their own.
//!
//! Whatever happens: nothing wanted is touched, no orphan is in neither place, the exit code tells the truth, report,
//! history and store agree, and a run without faults converges.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use serde_json::Value;

use super::scene::{Scene, bytes_of};
use crate::support::s3::{Call, Fault, What};
use crate::support::terminal::Terminal;
use crate::support::tool::Outcome;

/// Cells worked on at once: most of their time they wait.
const AT_ONCE: usize = 6;

/// One application and one fault.
#[derive(Clone, Debug)]
struct Cell {
    call: Call,
    what: What,
    /// How often the fault is played; for ever where `None`.
    times: Option<usize>,
    trash: bool,
    lie: Lie,
}

/// How the orphaned files lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    Few,
    /// Many in a page of the listing.
    Close,
    /// A few in each page.
    Far,
}

const LIES: [Lie; 3] = [Lie::Few, Lie::Close, Lie::Far];

/// Orphaned files where there are many: more than are looked at one by one in any case.
const MANY: usize = 45;

fn cells() -> Vec<Cell> {
    let anywhere = [
        What::Status(500, "InternalError"),
        What::Status(503, "SlowDown"),
        What::Status(403, "AccessDenied"),
        What::Reset,
        What::ResetAfterwards,
        What::ResetInBody,
        What::HalfBody,
        What::EmptyBody,
        What::EmptyBodyInstead,
    ];
    let of_many = [What::ErrorsInside, What::NoKeyNamed];
    let mut cells = Vec::new();
    for call in [Call::List, Call::Head, Call::Copy, Call::Delete, Call::DeleteMany] {
        let more = if call == Call::DeleteMany { &of_many[..] } else { &[] };
        for what in anywhere.iter().chain(more) {
            for times in [Some(1), None] {
                for trash in [true, false] {
                    for lie in LIES {
                        cells.push(Cell { call, what: what.clone(), times, trash, lie });
                    }
                }
            }
        }
    }
    // What never ends is much the same whatever it is, and takes its time.
    let is_one_of_many = |what: &What| matches!(what, What::Status(403 | 500, _) | What::ResetAfterwards);
    cells.retain(|cell| cell.lie == Lie::Few || cell.times.is_some() || is_one_of_many(&cell.what));
    // Nothing is copied where there is no trash, and an answer without a body cannot be cut in it.
    let cuts_a_body = |cell: &Cell| {
        matches!(cell.what, What::ResetInBody | What::HalfBody | What::EmptyBody | What::EmptyBodyInstead)
    };
    cells.retain(|cell| cell.trash || cell.call != Call::Copy);
    cells.retain(|cell| !matches!(cell.call, Call::Head | Call::Delete) || !cuts_a_body(cell));
    cells
}

/// Three keys for DeleteObjects, or many, and one that must be deleted singly.
fn scene(trash: bool, lie: Lie) -> Scene {
    let mut scene = if lie == Lie::Few { Scene::on_s3() } else { Scene::many_on_s3(40, MANY) };
    if lie == Lie::Far {
        scene.server().page_size(20);
    }
    let single = "assets/000020-\u{1}.png";
    scene.put(single);
    scene.orphans.push(single.to_owned());
    scene.orphans.sort();
    let trash = if trash { "" } else { "[trash]\nenabled = false\n" };
    scene.configure(&format!("{trash}[safety]\nmax_percent = 100"));
    scene
}

impl Cell {
    /// Plays the cell, and gives how the faulty run ended. Listings are spoilt from the start where there are few files; where
    /// there are many, and the other calls, from the prompt on, so that the comparison comes to its end.
    fn play(&self) -> i32 {
        let scene = scene(self.trash, self.lie);
        let mut fault = Fault::on(self.call, self.what.clone());
        if let Some(times) = self.times {
            fault = fault.times(times);
        }
        let mut terminal = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
        let outcome = match self.call {
            Call::List if self.lie == Lie::Few => {
                // Before the tool has had the time to list.
                scene.server().fault(fault);
                match terminal.prompt() {
                    true => terminal.answer(scene.word()),
                    false => terminal.end(),
                }
            }
            _ => {
                assert!(terminal.prompt(), "{}", terminal.shown);
                scene.server().fault(fault);
                terminal.answer(scene.word())
            }
        };
        scene.server().no_more_faults();
        scene.expect_no_secret(&outcome);
        self.judge(&scene, &outcome);
        self.converge(&scene);
        outcome.code
    }

    /// Nothing is lost, and what the run says is so.
    fn judge(&self, scene: &Scene, outcome: &Outcome) {
        assert!([0, 1, 3, 12].contains(&outcome.code), "{outcome:#?}");
        assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
        scene.expect_wanted_untouched(40);
        let state = State::of(scene);
        let lost: Vec<&String> = state.nowhere().collect();
        assert!(!self.trash || lost.is_empty(), "neither in place nor in the trash: {lost:?}: {outcome:#?}");
        // An exit of 0 says that everything was removed, and what was removed wholly is no failure.
        let gone = state.places.values().filter(|place| !place.here).count();
        assert_eq!(
            outcome.code == 0,
            gone == scene.orphans.len() && state.is_tidy(self.trash),
            "{state:#?} {outcome:#?}"
        );

        let report = outcome.json();
        let run = &report["run"]["id"];
        let counted = count(&report, "files_trashed") + count(&report, "files_deleted");
        let settled = scene.removals(run);
        let said =
            |word: &str| settled.iter().filter(|(_, outcome)| *outcome == word).map(|(key, _)| key).collect::<Vec<_>>();
        let removed = if self.trash { said("trashed") } else { said("deleted") };
        assert!(removed.iter().all(|key| !state.places[*key].here), "said to be removed: {removed:?} {state:#?}");
        for key in [said("skipped"), said("failed")].concat() {
            assert!(state.places[key].here, "said to be left: {key} {state:#?}");
        }
        // What is open may be gone or not; everything else must be counted, and nothing else.
        let open = said("open").len();
        assert!(
            (removed.len()..=removed.len() + open).contains(&counted),
            "{counted} counted: {settled:#?} {outcome:#?}"
        );
        assert!(gone >= counted && gone <= counted + open, "{gone} are gone: {settled:#?} {outcome:#?}");
        if outcome.code == 0 {
            assert_eq!((counted, open), (scene.orphans.len(), 0), "{settled:#?}");
        }
        let history = scene.run(&["history", "--format", "json"]).json();
        assert_eq!(history["runs"][0]["removed"], counted, "{history:#}");
    }

    /// A run without faults removes what is left, and then ledger and store agree to the last key.
    fn converge(&self, scene: &Scene) {
        let second = scene.execute(&["--format", "json"]);
        assert_eq!(second.code, 0, "{second:#?}");
        let third = scene.run(&["--execute", "--format", "json"]);
        assert_eq!(third.code, 0, "nothing is left to be removed: {third:#?}");
        let state = State::of(scene);
        assert!(state.places.values().all(|place| !place.here) && state.is_tidy(self.trash), "{state:#?}");
        assert_eq!(state.nowhere().count(), if self.trash { 0 } else { scene.orphans.len() });
        let copies: usize = scene.orphans.iter().map(|key| scene.copies(key).len()).sum();
        assert_eq!(scene.everything().len(), 40 + copies, "nothing is left over");
        let words = scene.all_removals();
        let word = if self.trash { "trashed" } else { "deleted" };
        for key in &scene.orphans {
            let said = words.get(key).map(Vec::as_slice).unwrap_or_default();
            assert_eq!(said.iter().filter(|said| *said == word).count(), 1, "{key}: {said:?}");
            assert!(!said.iter().any(|said| said == "open"), "{key}: {said:?}");
        }
        scene.expect_wanted_untouched(40);
    }
}

fn count(report: &Value, name: &str) -> usize {
    report["removals"][name].as_u64().and_then(|count| usize::try_from(count).ok()).expect("a number")
}

/// Where each orphan is.
#[derive(Debug)]
struct State {
    places: BTreeMap<String, Place>,
}

#[derive(Debug)]
struct Place {
    here: bool,
    in_trash: bool,
}

impl State {
    fn of(scene: &Scene) -> State {
        let all = scene.everything();
        let place = |key: &String| {
            let copies = scene.copies(key);
            for place in copies.iter().chain([key]).filter(|place| all.contains_key(*place)) {
                assert_eq!(all[place], bytes_of(key).into_bytes(), "{place} is not whole");
            }
            (key.clone(), Place { here: all.contains_key(key), in_trash: !copies.is_empty() })
        };
        State { places: scene.orphans.iter().map(place).collect() }
    }

    fn nowhere(&self) -> impl Iterator<Item = &String> {
        self.places.iter().filter(|(_, place)| !place.here && !place.in_trash).map(|(key, _)| key)
    }

    /// Whether each orphan is in one place, the trash, or in none where there is no trash.
    fn is_tidy(&self, trash: bool) -> bool {
        self.places.values().all(|place| place.in_trash == trash)
    }
}

/// Plays every cell, several at once, and prints how many there were and how they ended.
fn play(cells: Vec<Cell>, at_once: usize) {
    let (next, total) = (AtomicUsize::new(0), cells.len());
    let codes: Mutex<BTreeMap<i32, usize>> = Mutex::default();
    let (failures, failed) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            let failures = failures.clone();
            scope.spawn(|| {
                let failures = failures;
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match std::panic::catch_unwind(|| cell.play()) {
                        Ok(code) => *codes.lock().expect("the codes").entry(code).or_default() += 1,
                        Err(_) => failures.send(format!("{cell:?}")).expect("somebody listens"),
                    }
                }
            });
        }
    });
    drop(failures);
    let failed: Vec<String> = failed.iter().collect();
    println!("{total} cells; ends by exit code: {:?}", codes.lock().expect("the codes"));
    assert!(failed.is_empty(), "{} of {total} cells failed:\n{}", failed.len(), failed.join("\n"));
}

/// Every fault on every call.
#[test]
fn no_fault_on_any_call_loses_a_file_or_tells_a_lie() {
    play(cells(), AT_ONCE);
}

/// A bare 200 to a HEAD says nothing of an object, and a bare 200 to a DELETE, which did nothing, is not its 204.
#[test]
fn an_empty_answer_is_none() {
    let mut cells = Vec::new();
    for (call, times, trash) in [Call::Head, Call::Delete].into_iter().flat_map(|call| {
        [(Some(1), true), (Some(1), false), (None, true), (None, false)].map(|(times, trash)| (call, times, trash))
    }) {
        for lie in LIES {
            cells.push(Cell { call, what: What::EmptyBodyInstead, times, trash, lie });
        }
    }
    play(cells, AT_ONCE);
}

/// A call that is not answered in time, before and after it took effect.
#[test]
#[ignore = "waits for timeouts of a minute: run tests/run"]
fn no_timeout_on_any_call_loses_a_file_or_tells_a_lie() {
    let time = Duration::from_secs(150);
    let mut cells = Vec::new();
    for call in [Call::List, Call::Head, Call::Copy, Call::Delete, Call::DeleteMany] {
        for what in [What::Delay(time), What::DelayAfterwards(time)] {
            for lie in LIES {
                cells.push(Cell { call, what: what.clone(), times: Some(1), trash: true, lie });
            }
        }
    }
    let at_once = cells.len();
    play(cells, at_once);
}
