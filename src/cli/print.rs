//! Standard output, for what is printed at once.

use std::io::{self, Write};

/// Prints text. Whoever reads it may stop reading.
///
/// # Errors
/// Where standard output cannot be written, but for a reader that has gone.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}
