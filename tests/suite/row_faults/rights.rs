//! Rights that the tool's role loses: before it begins, at its prompt, and while it removes.

use std::rc::Rc;

use super::{
    BROKEN, ROWS, WAITING, assert_converges, assert_nothing_happened, at_prompt, execute, gone, reported, say, wait_for,
};
use crate::support::postgres::Postgres;
use crate::support::row_scene::{BUCKET, FATES, Fate, RowScene};
use crate::support::session::Session;

/// A scene whose tool has a role of its own, and that role's name.
fn with_a_role(fate: Fate) -> (RowScene, String) {
    let database = Rc::new(Postgres::new());
    let scene = RowScene::on(Box::new(Rc::clone(&database)), fate, ROWS);
    let url = database.role("GRANT SELECT, INSERT, UPDATE, DELETE ON assets TO {role}");
    scene.configure(&url, "");
    let role = url::Url::parse(&url).expect("a URL").username().to_owned();
    (scene, role)
}

/// The right to do what becomes of such rows.
fn right(fate: Fate) -> &'static str {
    if matches!(fate, Fate::Deleted | Fate::Unlinked) { "DELETE" } else { "UPDATE" }
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn who_may_not_read_removes_nothing() {
    for fate in FATES {
        let (scene, role) = with_a_role(fate);
        scene.database.run(&format!("REVOKE SELECT ON assets FROM {role}"));
        assert_nothing_happened(&scene, &execute(&scene));
        scene.database.run(&format!("GRANT SELECT ON assets TO {role}"));
        assert_converges(&scene);

        let (scene, role) = with_a_role(fate);
        let terminal = at_prompt(&scene);
        scene.database.run(&format!("REVOKE SELECT ON assets FROM {role}"));
        assert_nothing_happened(&scene, &terminal.answer(BUCKET));
        scene.database.run(&format!("GRANT SELECT ON assets TO {role}"));
        assert_converges(&scene);
    }
    say(2 * FATES.len(), "the right to read");
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn who_may_not_write_removes_nothing_and_says_so_of_each_row() {
    for fate in FATES {
        let (scene, role) = with_a_role(fate);
        let terminal = at_prompt(&scene);
        scene.database.run(&format!("REVOKE {} ON assets FROM {role}", right(fate)));
        let outcome = terminal.answer(BUCKET);
        assert_eq!(outcome.code, 3, "{outcome:#?}");
        let report = outcome.json();
        assert_eq!((reported(&report), &report["removals"]["failed"]), (0, &ROWS.into()), "{outcome:#?}");
        scene.assert_all_is_back();
        scene.assert_ledger_agrees();
        scene.database.run(&format!("GRANT {} ON assets TO {role}", right(fate)));
        assert_converges(&scene);
    }
    say(FATES.len(), "the right to write");
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn who_may_write_no_more_has_removed_what_it_says() {
    for fate in FATES {
        let (scene, role) = with_a_role(fate);
        let mut terminal = at_prompt(&scene);
        let mut session = Session::to(&scene.database.url());
        session.run(&format!("BEGIN; SELECT id FROM assets WHERE id = {} FOR UPDATE", scene.id(BROKEN)));
        terminal.type_line(BUCKET);
        wait_for(&*scene.database, WAITING);
        scene.database.run(&format!("REVOKE {} ON assets FROM {role}", right(fate)));
        session.run("ROLLBACK");
        let outcome = terminal.end();
        assert_eq!(outcome.code, 3, "{outcome:#?}");
        assert_eq!((reported(&outcome.json()), gone(&scene)), (BROKEN as u64, BROKEN as u64), "{outcome:#?}");
        scene.assert_nothing_is_lost();
        scene.assert_ledger_agrees();
        scene.database.run(&format!("GRANT {} ON assets TO {role}", right(fate)));
        assert_converges(&scene);
    }
    say(FATES.len(), "rights that are lost while rows go");
}
