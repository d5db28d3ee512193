//! Killed at every call of a small run, reading ones included: between the steps that leave a mark there must be no
//! moment at which a kill does harm either.

use super::hold::{Hold, Moment, Step, say_run};
use super::scene::{Mode, Scene, lost};
use crate::support::s3::Call;

const KINDS: [Call; 5] = [Call::List, Call::Head, Call::Copy, Call::DeleteMany, Call::Delete];
const ORPHANS: usize = 3;

/// Three orphaned files, of which the first becomes wanted as it is deleted.
fn scene() -> Scene {
    let mut scene = Scene::new(Mode::TrashInBucket, lost(ORPHANS));
    let wanted_after_all = scene.orphans[..1].to_vec();
    scene.want_when_deleting(&wanted_after_all);
    scene
}

/// `cleanup-assets --execute` on a bucket, killed at each call that an undisturbed run makes.
#[test]
fn a_run_that_is_killed_at_any_call_is_finished_by_the_next_run() {
    let undisturbed = scene();
    undisturbed.assert_next_run_converges();
    let mut cells = 0;
    for call in KINDS {
        for nth in 1..=undisturbed.server().count(call) {
            for moment in [Moment::Before, Moment::After] {
                let scene = scene();
                Hold { step: Step::Any(call), moment, nth }.kill(&scene, &["--execute"]);
                scene.assert_nothing_is_lost();
                scene.assert_next_run_converges();
                cells += 1;
            }
        }
    }
    say_run(cells, "every call");
}
