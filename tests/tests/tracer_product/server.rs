//! Implements a server that accepts all requests with any key, for tests that the strict one cannot
//! serve because it has one key only.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use prost::Message as _;
use serde_json::{Map, Value, json};

/// A request that was accepted.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) key: String,
    pub(crate) source: Option<String>,
    /// The method and path, such as `POST /session/start`.
    pub(crate) what: String,
    /// The JSON of the body; for spans, a list of `{name, parent, attributes}`.
    pub(crate) body: Value,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    refuses: AtomicBool,
    fails_sessions: AtomicBool,
    /// The number of connections that are open; `most` is the highest number so far.
    open: AtomicUsize,
    most: AtomicUsize,
}

pub(crate) struct Server {
    shared: Arc<Shared>,
    url: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_on(0)
    }

    pub(crate) fn start_on(port: u16) -> Self {
        let give_up = Instant::now() + Duration::from_secs(10);
        let listener = loop {
            match TcpListener::bind(("127.0.0.1", port)) {
                Ok(listener) => break listener,
                Err(error) => assert!(Instant::now() < give_up, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let shared = Arc::new(Shared::default());
        let url = format!("http://{}", listener.local_addr().unwrap());
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&of_thread);
                std::thread::spawn(move || {
                    let open = shared.open.fetch_add(1, Ordering::SeqCst) + 1;
                    shared.most.fetch_max(open, Ordering::SeqCst);
                    while talk(&stream, &shared).is_some() {}
                    shared.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { shared, url }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Returns the number of open connections, and the highest number so far.
    pub(crate) fn connections(&self) -> (usize, usize) {
        let get = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        (get(&self.shared.open), get(&self.shared.most))
    }

    /// Answers all requests with 503 from now on.
    pub(crate) fn refuse(&self) {
        self.shared.refuses.store(true, Ordering::SeqCst);
    }

    pub(crate) fn accept(&self) {
        self.shared.refuses.store(false, Ordering::SeqCst);
    }

    /// Answers requests for sessions with 503 from now on.
    pub(crate) fn fail_sessions(&self) {
        self.shared.fails_sessions.store(true, Ordering::SeqCst);
    }
}

/// Handles one request. Returns `None` at the end of the connection.
fn talk(mut stream: &TcpStream, shared: &Shared) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let what = line.rsplit_once(' ')?.0.to_owned();
    let (mut key, mut source, mut length) = (String::new(), None, 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => value.trim_start_matches("Bearer ").clone_into(&mut key),
            "x-source" => source = Some(value.to_owned()),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let fails = shared.fails_sessions.load(Ordering::SeqCst) && what.ends_with("/session/start");
    if fails || shared.refuses.load(Ordering::SeqCst) {
        return answer(&mut stream, "503 Service Unavailable", "{}");
    }
    let is_spans = what.ends_with("/traces");
    let body = if is_spans { spans(&body) } else { serde_json::from_slice(&body).ok()? };
    let session = json!({"session_id": body["session"]["session_id"]}).to_string();
    shared.seen.lock().unwrap().push(Seen { key, source, what, body });
    let status = if is_spans { "200 OK\r\ncontent-type: application/x-protobuf" } else { "200 OK" };
    answer(&mut stream, status, if is_spans { "" } else { &session })
}

fn answer(stream: &mut &TcpStream, status: &str, body: &str) -> Option<()> {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}").ok()
}

fn spans(body: &[u8]) -> Value {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    let spans = scopes.flat_map(|scope| scope.spans).map(|span| {
        let attributes = span.attributes.into_iter().filter_map(|pair| {
            Some(match pair.value?.value? {
                Any::StringValue(text) => (pair.key, Value::from(text)),
                Any::IntValue(number) => (pair.key, Value::from(number)),
                _ => return None,
            })
        });
        let attributes: Map<_, _> = attributes.collect();
        let parent = span
            .parent_span_id
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        json!({"name": span.name, "parent": parent, "attributes": attributes})
    });
    spans.collect()
}
