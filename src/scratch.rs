//! Temporary files without a name, for what is too much for the memory. What fails there says where that is: the room may be
//! small, or not there at all.

use std::env;
use std::fs::File;

use anyhow::{Context, Result};

pub fn file() -> Result<File> {
    tempfile::tempfile().with_context(making)
}

/// What was done when one could not be made.
pub fn making() -> String {
    format!("making a temporary file {}", place())
}

/// What was done when one could not be written.
pub fn writing() -> String {
    format!("writing a temporary file {}", place())
}

fn place() -> String {
    format!("in {} (TMPDIR says where)", env::temp_dir().display())
}
