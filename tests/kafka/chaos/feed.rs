//! What the institutions send while everything goes wrong: the uploads of a simulated province without an end, at a
//! pace, on any partition, and some that nobody can use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracewarden::domain::time::Timestamp;
use tracewarden::sim::{self, Dirt, Fraud, Parameters};

use crate::support::installation::{Installation, upload_record};

/// One of so many uploads is no upload.
const GARBAGE_EVERY: usize = 40;

/// The province of a seed: small, so that its codes meet often; late, doubled and corrected more than usual.
pub(crate) fn province(seed: u64, codes_per_day: u32) -> Parameters {
    Parameters {
        institutions: 20,
        codes_per_day,
        days: 10_000,
        products: 20,
        fraud: Fraud { acts_per_day: 12, packs_per_act_max: 3 },
        dirt: Dirt {
            issued_late_ppm: 100_000,
            held_up_ppm: 100_000,
            repeated_ppm: 50_000,
            corrected_ppm: 30_000,
            deleted_ppm: 30_000,
            ..Dirt::usual()
        },
        ..Parameters::demo(seed)
    }
}

/// What was sent, in the order of sending.
pub(crate) struct Sent {
    pub(crate) uploads: Vec<String>,
    /// When every grace of what was sent is over.
    pub(crate) end: Timestamp,
}

/// A thread that sends.
pub(crate) struct Feed {
    thread: JoinHandle<Sent>,
    stop: Arc<AtomicBool>,
}

impl Feed {
    /// Begins to send so many uploads a second.
    pub(crate) fn start(
        installation: &Installation,
        parameters: Parameters,
        uploads_per_second: u32,
    ) -> Self {
        let publisher = installation.publisher();
        let topology = installation.topology.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let is_stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let started = Instant::now();
            let mut uploads = Vec::new();
            let mut sent_at = parameters.until();
            for upload in sim::uploads(&parameters) {
                sent_at = upload.sent_at;
                let number = uploads.len();
                let json =
                    if number % GARBAGE_EVERY == 7 { garbage(&upload.json, number) } else { upload.json };
                // Stamped with the province's own time, whatever day the test is run on.
                publisher.publish_stamped(&upload_record(&topology, &json, number), Some(sent_at)).unwrap();
                uploads.push(json);
                let due = started + Duration::from_secs(1) / uploads_per_second * uploads.len() as u32;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if is_stopped.load(Ordering::Relaxed) {
                    break;
                }
            }
            publisher.flush().unwrap();
            let end = Timestamp::from_unix_millis(sent_at + 10 * 24 * 3_600_000);
            Sent { uploads, end }
        });
        Self { thread, stop }
    }

    /// Ends; what was sent is on the topics then.
    pub(crate) fn stop(self) -> Sent {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.join() {
            Ok(sent) => sent,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// Something in place of an upload that is refused, each for another reason.
fn garbage(upload: &str, number: usize) -> String {
    match number / GARBAGE_EVERY % 4 {
        0 => format!("no upload {number}"),
        1 => upload.chars().take(upload.chars().count() / 2).collect(),
        2 => upload.replacen("\"document_id\"", "\"document\"", 1),
        _ => upload.replacen("\"issued_at\":\"2", "\"issued_at\":\"x", 1),
    }
}
