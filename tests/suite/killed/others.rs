//! What a run of another database left open in the same store: only that database can say what became wanted meanwhile.

use std::fs;

use super::hold::{Hold, Moment, Step, say_run};
use super::scene::{Mode, Scene, lost};

/// Gives the scene a copy of its database, which is another one; gives both configurations, its own one first.
fn with_another_database(scene: &Scene) -> [String; 2] {
    let own = fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
    let file = own.split("sqlite:").nth(1).and_then(|rest| rest.split('"').next()).expect("a URL").to_owned();
    let copy = scene.tool.path("other.db");
    fs::copy(&file, &copy).expect("a copy");
    let other = own.replace(&file, &copy.display().to_string());
    [own, other]
}

/// The other database does not know of the row that names the file by now: its run leaves the removal open, and says so.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn what_a_run_of_another_database_left_open_stays_open() {
    let mut scene = Scene::new(Mode::TrashInFolder, lost(4));
    let [own, other] = with_another_database(&scene);
    Hold { step: Step::Failpoint("move"), moment: Moment::After, nth: 1 }.kill(&scene, &["--execute"]);
    let key = scene.orphans[0].clone();
    scene.want(std::slice::from_ref(&key));
    let config = scene.tool.path("config.toml");
    fs::write(&config, other).expect("the configuration");
    for arguments in [["--execute", "--no-progress"], ["restore", "no-such-key"]] {
        let outcome = scene.run(&arguments);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(said.contains("by a run of another database"), "{outcome:#?}");
        assert!(scene.is_in_trash(&key), "{outcome:#?}");
    }
    fs::write(&config, own).expect("the configuration");
    scene.run_once_more();
    scene.assert_wanted_files_are_there();
    say_run(1, "left open by another database");
}
