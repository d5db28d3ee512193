//! Keys of a file, one a line: what another application wants.

use std::path::Path;

use anyhow::{Context, Result, bail};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::database::chunks::Chunks;
use crate::exit_code::Misconfigured;

/// Makes sure that the file can be read.
pub async fn check(path: &Path) -> Result<()> {
    match File::open(path).await {
        Ok(file) if file.metadata().await.is_ok_and(|metadata| metadata.is_file()) => Ok(()),
        // It is read more than once.
        Ok(_) => bail!(Misconfigured(format!("[[references]] file {} is not a file", path.display()))),
        Err(error) => bail!(Misconfigured(format!("[[references]] file {} cannot be read: {error}", path.display()))),
    }
}

/// Sends every line into `chunks`. An empty one names nothing.
pub async fn send(path: &Path, chunks: &mut Chunks) -> Result<()> {
    let reading = || format!("reading {}", path.display());
    let mut file = BufReader::new(File::open(path).await.with_context(reading)?);
    let mut line = Vec::new();
    let mut is_first = true;
    while file.read_until(b'\n', &mut line).await.with_context(reading)? > 0 {
        let mut key = line.strip_suffix(b"\n").unwrap_or(&line);
        key = key.strip_suffix(b"\r").unwrap_or(key);
        if is_first {
            key = key.strip_prefix("\u{feff}".as_bytes()).unwrap_or(key);
        }
        match std::str::from_utf8(key) {
            Ok(key) => chunks.push(key, &[]).await?,
            Err(_) => chunks.push_undecoded(key).await?,
        }
        is_first = false;
        line.clear();
    }
    Ok(())
}
