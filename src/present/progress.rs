//! Progress of long work: a live line or block on a terminal, plain lines elsewhere, at most one in a few seconds.
//! All of it goes to standard error: standard output belongs to results.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::present::figures::grouped;

/// Between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(3);

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
            let (done, rate) = (grouped(self.bar.position()), grouped(self.bar.per_sec() as u64));
            say_plainly(&format!("{}: {done} done, {rate}/s", self.name));
        }
    }

    /// The work is done; the live line goes.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A few lines that tell how work goes on: on a terminal one block, refreshed where it stands; elsewhere all of it in one
/// line, now and then.
pub struct Block {
    bar: ProgressBar,
    separator: &'static str,
    is_terminal: bool,
    shown_at: Option<Instant>,
}

/// Between two refreshed blocks.
const REFRESH_EVERY: Duration = Duration::from_millis(200);

impl Block {
    /// A block of which nothing is shown yet. Where its lines become one, this stands between them.
    pub fn new(separator: &'static str) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = match is_terminal {
            true => ProgressBar::no_length().with_style(style("{msg}")),
            false => ProgressBar::hidden(),
        };
        Self { bar, separator, is_terminal, shown_at: None }
    }

    /// Whether it is time to show something again. The first plain line comes after a while: short work needs none.
    pub fn is_due(&mut self) -> bool {
        let every = if self.is_terminal { REFRESH_EVERY } else { PLAIN_EVERY };
        self.shown_at.get_or_insert_with(Instant::now).elapsed() >= every
    }

    /// Shows these lines.
    pub fn show(&mut self, lines: &[String]) {
        self.shown_at = Some(Instant::now());
        if self.is_terminal {
            self.bar.set_message(lines.join("\n"));
            self.bar.tick();
        } else {
            say_plainly(&joined(lines, self.separator));
        }
    }

    /// The work is done; the block goes.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Lines as one; a line that begins with a blank goes on with the one before.
fn joined(lines: &[String], separator: &str) -> String {
    let mut out = String::new();
    for line in lines {
        if !out.is_empty() {
            out.push_str(if line.starts_with(' ') { "  " } else { separator });
        }
        out.push_str(line.trim());
    }
    out
}

/// A line on standard error. When nobody can read it the work goes on all the same.
fn say_plainly(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn lines_become_one_and_a_line_that_goes_on_is_not_cut() {
        let lines = ["第 3 天", "有效预警 9：  回流 5", "     串换 4"].map(str::to_owned);
        assert_eq!(joined(&lines, "；"), "第 3 天；有效预警 9：  回流 5  串换 4");
    }
}
