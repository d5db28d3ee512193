//! Killed at every call of a small run, reading ones included: between the steps that leave a mark there must be no
//! moment at which a kill does harm either.

use super::hold::{Hold, Moment, Step, say_run};
use super::scene::{Mode, Scene, lost};
use crate::support::s3::Call;

const KINDS: [Call; 5] = [Call::List, Call::Head, Call::Copy, Call::DeleteMany, Call::Delete];
const ORPHANS: usize = 3;

/// More than are looked at one by one in any case.
const MANY: usize = 45;

/// Orphaned files, of which the first becomes wanted as it is deleted.
fn scene(new: fn(Mode, Vec<String>) -> Scene, orphans: usize) -> Scene {
    let mut scene = new(Mode::TrashInBucket, lost(orphans));
    let wanted_after_all = scene.orphans[..1].to_vec();
    scene.want_when_deleting(&wanted_after_all);
    scene
}

/// Kills a run at calls of each kind, as many as an undisturbed run makes: at those that `is_tried` chooses.
fn at_calls(new: fn(Mode, Vec<String>) -> Scene, orphans: usize, is_tried: fn(usize, usize) -> bool) -> usize {
    let undisturbed = scene(new, orphans);
    undisturbed.assert_next_run_converges();
    let mut cells = 0;
    for call in KINDS {
        let calls = undisturbed.server().count(call);
        for nth in (1..=calls).filter(|nth| is_tried(*nth, calls)) {
            for moment in [Moment::Before, Moment::After] {
                let scene = scene(new, orphans);
                Hold { step: Step::Any(call), moment, nth }.kill(&scene, &["--execute"]);
                scene.assert_nothing_is_lost();
                scene.assert_next_run_converges();
                cells += 1;
            }
        }
    }
    cells
}

/// `cleanup-assets --execute` on a bucket, killed at each call that an undisturbed run makes.
#[test]
fn a_run_that_is_killed_at_any_call_is_finished_by_the_next_run() {
    say_run(at_calls(Scene::new, ORPHANS, |_, _| true), "every call");
}

/// The same with many files, which are looked at by listing, or lie too far apart for that: each call of which there are
/// few, and the first and the last ones of the others.
#[test]
fn a_run_that_looks_by_listing_and_is_killed_is_finished_by_the_next_run() {
    let is_tried = |nth, calls| calls <= 8 || nth == 1 || nth == calls / 2 || nth == calls;
    say_run(at_calls(Scene::new, MANY, is_tried), "every call, close together");
    say_run(at_calls(Scene::far_apart, MANY, is_tried), "every call, far apart");
}
