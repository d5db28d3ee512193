//! Without a ledger that can be written nothing is removed; a disk that fills up in the middle leaves nothing that the
//! next run cannot resolve (I9, I10).

use std::fs;

use super::scene::Scene;
use crate::support::terminal::{self, Terminal};

/// A ledger that cannot be made, or is none: `--execute` fails, asks nothing and removes nothing.
#[test]
fn without_a_ledger_nothing_is_removed() {
    for scene in Scene::on_both() {
        let before = scene.everything();
        fs::create_dir(scene.tool.path("folder")).expect("a folder");
        fs::write(scene.tool.path("garbage.db"), "no database at all ".repeat(1000)).expect("a file");
        let paths =
            ["/proc/ledger.db".into(), "/dev/null/ledger.db".into(), "folder".to_owned(), "garbage.db".to_owned()];
        for path in paths {
            scene.configure(&format!("[ledger]\npath = {path:?}"));
            let outcome = terminal::run_without_prompt(&scene.tool, &["--execute"]);
            assert_eq!(outcome.code, 1, "{path}: {outcome:#?}");
            // The lock beside it may be what could not be made.
            assert!(outcome.stderr.contains(path.trim_end_matches(".db")), "the message names it: {outcome:#?}");
            assert_eq!(scene.run(&["--execute"]).code, 1, "{path}");
            assert_eq!(scene.everything(), before, "{path}");
        }
    }
}

/// A ledger written by a newer version is left alone, and nothing is removed.
#[test]
fn a_newer_ledger_is_left_alone() {
    let scene = Scene::on_s3();
    scene.run(&[]);
    let url = format!("sqlite:{}", scene.tool.path("ledger.db").display());
    crate::support::sqlite::run_sql(&url, "PRAGMA user_version = 1000");
    let outcome = terminal::run_without_prompt(&scene.tool, &["--execute"]);
    assert_eq!(outcome.code, 1, "{outcome:#?}");
    assert!(outcome.stderr.contains("newer version"), "{outcome:#?}");
    assert_eq!(scene.server().writing_calls().len(), 0);
}

/// The ledger's disk is full, sooner or later: each run ends in an error, nothing is lost, and the next one converges.
#[test]
fn a_full_disk_loses_nothing() {
    let mut ends = Vec::new();
    let for_good = "[trash]\nenabled = false\n";
    let in_trash = [200, 400, 500, 600, 700, 800, 900, 1_000, 100_000].map(|blocks| (blocks, ""));
    for (blocks, sections) in in_trash.into_iter().chain([200, 300, 400, 600].map(|blocks| (blocks, for_good))) {
        let scene = Scene::many_on_s3(400, 350);
        scene.configure(&format!("{sections}[safety]\nmax_percent = 100"));
        // Writing beyond the limit fails as on a full disk, where the signal that comes with it is ignored.
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}");
        let mut terminal = Terminal::start_after(&scene.tool, &["--execute", "--format", "json"], &limit);
        let outcome = match terminal.prompt() {
            true => terminal.answer(scene.word()),
            false => terminal.end(),
        };
        scene.expect_no_secret(&outcome);
        assert!([0, 1, 3].contains(&outcome.code), "{blocks}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
        let all = scene.everything();
        let is_gone = |key: &&String| !all.contains_key(*key);
        let gone: Vec<&String> = scene.orphans.iter().filter(is_gone).collect();
        ends.push((blocks, outcome.code, gone.len()));
        // All may be gone, and only the last line of the ledger unwritten.
        assert!(outcome.code != 0 || gone.len() == 350, "{blocks}: {} are gone: {}", gone.len(), outcome.stderr);
        if sections.is_empty() {
            assert!(gone.iter().all(|key| scene.trashed(key).is_some()), "{blocks}");
        }
        scene.expect_wanted_untouched(400);

        let second = scene.execute(&["--format", "json"]);
        assert_eq!(second.code, 0, "{blocks}: {}", second.stderr);
        let kept = if sections.is_empty() { 350 } else { 0 };
        assert_eq!(scene.everything().len(), 400 + kept, "{blocks}: one copy of each, in the trash");
        let settled = scene.all_removals();
        for key in &scene.orphans {
            let said = &settled[key];
            let removed = said.iter().filter(|said| ["trashed", "deleted"].contains(&said.as_str())).count();
            assert_eq!(removed, 1, "{blocks}: {key}: {said:?}");
        }
        scene.expect_wanted_untouched(400);
    }
    println!("{} runs on a disk that fills up; (blocks, exit code, files gone): {ends:?}", ends.len());
    assert!(ends.iter().any(|(_, code, _)| *code == 0) && ends.iter().any(|(_, code, _)| *code != 0), "{ends:?}");
}
