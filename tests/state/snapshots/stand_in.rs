//! A small stand-in for an S3-compatible store on loopback: objects in memory, path-style requests, lists in pages.
//! It wants a signature and does not check it. It can be told to fail, to answer nothing, and says what it was asked.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

/// Entries on one page of a list.
const PAGE: usize = 3;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// So many requests are answered with "slow down".
    Busy(usize),
    Forbidding,
    Silent,
}

struct State {
    objects: BTreeMap<String, Vec<u8>>,
    asked: Vec<String>,
    mood: Mood,
}

/// The store; clones are the same one. Its threads live as long as the test.
#[derive(Clone)]
pub(crate) struct StandIn {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    body: Vec<u8>,
    is_signed: bool,
}

struct Response {
    status: &'static str,
    body: Vec<u8>,
}

impl StandIn {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = State { objects: BTreeMap::new(), asked: Vec::new(), mood: Mood::Well };
        let store = Self { address: listener.local_addr().unwrap(), state: Arc::new(Mutex::new(state)) };
        let serving = store.clone();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (serving, connection) = (serving.clone(), connection.unwrap());
                // A connection ends with an error when the client goes; that is nobody's failure.
                thread::spawn(move || drop(serving.serve(connection)));
            }
        });
        store
    }

    /// What a client has to have in its environment.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address).as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "cn-north-1"),
            ("AWS_ACCESS_KEY_ID", "reader-and-writer"),
            ("AWS_SECRET_ACCESS_KEY", "not-to-be-shown"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        self.state().mood = mood;
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }

    /// Changes an object behind the back of its owner.
    pub(crate) fn damage(&self, key: &str) {
        let mut state = self.state();
        let bytes = state.objects.get_mut(key).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    }

    pub(crate) fn remove(&self, key: &str) {
        assert!(self.state().objects.remove(key).is_some(), "there is no {key}");
    }

    /// Method and key of every request since the last look.
    pub(crate) fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state().asked)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn serve(&self, connection: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(connection.try_clone()?);
        let mut writer = connection;
        while let Some(request) = Request::read(&mut reader)? {
            let Some(response) = self.answer(&request) else {
                // Holds the connection until the client gives up.
                return reader.read_to_end(&mut Vec::new()).map(drop);
            };
            response.write(&request.method, &mut writer)?;
        }
        Ok(())
    }

    fn answer(&self, request: &Request) -> Option<Response> {
        let mut state = self.state();
        state.asked.push(format!("{} {}", request.method, request.path));
        match state.mood {
            Mood::Silent => return None,
            Mood::Forbidding => return Some(Response::empty("403 Forbidden")),
            Mood::Busy(0) | Mood::Well => {}
            Mood::Busy(left) => {
                state.mood = Mood::Busy(left - 1);
                return Some(Response::empty("503 Slow Down"));
            }
        }
        if !request.is_signed {
            return Some(Response::empty("403 Forbidden"));
        }
        Some(match request.method.as_str() {
            "PUT" => {
                state.objects.insert(request.path.clone(), request.body.clone());
                Response::empty("200 OK")
            }
            "DELETE" => {
                state.objects.remove(&request.path);
                Response::empty("204 No Content")
            }
            "GET" if request.query.contains_key("list-type") => {
                Response { status: "200 OK", body: list(&state.objects, request).into_bytes() }
            }
            "GET" | "HEAD" => match state.objects.get(&request.path) {
                Some(bytes) => Response { status: "200 OK", body: bytes.clone() },
                None => Response::empty("404 Not Found"),
            },
            _ => Response::empty("501 Not Implemented"),
        })
    }
}

/// One page of what is under a prefix, up to the delimiter; a page goes on behind the token.
fn list(objects: &BTreeMap<String, Vec<u8>>, request: &Request) -> String {
    let bucket = format!("{}/", request.path.trim_end_matches('/'));
    let query = |name: &str| request.query.get(name).cloned().unwrap_or_default();
    let (prefix, delimiter, token) = (query("prefix"), query("delimiter"), query("continuation-token"));
    let mut found = BTreeSet::new();
    for key in objects.keys().filter_map(|key| key.strip_prefix(&bucket)) {
        let Some(rest) = key.strip_prefix(&prefix) else { continue };
        let end = if delimiter.is_empty() { None } else { rest.find(&delimiter) };
        found.insert(match end {
            Some(end) => (format!("{prefix}{}", &rest[..=end]), None),
            None => (key.to_owned(), objects.get(&format!("{bucket}{key}")).map(Vec::len)),
        });
    }
    let mut rest = found.into_iter().filter(|(name, _)| *name > token).peekable();
    let mut page = String::new();
    let mut last = String::new();
    for (name, size) in rest.by_ref().take(PAGE) {
        page += &match size {
            Some(size) => format!(
                "<Contents><Key>{name}</Key><Size>{size}</Size><ETag>\"e\"</ETag>\
                 <LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            ),
            None => format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"),
        };
        last = name;
    }
    if rest.peek().is_some() {
        page += &format!("<NextContinuationToken>{last}</NextContinuationToken>");
    }
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult>{page}</ListBucketResult>")
}

impl Request {
    fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Self>> {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split(' ');
        let method = words.next().unwrap().to_owned();
        let (path, query) =
            words.next().unwrap().split_once('?').unwrap_or((line.split(' ').nth(1).unwrap(), ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect();
        let path = decoded(path);
        let (mut length, mut is_signed) = (0, false);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "authorization" => {
                    is_signed = value.starts_with("AWS4-HMAC-SHA256 Credential=reader-and-writer/");
                }
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok(Some(Self { method, path, query, body, is_signed }))
    }
}

impl Response {
    fn empty(status: &'static str) -> Self {
        Self { status, body: Vec::new() }
    }

    fn write(&self, method: &str, writer: &mut impl Write) -> std::io::Result<()> {
        write!(
            writer,
            "HTTP/1.1 {}\r\nContent-Length: {}\r\nETag: \"e\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n",
            self.status,
            self.body.len()
        )?;
        if method != "HEAD" {
            writer.write_all(&self.body)?;
        }
        writer.flush()
    }
}

/// Text without its percent signs.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}
