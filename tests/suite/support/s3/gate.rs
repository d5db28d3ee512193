//! A gate at which a call is held for ever, and where a test sees that it stands there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<AtomicBool>);

impl Gate {
    /// Whether a call stands at the gate; what it was to do is done by then, where it is done at all.
    pub fn is_reached(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(super) fn reach(&self) {
        self.0.store(true, Ordering::Release);
    }
}
