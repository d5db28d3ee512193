//! `cleanup-assets restore`: what a run trashed comes back as it was, and over nothing that is there meanwhile.

use super::scene::{Kept, Scene, about, bytes_of};
use crate::support::s3::{Call, Fault, What};

/// `cleanup-assets restore --run RUN` brings every file of that run back, without asking.
#[test]
fn a_run_is_restored() {
    for scene in Scene::on_both() {
        let before = scene.everything();
        let run = scene.executed()["run"]["id"].clone();
        let outcome = scene.run(&["restore", "--run", &run.to_string()]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(scene.everything(), before, "as it was, the trash emptied");
        if let Kept::S3(server) = &scene.store {
            for key in &scene.orphans {
                assert_eq!(server.bucket.get(key).expect("the object").about, about(key));
            }
        }
        let removals = scene.removals(&run);
        assert!(removals.values().all(|outcome| outcome == "restored"), "{removals:?}");
        let again = scene.run(&["restore", "--run", &run.to_string()]);
        assert_eq!(again.code, 0, "all of it is back: {again:#?}");
        assert_eq!(scene.everything(), before);
    }
}

/// `cleanup-assets restore KEY...` brings these keys back, and no other.
#[test]
fn keys_are_restored() {
    for scene in Scene::on_both() {
        scene.executed();
        let [first, second, third] = [0, 1, 2].map(|at| scene.orphans[at].as_str());
        let outcome = scene.run(&["restore", first, third]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        let all = scene.everything();
        assert_eq!(all[first], bytes_of(first).into_bytes());
        assert_eq!(all[third], bytes_of(third).into_bytes());
        assert!(!all.contains_key(second) && scene.trashed(second).is_some());
        assert_eq!(all.len(), 43);
    }
}

/// What exists meanwhile at a key stays, the file stays in the trash, and the others come back.
#[test]
fn nothing_is_overwritten() {
    for scene in Scene::on_both() {
        let run = scene.executed()["run"]["id"].to_string();
        let taken = scene.orphans[1].clone();
        scene.put_bytes(&taken, "uploaded meanwhile", std::time::SystemTime::now());
        let outcome = scene.run(&["restore", "--run", &run]);
        assert!([0, 3].contains(&outcome.code), "{outcome:#?}");
        assert!(format!("{}{}", outcome.stdout, outcome.stderr).contains(&taken), "it is named: {outcome:#?}");
        let all = scene.everything();
        assert_eq!(all[&taken], b"uploaded meanwhile");
        let place = scene.trashed(&taken).expect("still in the trash");
        assert_eq!(all[&place], bytes_of(&taken).into_bytes());
        for key in scene.orphans.iter().filter(|key| **key != taken) {
            assert_eq!(all[key], bytes_of(key).into_bytes());
        }
        // Asked again by key, once the place is free, it comes back.
        match &scene.store {
            Kept::S3(server) => drop(server.bucket.remove(&taken)),
            Kept::Local(_) => std::fs::remove_file(scene.root().join(&taken)).expect("the file"),
        }
        assert_eq!(scene.run(&["restore", &taken]).code, 0);
        assert_eq!(scene.everything()[&taken], bytes_of(&taken).into_bytes());
    }
}

/// A store that knows no condition on the target of a copy: the look before it tells.
#[test]
fn a_store_without_conditions_overwrites_nothing() {
    let scene = Scene::on_s3();
    scene.executed();
    let taken = &scene.orphans[1];
    scene.put_bytes(taken, "uploaded meanwhile", std::time::SystemTime::now());
    scene.server().fault(Fault::on(Call::Copy, What::Status(501, "NotImplemented")).times(1));
    let outcome = scene.run(&["restore", taken]);
    assert_eq!(scene.everything()[taken], b"uploaded meanwhile", "{outcome:#?}");
    assert!(scene.trashed(taken).is_some(), "{outcome:#?}");
}

/// A key, or a run, of which nothing is in the trash is said, and is no success.
#[test]
fn what_is_not_in_the_trash_is_said() {
    let scene = Scene::on_s3();
    scene.executed();
    let before = scene.everything();
    for arguments in [vec!["restore", "assets/never-there.png"], vec!["restore", "--run", "999"], vec!["restore"]] {
        let outcome = scene.run(&arguments);
        assert!([1, 2, 3].contains(&outcome.code), "{arguments:?}: {outcome:#?}");
    }
    assert_eq!(scene.everything(), before);
}

/// A key that cannot be brought back beside one that can is named, and the whole is no success.
#[test]
fn a_key_that_is_not_in_the_trash_is_named_beside_one_that_is() {
    let scene = Scene::on_s3();
    scene.executed();
    let outcome = scene.run(&["restore", &scene.orphans[0], "assets/never-there.png"]);
    assert_ne!(outcome.code, 0, "{outcome:#?}");
    assert!(format!("{}{}", outcome.stdout, outcome.stderr).contains("assets/never-there.png"), "{outcome:#?}");
    if outcome.code == 3 {
        assert!(scene.everything().contains_key(&scene.orphans[0]));
    }
}

/// What was deleted for good cannot be restored, and `restore` says so.
#[test]
fn what_went_for_good_is_gone() {
    let scene = Scene::on_s3();
    scene.configure("[trash]\nenabled = false");
    let run = scene.executed()["run"]["id"].to_string();
    let outcome = scene.run(&["restore", "--run", &run]);
    assert_ne!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(scene.everything().len(), 40);
}

/// `restore` waits for nobody: where another run is at work it is locked out.
#[test]
fn restore_is_locked_out_by_a_run() {
    let scene = Scene::on_s3();
    let run = scene.executed()["run"]["id"].to_string();
    scene.put("assets/000003-another.png");
    let mut terminal = crate::support::terminal::Terminal::start(&scene.tool, &["--execute"]);
    assert!(terminal.prompt());
    assert_eq!(scene.run(&["restore", "--run", &run]).code, 11);
    assert_eq!(terminal.answer("no").code, 4);
    assert_eq!(scene.run(&["restore", "--run", &run]).code, 0);
}
