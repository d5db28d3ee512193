//! How a test finds the servers that `tests/run` starts, and what every test database offers.

use std::future::Future;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A database of one test's own, gone with the value.
pub trait Database {
    /// What the tool is given as `database.url`.
    fn url(&self) -> String;

    /// Runs one or more statements.
    fn run(&self, sql: &str);

    /// The first column, which is text, of every row.
    fn texts(&self, sql: &str) -> Vec<String>;

    /// `text` as a literal of the engine's SQL.
    fn literal(&self, text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// One that a scene and its test share.
impl<D: Database> Database for Rc<D> {
    fn url(&self) -> String {
        (**self).url()
    }

    fn run(&self, sql: &str) {
        (**self).run(sql);
    }

    fn texts(&self, sql: &str) -> Vec<String> {
        (**self).texts(sql)
    }
}

/// A variable that `tests/run` sets. A test that was asked for and cannot run must not pass.
pub fn setting(name: &str) -> String {
    let name = format!("CLEANUP_ASSETS_TEST_{name}");
    std::env::var(&name)
        .unwrap_or_else(|_| panic!("{name} is not set; `bash tests/run` starts the servers and sets it"))
}

/// A name that no other test uses, in this process or in another.
pub fn unique_name(separator: char) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let parts = [std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)];
    format!("t{separator}{}{separator}{}", parts[0], parts[1])
}

/// Runs `future` to its end; the tests themselves are not asynchronous.
pub fn blocking<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

/// `url` with another database behind its address.
pub fn with_database(url: &str, database: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL with a scheme");
    let address = rest.split('/').next().unwrap_or(rest);
    format!("{scheme}://{address}/{database}")
}

/// `url` with another login in front of its address.
pub fn with_login(url: &str, user: &str, password: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL with a scheme");
    let address = rest.split_once('@').map_or(rest, |(_, address)| address);
    format!("{scheme}://{user}:{password}@{address}")
}
