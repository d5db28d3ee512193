//! Random small worlds and the real binary: what is gone after a removal, against what is wanted. Very many more are judged
//! in the library, where a run is no process (`maintain::worlds`).
//!
//! `CLEANUP_ASSETS_TEST_WORLDS` says how many there, and these are a share of them. One that is judged wrong is printed with
//! its seed; `CLEANUP_ASSETS_TEST_SEED` judges that one again.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::layouts::{Gone, World};
use super::planned::{folder, tool};
use crate::support::postgres::Postgres;
use crate::support::s3::{ACCESS_KEY, SECRET_KEY, Server};
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;
use crate::support::terminal;
use crate::support::tool::{Outcome, Tool};

/// Worlds, where the variable does not say.
const WORLDS: u64 = 400;
const THREADS: usize = 4;
const BUCKET: &str = "app-assets";

/// Judges one of `share` of the worlds, in some threads: in each, `make` gives what says what goes of a world, or nothing of
/// one that it cannot make.
fn judge<F: FnMut(&World) -> Option<Gone>>(share: u64, make: impl Fn() -> F + Sync) {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect("a number"));
    // Other ones than in the library.
    let seeds = match number("CLEANUP_ASSETS_TEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1 << 32..(1 << 32) + number("CLEANUP_ASSETS_TEST_WORLDS").unwrap_or(WORLDS).div_ceil(share),
    };
    let removing = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for first in 0..THREADS {
            let (seeds, make, removing) = (seeds.clone(), &make, &removing);
            scope.spawn(move || {
                let mut what_goes = make();
                for seed in seeds.skip(first).step_by(THREADS) {
                    let world = World::random(seed);
                    let Some(gone) = what_goes(&world) else { continue };
                    let judged = world.judge(&gone);
                    assert!(judged.wrong.is_empty(), "CLEANUP_ASSETS_TEST_SEED={seed}: {:#?}\n{world}", judged.wrong);
                    removing.fetch_add(usize::from(judged.orphans > 0), Relaxed);
                }
            });
        }
    });
    assert!(removing.into_inner() > 0 || seeds.end - seeds.start == 1, "nothing was removed of any world");
}

/// What of a world is not there any more.
fn missing(world: &World, database: &dyn Database, is_there: impl Fn(&str) -> bool, outcome: &Outcome) -> Gone {
    assert!([0, 12].contains(&outcome.code), "{outcome:#?}");
    let left = database.texts("SELECT CAST(id AS TEXT) FROM assets");
    let owners = (0..world.rows.len()).filter(|id| world.rows[*id].table.name() == "assets");
    let files = world.files.iter().map(|file| file.key.clone());
    Gone {
        files: files.filter(|key| !is_there(key)).collect(),
        rows: owners.filter(|id| !left.contains(&id.to_string())).collect(),
        refusal: (outcome.code == 12).then(|| outcome.stderr.clone()),
    }
}

#[test]
fn no_random_world_in_a_folder_loses_what_is_wanted() {
    judge(40, || {
        |world| {
            let (database, folder) = (Sqlite::new(), folder(world));
            database.run(&world.sql());
            let tool = tool(world, &database, &folder);
            let word = folder.root().file_name().and_then(|name| name.to_str()).expect("a name");
            let outcome = terminal::run(&tool, &["--execute", "--format", "json"], word);
            Some(missing(world, &database, |key| folder.root().join(key).is_file(), &outcome))
        }
    });
}

/// Every tenth is removed at a terminal; the others are planned.
#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn no_random_world_in_a_bucket_loses_what_is_wanted() {
    judge(30, || {
        let (database, mut count) = (Postgres::new(), 0);
        move |world| {
            // A bucket has no links.
            if !world.links.is_empty() {
                return None;
            }
            let server = Server::start(BUCKET);
            world.files.iter().for_each(|file| server.bucket.put(&file.key, file.content(), file.modified()));
            database.run("DROP TABLE IF EXISTS assets, users");
            database.run(&world.sql());
            let config = format!(
                "[database]\nurl = {:?}\n{}{}",
                database.url(),
                server.storage_section(""),
                world.configuration()
            );
            let tool = Tool::new(&config).env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
            let arguments = ["--execute", "--format", "json"];
            count += 1;
            if count % 10 != 1 {
                return Some(Gone::of_report(&tool.run(&arguments).json()));
            }
            let outcome = terminal::run(&tool, &arguments, BUCKET);
            Some(missing(world, &database, |key| server.bucket.get(key).is_some(), &outcome))
        }
    });
}
