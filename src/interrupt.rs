//! Ctrl-C and a polite request to end (I14): a comparison stops at once, a removal finishes its batch, and whoever asks
//! twice, or while nothing is at stake, ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use tokio::select;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use crate::cli::ExitCode;

/// Whether somebody asked the program to end.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<Asked>);

#[derive(Default)]
struct Asked {
    asked: AtomicBool,
    notify: Notify,
    /// Whether the program may end on the spot.
    at_once: AtomicBool,
}

impl Interrupt {
    /// Begins to listen.
    pub fn listen() -> Self {
        let interrupt = Interrupt::default();
        tokio::spawn(listen(interrupt.clone()));
        interrupt
    }

    pub fn was_asked(&self) -> bool {
        self.0.asked.load(SeqCst)
    }

    /// Waits until somebody asks.
    pub async fn asked(&self) {
        while !self.was_asked() {
            self.0.notify.notified().await;
        }
    }

    /// From now on, whether a signal ends the program on the spot: nothing is left to be tidied up.
    pub fn end_at_once(&self, at_once: bool) {
        self.0.at_once.store(at_once, SeqCst);
    }
}

async fn listen(interrupt: Interrupt) {
    let (Ok(mut ctrl_c), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        // Without handlers a signal ends the program by itself.
        return;
    };
    loop {
        select! {
            _ = ctrl_c.recv() => {}
            _ = terminate.recv() => {}
        }
        let is_second = interrupt.0.asked.swap(true, SeqCst);
        if is_second || interrupt.0.at_once.load(SeqCst) {
            std::process::exit(ExitCode::Interrupted as i32);
        }
        interrupt.0.notify.notify_one();
    }
}
