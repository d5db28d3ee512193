//! Steps at which a test can stop a run, to kill it there. Nothing of this is in a normal build.
//!
//! `CLEANUP_ASSETS_HOLD=NAME:WHEN:N` stops the process before or after the Nth step of that name: it makes the file that
//! `CLEANUP_ASSETS_HOLD_FILE` names and sleeps until that is gone.

/// The step is about to be taken.
pub fn before(step: &str) {
    imp::reached(step, "before");
}

/// The step was taken.
pub fn after(step: &str) {
    imp::reached(step, "after");
}

/// Of how many bytes the parts are, where every copy is to be made in parts, as only those of objects over 5 GB are
/// otherwise: `CLEANUP_ASSETS_COPY_IN_PARTS`.
pub fn part_bytes() -> Option<u64> {
    let bytes = cfg!(feature = "failpoints").then(|| std::env::var("CLEANUP_ASSETS_COPY_IN_PARTS"));
    bytes?.ok()?.parse().ok()
}

/// Whether a test wants the program to do without something that the system has: `CLEANUP_ASSETS_WITHOUT`, names with
/// commas between them.
pub fn lacks(what: &str) -> bool {
    imp::lacks(what)
}

#[cfg(not(feature = "failpoints"))]
mod imp {
    pub fn lacks(_what: &str) -> bool {
        false
    }

    pub fn reached(_step: &str, _when: &str) {}
}

#[cfg(feature = "failpoints")]
mod imp {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

    static SO_FAR: AtomicU64 = AtomicU64::new(0);
    static LACKING: LazyLock<String> = LazyLock::new(|| std::env::var("CLEANUP_ASSETS_WITHOUT").unwrap_or_default());

    pub fn lacks(what: &str) -> bool {
        LACKING.split(',').any(|name| name == what)
    }

    pub fn reached(step: &str, when: &str) {
        let Ok(hold) = std::env::var("CLEANUP_ASSETS_HOLD") else { return };
        let Some((at, number)) = hold.rsplit_once(':') else { return };
        if at != format!("{step}:{when}") {
            return;
        }
        if (SO_FAR.fetch_add(1, SeqCst) + 1).to_string() == number {
            let marker = std::env::var("CLEANUP_ASSETS_HOLD_FILE").unwrap_or_default();
            let _ = std::fs::write(&marker, "");
            while std::path::Path::new(&marker).exists() {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        }
    }
}
