//! Keys on disk, in the order in which they came: for a source whose cursor must not stay open while a bucket is listed.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};

use anyhow::{Context, Result};

use crate::scratch;

/// A file without a name, being written.
pub struct Spool {
    file: BufWriter<File>,
    values: u64,
}

/// The same file, being read from its beginning.
pub struct Values {
    file: BufReader<File>,
    left: u64,
}

impl Spool {
    pub fn new() -> Result<Self> {
        let file = scratch::file()?;
        Ok(Spool { file: BufWriter::with_capacity(1 << 18, file), values: 0 })
    }

    /// Adds a value, and a mark on it.
    pub fn push(&mut self, value: &str, mark: bool) -> Result<()> {
        let length = u32::try_from(value.len()).context("a key of more than 4 GiB")?;
        [&length.to_le_bytes()[..], &[u8::from(mark)], value.as_bytes()]
            .into_iter()
            .try_for_each(|bytes| self.file.write_all(bytes))
            .with_context(scratch::writing)?;
        self.values += 1;
        Ok(())
    }

    pub fn into_values(self) -> Result<Values> {
        let mut file = self.file.into_inner().with_context(scratch::writing)?;
        file.rewind()?;
        Ok(Values { file: BufReader::with_capacity(1 << 18, file), left: self.values })
    }
}

impl Values {
    pub fn next_value(&mut self) -> Result<Option<(String, bool)>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut length = [0; 4];
        self.file.read_exact(&mut length).context("reading keys back from a temporary file")?;
        let mut mark = [0];
        self.file.read_exact(&mut mark).context("reading keys back from a temporary file")?;
        let mut value = vec![0; u32::from_le_bytes(length) as usize];
        self.file.read_exact(&mut value).context("reading keys back from a temporary file")?;
        Ok(Some((String::from_utf8(value)?, mark != [0])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_in_order() {
        let mut spool = Spool::new().expect("a spool");
        let values = ["a", "", "a\nb", "日本"];
        values.iter().for_each(|value| spool.push(value, value.is_empty()).expect("room on the disk"));
        let mut back = spool.into_values().expect("the values");
        for value in values {
            assert_eq!(back.next_value().expect("a value"), Some((value.to_owned(), value.is_empty())));
        }
        assert_eq!(back.next_value().expect("the end"), None);
    }
}
