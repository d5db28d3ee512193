//! PURE: one line of PostgreSQL's COPY in its text format
//! (<https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2>).

use anyhow::{Context, Result, bail, ensure};

/// The only column of a line, where it is written without an escape and is not NULL.
pub fn plain(line: &[u8]) -> Option<&str> {
    let line = line.strip_suffix(b"\n")?;
    match memchr::memchr3(b'\\', b'\t', b'\n', line) {
        Some(_) => None,
        None => std::str::from_utf8(line).ok(),
    }
}

/// The columns of a line, each as text or NULL.
#[derive(Debug, Default)]
pub struct Line {
    /// The texts that are written with escapes, one behind the other.
    text: String,
}

impl Line {
    /// Reads a line of so many columns.
    ///
    /// # Errors
    /// Whatever is no such line.
    pub fn read<'a>(&'a mut self, line: &'a [u8], columns: usize) -> Result<Vec<Option<&'a str>>> {
        let line = std::str::from_utf8(line).context("a key that is no UTF-8")?;
        let line = line.strip_suffix('\n').context("a line of COPY without an end")?;
        ensure!(!line.contains('\n'), "two rows in one line of COPY");
        if !line.contains('\\') {
            let cells: Vec<_> = line.split('\t').map(Some).collect();
            ensure!(cells.len() == columns, "COPY gave {} columns instead of {columns}", cells.len());
            return Ok(cells);
        }
        self.text.clear();
        let mut ends = Vec::with_capacity(columns);
        for cell in line.split('\t') {
            let is_null = cell == "\\N";
            if !is_null {
                unescape(cell, &mut self.text)?;
            }
            ends.push((self.text.len(), is_null));
        }
        ensure!(ends.len() == columns, "COPY gave {} columns instead of {columns}", ends.len());
        let mut start = 0;
        let mut cell = |(end, is_null): &(usize, bool)| {
            let cell = &self.text[start..*end];
            start = *end;
            (!is_null).then_some(cell)
        };
        Ok(ends.iter().map(&mut cell).collect())
    }
}

fn unescape(cell: &str, text: &mut String) -> Result<()> {
    let mut rest = cell;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let mut after = after.chars();
        text.push(match after.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\u{b}',
            Some('\\') => '\\',
            other => bail!("COPY wrote an escape that it does not have: {other:?}"),
        });
        rest = after.as_str();
    }
    text.push_str(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(cell: &Option<String>) -> String {
        let escaped = |text: &String| {
            let text = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
            text.replace('\u{8}', "\\b").replace('\u{b}', "\\v").replace('\u{c}', "\\f")
        };
        cell.as_ref().map_or("\\N".to_owned(), escaped)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(cells in prop::collection::vec(prop::option::of("(\\PC|[\t\n\r\\x08\\x0b\\x0cN\\\\]){0,6}"), 1..4)) {
            let line = cells.iter().map(written).collect::<Vec<_>>().join("\t") + "\n";
            let mut read = Line::default();
            let read = read.read(line.as_bytes(), cells.len()).expect("a line");
            prop_assert!(plain(line.as_bytes()).is_none_or(|text| read == [Some(text)]));
            prop_assert_eq!(read, cells.iter().map(Option::as_deref).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_no_line_is_an_error() {
        for line in [&b"a"[..], b"a\\x\n", b"a\\\n", b"a\tb\n", b"\xff\n", b"", b"a\nb\n"] {
            assert!(Line::default().read(line, 1).is_err(), "{line:?}");
        }
        assert!(Line::default().read(b"a\n", 2).is_err());
    }
}
