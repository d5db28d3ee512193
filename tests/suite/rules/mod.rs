//! Rows: what rules and `missing_file` condemn, what goes with it, and what keeps it.
//!
//! Each test goes from a configuration through a run that is confirmed at a terminal to the state of rows and files, and
//! most of them on all three engines: [`on_every_engine`] makes a test of each.

mod ages;
mod cascades;
mod composite_ids;
mod configuration;
mod dates;
mod limits;
mod mariadb;
mod missing_file;
mod owners;
mod pairs;
mod reports;
mod samples;
pub mod scene;
mod several_keys;
mod shared;
mod whole;

/// Makes each of these functions, which take an [`Engine`](scene::Engine), a test on every engine.
macro_rules! on_every_engine {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            use crate::rules::scene::Engine;
            $(#[test] fn $test() { super::$test(Engine::Sqlite); })+
        }
        mod postgres {
            use crate::rules::scene::Engine;
            $(#[test] #[ignore = "needs PostgreSQL: run tests/run"] fn $test() { super::$test(Engine::Postgres); })+
        }
        mod mariadb {
            use crate::rules::scene::Engine;
            $(#[test] #[ignore = "needs MariaDB: run tests/run"] fn $test() { super::$test(Engine::MariaDb); })+
        }
    };
}
pub(crate) use on_every_engine;
