//! One at a time (I12): a lock file beside the ledger, held as long as the program lives.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::exit_code::LockedOut;

/// The lock; it ends with this value, or with the program.
pub struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Where the lock of a ledger lies.
    pub fn path_beside(ledger: &Path) -> PathBuf {
        ledger.with_extension("lock")
    }

    /// Takes the lock beside the ledger at `ledger`.
    ///
    /// # Errors
    /// [`LockedOut`] where another run holds it.
    pub fn take(ledger: &Path) -> Result<Self> {
        let path = Lock::path_beside(ledger);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let mut private = std::fs::DirBuilder::new();
            private.recursive(true).mode(0o700);
            private.create(folder).with_context(|| format!("the folder of the lock {}", path.display()))?;
        }
        let opened = File::options().write(true).create(true).truncate(false).open(&path);
        let file = opened.with_context(|| format!("the lock {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { path, file }),
            Err(TryLockError::WouldBlock) => Err(LockedOut(format!("the lock {}", path.display())).into()),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("the lock {}", path.display())),
        }
    }

    /// Whether the file that is locked is still the one that the next run would lock.
    pub fn is_held(&self) -> bool {
        let same = || -> io::Result<bool> {
            let (ours, theirs) = (self.file.metadata()?, std::fs::metadata(&self.path)?);
            Ok(ours.dev() == theirs.dev() && ours.ino() == theirs.ino())
        };
        same().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_locked_out_until_the_first_ends() {
        let home = tempfile::tempdir().expect("a folder");
        let ledger = home.path().join("state/ledger.db");
        let first = Lock::take(&ledger).expect("the lock");
        let error = Lock::take(&ledger).err().expect("locked out");
        assert!(error.is::<LockedOut>(), "{error:#}");
        drop(first);
        Lock::take(&ledger).expect("the lock");
    }

    #[test]
    fn a_lock_whose_file_was_replaced_is_not_held() {
        let home = tempfile::tempdir().expect("a folder");
        let lock = Lock::take(&home.path().join("ledger.db")).expect("the lock");
        assert!(lock.is_held());
        std::fs::remove_file(home.path().join("ledger.lock")).expect("the file");
        assert!(!lock.is_held());
    }
}
