//! A network between clients and a broker that loses what a test wants it to lose.
//!
//! It stands in front of the second listener of a broker, which tells its clients to come here. It passes bytes on, and
//! looks at the kind of each request only. What is to go wrong is said by the kind of request; it happens to one
//! request, and from then on nothing passes on that connection, as when a cable is pulled.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// Kinds of requests, by their number in Kafka's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Ends a transaction, well or not.
    EndTxn = 26,
    /// Adds consumed offsets to a transaction.
    TxnOffsetCommit = 28,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// It never reaches the broker.
    LoseRequest,
    /// It reaches the broker, whose answer is lost.
    LoseAnswer,
    /// It waits until [`Proxy::release`].
    Hold,
}

#[derive(Default)]
struct Plan {
    next: Option<(Request, Mishap)>,
    /// Whether the planned mishap has happened.
    happened: bool,
    held: bool,
}

#[derive(Default)]
struct Shared {
    plan: Mutex<Plan>,
    changed: Condvar,
}

/// A running proxy. Its threads end with the test process.
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    address: String,
}

impl Proxy {
    /// Listens on one port of the loopback interface and passes on to another.
    pub(crate) fn start((broker, listen): (u16, u16)) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", listen)).unwrap();
        let shared = Arc::new(Shared::default());
        let of_threads = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), shared) = (client, Arc::clone(&of_threads)) else { return };
                // A broker that is not there is what a client sees as a connection that ends.
                let Ok(broker) = TcpStream::connect(("127.0.0.1", broker)) else { continue };
                connect(client, broker, shared);
            }
        });
        Self { shared, address: format!("127.0.0.1:{listen}") }
    }

    /// Where clients find it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Plans a mishap for the next request of a kind.
    pub(crate) fn plan(&self, request: Request, mishap: Mishap) {
        *self.shared.plan.lock().unwrap() =
            Plan { next: Some((request, mishap)), happened: false, held: mishap == Mishap::Hold };
    }

    /// Waits until the planned mishap has happened.
    pub(crate) fn wait_until_happened(&self, patience: Duration) {
        let plan = self.shared.plan.lock().unwrap();
        let (_plan, waited) =
            self.shared.changed.wait_timeout_while(plan, patience, |plan| !plan.happened).unwrap();
        assert!(!waited.timed_out(), "no such request came within {patience:?}");
    }

    /// Lets a held request go on.
    pub(crate) fn release(&self) {
        self.shared.plan.lock().unwrap().held = false;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// What happens to this request.
    fn mishap(&self, request: u16) -> Option<Mishap> {
        let mut plan = self.plan.lock().unwrap();
        let (_, mishap) = plan.next.take_if(|(kind, _)| *kind as u16 == request)?;
        plan.happened = true;
        self.changed.notify_all();
        Some(mishap)
    }

    fn wait_while_held(&self) {
        let plan = self.plan.lock().unwrap();
        drop(self.changed.wait_while(plan, |plan| plan.held).unwrap());
    }
}

/// Passes on in both directions until one side ends.
fn connect(client: TcpStream, broker: TcpStream, shared: Arc<Shared>) {
    let (mut from_broker, mut to_client) = (broker.try_clone().unwrap(), client.try_clone().unwrap());
    let is_cut = Arc::new(Mutex::new(false));
    let answers_cut = Arc::clone(&is_cut);
    thread::spawn(move || {
        let mut bytes = [0; 16 << 10];
        while let Ok(read @ 1..) = from_broker.read(&mut bytes) {
            if *answers_cut.lock().unwrap() {
                // The client is left waiting.
                continue;
            }
            if to_client.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        if !*answers_cut.lock().unwrap() {
            let _ = to_client.shutdown(Shutdown::Both);
        }
    });
    thread::spawn(move || {
        // Whichever side ends first, the other is told.
        let _ = pass_requests(client, &broker, &shared, &is_cut);
        let _ = broker.shutdown(Shutdown::Both);
    });
}

fn pass_requests(
    mut client: TcpStream,
    mut broker: &TcpStream,
    shared: &Shared,
    is_cut: &Mutex<bool>,
) -> io::Result<()> {
    loop {
        // Length, kind, and the rest.
        let mut start = [0; 6];
        client.read_exact(&mut start)?;
        let [a, b, c, d, kind @ ..] = start;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let mut rest = vec![0; length.saturating_sub(kind.len())];
        client.read_exact(&mut rest)?;
        let mishap = shared.mishap(u16::from_be_bytes(kind));
        match mishap {
            Some(Mishap::Hold) => shared.wait_while_held(),
            Some(Mishap::LoseRequest | Mishap::LoseAnswer) => *is_cut.lock().unwrap() = true,
            None => {}
        }
        if mishap != Some(Mishap::LoseRequest) {
            broker.write_all(&start)?;
            broker.write_all(&rest)?;
        }
        if *is_cut.lock().unwrap() {
            // What the client still says is lost, until it gives up.
            io::copy(&mut client, &mut io::sink())?;
            return Ok(());
        }
    }
}
