//! Rows by the million, read by a thread with a connection of its own and given on in pages. sqlx copies each row value by
//! value and wakes another thread for it, which costs several times what SQLite itself takes.

use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, InterruptHandle, OpenFlags};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::database::chunks::Chunks;

/// Bytes of a page, and its cells; one cell may go over it.
const PAGE_BYTES: usize = 64 << 10;
const PAGE_CELLS: usize = 4_096;
/// Pages on their way to whoever reads them.
const PAGES_AHEAD: usize = 2;

/// What SQLite opens for a URL whose file sqlx has read already. It must be what sqlx opens: the file's name as it is, which
/// may be a URI of SQLite's own, and encoded only behind parameters that SQLite itself is to read. The others change nothing
/// for who only reads.
pub fn location(file: &Path, url: &str) -> PathBuf {
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let (mut immutable, mut vfs) = (None, None);
    for (name, value) in url::form_urlencoded::parse(parameters.as_bytes()) {
        match &*name {
            "immutable" => immutable = Some(value).filter(|value| ["true", "1"].contains(&&**value)),
            "vfs" => vfs = Some(value),
            _ => {}
        }
    }
    if immutable.is_none() && vfs.is_none() {
        return file.to_owned();
    }
    let name = format!("file:{}?", percent_encode(file.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC));
    let (begin, kept) = (name.len(), [("immutable", immutable), ("vfs", vfs)]);
    let kept = kept.into_iter().filter_map(|(name, value)| Some((name, value?)));
    url::form_urlencoded::Serializer::for_suffix(name, begin).extend_pairs(kept).finish().into()
}

/// Sends every row of `sql` into `chunks`.
pub async fn send(location: &Path, sql: &str, chunks: &mut Chunks) -> Result<()> {
    let columns = chunks.columns();
    let mut pages = Pages::read(location, sql, columns)?;
    while let Some(page) = pages.next().await? {
        let mut cells = page.cells();
        while let Some(key) = cells.next() {
            let marks = cells.by_ref().take(columns - 1).map(|mark| mark.map(std::str::from_utf8).transpose());
            let marks = marks.collect::<Result<Vec<_>, _>>()?;
            let Some(key) = key else { continue };
            match std::str::from_utf8(key) {
                Ok(key) => chunks.push(key, &marks).await?,
                Err(_) => chunks.push_undecoded(key).await?,
            }
        }
    }
    Ok(())
}

/// The pages of a statement. Dropping them ends it.
struct Pages {
    receiver: Receiver<Result<Page>>,
    interrupt: InterruptHandle,
}

impl Pages {
    fn read(location: &Path, sql: &str, columns: usize) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(location, flags).context("opening the file to read keys")?;
        let interrupt = connection.get_interrupt_handle();
        let (sender, receiver) = channel(PAGES_AHEAD);
        let sql = sql.to_owned();
        let read = move || {
            if let Err(error) = send_pages(&connection, &sql, columns, &sender) {
                // Nobody left to tell means that the comparison has already failed elsewhere.
                let _ = sender.blocking_send(Err(error));
            }
        };
        thread::Builder::new().name("sqlite-keys".to_owned()).spawn(read).context("starting a thread")?;
        Ok(Pages { receiver, interrupt })
    }

    /// The next page; `None` where the statement gave its last row.
    async fn next(&mut self) -> Result<Option<Page>> {
        let page = self.receiver.recv().await.context("the thread that reads SQLite's rows broke off")??;
        Ok((!page.ends.is_empty()).then_some(page))
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.interrupt.interrupt();
    }
}

/// Sends every row, and an empty page behind the last.
fn send_pages(connection: &Connection, sql: &str, columns: usize, sender: &Sender<Result<Page>>) -> Result<()> {
    let mut statement = connection.prepare(sql)?;
    let given = statement.column_count();
    ensure!(given == columns, "SQLite gave {given} columns instead of {columns}");
    let mut rows = statement.query([])?;
    let mut page = Page::default();
    while let Some(row) = rows.next()? {
        for at in 0..columns {
            page.push(row.get_ref(at)?)?;
        }
        if page.is_full() {
            sender.blocking_send(Ok(std::mem::take(&mut page)))?;
        }
    }
    if !page.ends.is_empty() {
        sender.blocking_send(Ok(page))?;
    }
    Ok(sender.blocking_send(Ok(Page::default()))?)
}

/// The cells of rows that follow each other, in one buffer.
#[derive(Debug, Default)]
struct Page {
    bytes: Vec<u8>,
    /// Where each of them ends, and whether it is NULL.
    ends: Vec<(usize, bool)>,
}

impl Page {
    fn push(&mut self, cell: ValueRef<'_>) -> Result<()> {
        match cell {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => self.bytes.extend_from_slice(bytes),
            ValueRef::Null => {}
            ValueRef::Integer(_) | ValueRef::Real(_) => bail!("SQLite gave a number where text was asked for"),
        }
        self.ends.push((self.bytes.len(), cell == ValueRef::Null));
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= PAGE_BYTES || self.ends.len() >= PAGE_CELLS
    }

    /// Its cells, each as bytes or NULL.
    fn cells(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let mut start = 0;
        self.ends.iter().map(move |(end, is_null)| {
            let cell = &self.bytes[start..*end];
            start = *end;
            (!is_null).then_some(cell)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;
    use std::time::Duration;

    use sqlx::ConnectOptions;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;

    async fn cells(location: &Path, sql: &str, columns: usize) -> Result<Vec<Option<String>>> {
        let mut pages = Pages::read(location, sql, columns)?;
        let mut all = Vec::new();
        while let Some(page) = pages.next().await? {
            all.extend(page.cells().map(|cell| cell.map(|cell| String::from_utf8_lossy(cell).into_owned())));
        }
        Ok(all)
    }

    fn file(name: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, "").expect("a file");
        (folder, path)
    }

    #[tokio::test]
    async fn whatever_the_url_the_file_is_the_one_of_the_other_connection() {
        let (folder, path) = file("what #or %20.db");
        let (plain, path) = (folder.path().join("app.db"), path.display().to_string());
        std::fs::write(&plain, "").expect("a file");
        let (encoded, plain) = (path.replace('%', "%25").replace('#', "%23"), plain.display());
        for url in [
            format!("sqlite:{encoded}"),
            format!("sqlite:{encoded}?immutable=true&mode=rwc&vfs=unix&cache=shared"),
            format!("sqlite://{plain}?immutable=1&immutable=false"),
            format!("sqlite:file:{plain}?mode=ro"),
            format!("sqlite:file:{plain}%3Fimmutable=1"),
            format!("sqlite:file://localhost{plain}%3Fvfs=unix"),
        ] {
            let sql = "SELECT file FROM pragma_database_list";
            let options = SqliteConnectOptions::from_str(&url).expect("a URL").read_only(true);
            let mut connection = options.connect().await.expect("a connection");
            let expected: String = sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("a file");
            assert!([path.clone(), plain.to_string()].contains(&expected), "{url}: {expected}");
            let given = cells(&location(options.get_filename(), &url), sql, 1).await;
            assert_eq!(given.unwrap_or_else(|error| panic!("{url}: {error:#}")), [Some(expected)], "{url}");
        }
    }

    #[tokio::test]
    async fn every_cell_of_many_pages_is_given() {
        let (_folder, path) = file("what?is=this#or %20.db");
        let location = location(&path, "sqlite:whatever?mode=rwc&cache=shared&immutable=true");
        assert!(location.to_string_lossy().ends_with("?immutable=true"), "{location:?}");
        let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9000) \
                   SELECT CAST(n AS TEXT), NULL, '', CAST('b' || n AS BLOB) FROM n";
        let expected = (1..=9000).flat_map(|n| [Some(n.to_string()), None, Some(String::new()), Some(format!("b{n}"))]);
        assert_eq!(cells(&location, sql, 4).await.expect("the cells"), expected.collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_statement_that_fails_among_its_rows_is_an_error() {
        let (_folder, location) = file("app.db");
        let rows = |last: &str| {
            format!(
                "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9000) \
                 SELECT CAST(n AS TEXT) FROM n UNION ALL SELECT {last}"
            )
        };
        assert_eq!(cells(&location, &rows("'last'"), 1).await.expect("the cells").len(), 9001);
        for (last, expected) in [("abs(-9223372036854775807 - 1)", "overflow"), ("9", "a number")] {
            let error = cells(&location, &rows(last), 1).await.expect_err("an error");
            assert!(format!("{error:#}").contains(expected), "{error:#}");
        }
        assert!(cells(&location, "SELECT 'a', 'b'", 1).await.is_err());
    }

    #[tokio::test]
    async fn a_statement_that_nobody_reads_any_more_locks_nobody_out() {
        let (_folder, location) = file("app.db");
        let writer = Connection::open(&location).expect("the file");
        writer.execute_batch("CREATE TABLE t (key TEXT); INSERT INTO t VALUES ('a')").expect("a table");
        // It gives no row, and has no end.
        let sql = "WITH RECURSIVE n (n) AS (SELECT key FROM t UNION ALL SELECT n FROM n) SELECT n FROM n WHERE n = 'b'";
        let pages = Pages::read(&location, sql, 1).expect("pages");
        let write = "BEGIN EXCLUSIVE; COMMIT";
        writer.busy_timeout(Duration::ZERO).expect("a timeout");
        while writer.execute_batch(write).is_ok() {
            tokio::task::yield_now().await;
        }
        drop(pages);
        writer.busy_timeout(Duration::from_secs(5)).expect("a timeout");
        writer.execute_batch(write).expect("the file to oneself");
    }

    #[tokio::test]
    async fn a_thread_that_ends_without_a_word_is_an_error() {
        let (_folder, location) = file("app.db");
        let mut pages = Pages::read(&location, "SELECT 'a'", 1).expect("pages");
        pages.receiver = channel(1).1;
        assert!(pages.next().await.is_err());
    }
}
