//! `[[references]] file`: keys that another application wants, one a line.

use std::fs;
use std::io::Write;

use super::keys;
use crate::rules::scene::{Engine, NO_LIMITS, Scene};
use crate::support::terminal::{self, Terminal};

fn scene(lines: &[u8]) -> Scene {
    let scene = Scene::of_assets(Engine::Sqlite, "");
    let path = scene.tool.path("keys.txt");
    fs::write(&path, lines).expect("a file of keys");
    scene.configure_assets("", &format!("{NO_LIMITS}[[references]]\nfile = {path:?}\n"));
    scene
}

#[test]
fn what_a_file_names_stays() {
    let scene = scene("\u{feff}theirs/b.png\r\n\ntheirs/a b.png\nno/such.png".as_bytes());
    ["theirs/a b.png", "theirs/b.png", "theirs/stray.png"].iter().for_each(|key| scene.put(key));
    let report = scene.tool.report();
    assert_eq!(keys(&report, "orphaned-file"), ["theirs/stray.png"], "{report:#}");
    assert_eq!(report["totals"]["references"], 3);
    scene.executed();
    scene.expect_files(&["live/1.png", "live/2.png", "live/3.png", "theirs/a b.png", "theirs/b.png"]);
}

/// The file is read again before anything is removed, as a table is.
#[test]
fn a_key_that_the_file_names_by_then_stays() {
    let scene = scene(b"live/1.png\n");
    scene.put("theirs/late.png");
    let mut terminal = Terminal::start(&scene.tool, &["--execute"]);
    assert!(terminal.prompt());
    let mut file = fs::File::options().append(true).open(scene.tool.path("keys.txt")).expect("the file");
    file.write_all(b"theirs/late.png\n").expect("a line");
    let outcome = terminal.answer("uploads");
    assert!(scene.files().contains("theirs/late.png"), "{outcome:#?}");
}

/// A file that is not there, or gives nothing, protects nothing: nothing is removed then.
#[test]
fn a_file_that_gives_nothing_refuses() {
    let scene = scene(b"");
    scene.put("theirs/b.png");
    scene.expect_refused("may_be_empty", &["keys.txt", "has no row"]);
    fs::remove_file(scene.tool.path("keys.txt")).expect("the file");
    let outcome = terminal::run_without_prompt(&scene.tool, &["--execute"]);
    assert!(outcome.code == 2 && outcome.stderr.contains("keys.txt cannot be read"), "{outcome:#?}");
    fs::create_dir(scene.tool.path("keys.txt")).expect("a folder");
    let outcome = terminal::run_without_prompt(&scene.tool, &["--execute"]);
    assert!(outcome.code == 2 && outcome.stderr.contains("is not a file"), "{outcome:#?}");
}

/// Its keys are sorted in a temporary file.
#[test]
fn a_temporary_folder_that_is_not_there_is_named() {
    let scene = scene(b"live/2.png\nlive/1.png\n");
    let output = scene.tool.command(&[]).env("TMPDIR", "/no/such/folder").output().expect("the tool starts");
    let error = String::from_utf8_lossy(&output.stderr);
    let expected = "making a temporary file in /no/such/folder (TMPDIR says where)";
    assert!(!output.status.success() && error.contains(expected), "{error}");
}

/// A line that is not UTF-8 holds what looks like it.
#[test]
fn a_line_that_is_not_utf8_holds_what_looks_like_it() {
    let scene = scene(b"live/1.png\ntheirs/caf\xe9.png\n");
    scene.put("theirs/caf\u{e9}.png");
    scene.put("theirs/other.png");
    let report = scene.tool.report();
    let held: Vec<_> = report["findings"].as_array().expect("findings").iter().map(|f| &f["held_by"]).collect();
    assert_eq!(held, [&"not-utf8".into(), &serde_json::Value::Null], "{report:#}");
    scene.executed();
    assert!(scene.files().contains("theirs/caf\u{e9}.png") && !scene.files().contains("theirs/other.png"));
}
