//! A line on the terminal that says how far a comparison has come.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

use crate::compare::Progress;

/// The line; it goes when this is dropped.
pub struct ProgressLine {
    bar: ProgressBar,
    task: JoinHandle<()>,
}

impl ProgressLine {
    /// Shows the progress, where standard error is a terminal and somebody wants it.
    pub fn show(progress: Arc<Progress>, wanted: bool) -> Option<Self> {
        if !wanted || !std::io::stderr().is_terminal() {
            return None;
        }
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {msg} · {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        let task = tokio::spawn(update(bar.clone(), progress));
        Some(ProgressLine { bar, task })
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.task.abort();
        self.bar.finish_and_clear();
    }
}

async fn update(bar: ProgressBar, progress: Arc<Progress>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    loop {
        ticks.tick().await;
        let (objects, records) = progress.so_far();
        let rate = objects as f64 / bar.elapsed().as_secs_f64().max(0.2);
        let (objects, records, rate) = (HumanCount(objects), HumanCount(records), HumanCount(rate as u64));
        bar.set_message(format!("{objects} files · {records} DB records · {rate} files/s"));
        bar.tick();
    }
}
