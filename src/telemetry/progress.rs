//! Progress of long work: a live line on a terminal, plain lines elsewhere, at most one in a few seconds.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Progress of one piece of work, counted in items.
pub struct Progress {
    bar: ProgressBar,
    name: &'static str,
    plain: Option<Mutex<Instant>>,
}

impl Progress {
    /// Progress over `total` items, when that is known.
    pub fn of_count(name: &'static str, total: Option<u64>) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = match (is_terminal, total) {
            (false, _) => ProgressBar::hidden(),
            (true, Some(total)) => ProgressBar::new(total)
                .with_style(style("{msg} {wide_bar} {human_pos}/{human_len} {per_sec} ETA {eta}")),
            (true, None) => {
                ProgressBar::no_length().with_style(style("{msg} {spinner} {human_pos} {per_sec} {elapsed}"))
            }
        };
        bar.set_message(name);
        Self { bar, name, plain: (!is_terminal).then(|| Mutex::new(Instant::now())) }
    }

    /// More items are done.
    pub fn advance(&self, items: u64) {
        self.bar.inc(items);
        let Some(plain) = &self.plain else { return };
        let mut said_at = plain.lock().unwrap_or_else(PoisonError::into_inner);
        if said_at.elapsed() >= PLAIN_EVERY {
            *said_at = Instant::now();
            let rate = self.bar.per_sec();
            tracing::info!("{}: {} done, {rate:.0}/s", self.name, self.bar.position());
        }
    }

    /// Says something beside the count: on a terminal in the live line.
    pub fn say(&self, text: impl Into<String>) {
        self.bar.set_message(text.into());
    }

    /// The work is done; the live line goes.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
