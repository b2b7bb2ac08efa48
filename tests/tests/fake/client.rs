//! Implements a client that sends any request, right or wrong.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use honeyhive_tests::Fake;
use serde_json::{Value, json};

/// The ids of a client whose requests are all right.
pub(crate) const RUN: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const SESSION: &str = "22222222-2222-4222-8222-222222222222";
pub(crate) const OTHER: &str = "33333333-3333-4333-8333-333333333333";

/// A request before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Call {
    /// Creates a call that follows all rules.
    pub(crate) fn rest(fake: &Fake, kind: &str, body: Option<&Value>) -> Self {
        let (method, target) = kind.split_once(' ').expect("a method and a path");
        let ingests = target.contains("session") || target.contains("events");
        let key = fake.ingestion_key().filter(|_| ingests).unwrap_or(fake.key());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
        let headers = [
            ("Authorization", format!("Bearer {key}").as_str()),
            ("Content-Type", "application/json"),
            ("Accept", "application/json"),
            ("hh-client-version", env!("CARGO_PKG_VERSION")),
            ("hh-client-language", "rust"),
            ("hh-client-package", "honeyhive-harness"),
            ("hh-client-timestamp", &now.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers.to_vec(),
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
        }
    }

    /// Replaces a header, or removes it where the value is empty.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        if !value.is_empty() {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Sends the call on its own connection.
    pub(crate) fn send(&self, fake: &Fake) -> Reply {
        Client::new(fake).send(self).expect("an answer")
    }
}

/// The answer to a call.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

/// A kept-alive connection.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn new(fake: &Fake) -> Self {
        Self::connect(fake).expect("a server")
    }

    pub(crate) fn connect(fake: &Fake) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, fake.port()))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        self.0.get_mut()
    }

    pub(crate) fn send(&mut self, call: &Call) -> io::Result<Reply> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", call.method, call.target);
        for (name, value) in &call.headers {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        let has = |name: &str| call.headers.iter().any(|(other, _)| other == name);
        if !has("host") {
            bytes.push_str("host: 127.0.0.1\r\n");
        }
        if !has("content-length") && !call.body.is_empty() {
            bytes.push_str(&format!("content-length: {}\r\n", call.body.len()));
        }
        bytes.push_str("\r\n");
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(&call.body);
        self.stream().write_all(&bytes)?;
        self.reply()
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> io::Result<Reply> {
        self.stream().write_all(bytes)?;
        self.reply()
    }

    fn reply(&mut self) -> io::Result<Reply> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let headers: Vec<(String, String)> = lines[1..]
            .iter()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        let status = lines[0].split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok(Reply { status: status.expect("a status"), headers, body })
    }
}

/// Returns the body of a run that follows all rules.
pub(crate) fn run() -> Value {
    json!({
        "run_id": RUN,
        "name": "capitals",
        "status": "pending",
        "metadata": {
            "offline_dataset_id": "EXT-cities",
            "git": {"branch": "main", "remote_url": "https://git.example/a/b", "is_dirty": false},
            "model": "m-1",
        },
        "event_ids": [],
        "configuration": {"function": "capitals", "evaluators": ["right"], "max_workers": 4,
            "aggregate_function": "average", "prompt": "v3"},
        "datapoint_ids": ["EXT-cities-paris", "EXT-cities-rome"],
    })
}

/// Returns the body of a session that follows all rules.
pub(crate) fn session() -> Value {
    json!({
        "session_id": SESSION,
        "session_name": "capitals-paris",
        "source": "evaluation",
        "inputs": {"country": "France"},
        "metadata": {"run_id": RUN, "dataset_id": "EXT-cities",
            "datapoint_id": "EXT-cities-paris", "attempt": 1},
    })
}

/// Returns the body of an update of the session that follows all rules.
pub(crate) fn session_update() -> Value {
    json!({
        "event_id": SESSION,
        "outputs": {"result": "Paris"},
        "feedback": {"ground_truth": null},
        "metrics": {"right": true, "close": 0.5, "right_explanation": "yes"},
    })
}

/// Sends a request that the server must accept, and returns the answer.
pub(crate) fn ok(fake: &Fake, kind: &str, body: &Value) -> Value {
    let reply = Call::rest(fake, kind, Some(body)).send(fake);
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    reply.json()
}

/// Requests an object that the server must have.
pub(crate) fn get(fake: &Fake, target: &str) -> Value {
    let reply = Call::rest(fake, &format!("GET {target}"), None).send(fake);
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    reply.json()
}

/// Adds a run and a session to a server.
pub(crate) fn with_session(fake: Fake) -> Fake {
    ok(&fake, "POST /v1/runs", &run());
    ok(&fake, "POST /session/start", &json!({"session": session()}));
    fake
}

/// Returns the body with another value at a pointer, or without it (`Value::Null` at a pointer that
/// ends in `-`).
pub(crate) fn changed(mut body: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').expect("a JSON pointer");
    let parent = body.pointer_mut(parent).expect("a parent");
    match (key.strip_suffix('-'), parent) {
        (Some(key), Value::Object(entries)) => {
            entries.remove(key).expect("something to take away");
        }
        (_, Value::Array(items)) => items[key.parse::<usize>().expect("an index")] = value,
        (_, parent) => parent[key] = value,
    }
    body
}

/// Sends a wrong call, and checks that it is refused with exactly this reason.
pub(crate) fn assert_refused(fake: &Fake, call: &Call, status: u16, reason: &str) {
    let before = fake.complaints().len();
    let reply = call.send(fake);
    let complaints = fake.complaints()[before..].to_vec();
    assert_eq!(reply.status, status, "{reason}: {complaints:?}");
    assert!(
        matches!(&complaints[..], [complaint] if complaint.contains(reason)),
        "{reason:?} is not in {complaints:#?}"
    );
    assert_eq!(fake.requests().last().and_then(|request| request.status), Some(status));
    let message = reply.json()["message"].clone();
    assert!(message.as_str().is_some_and(|message| message.contains(reason)), "{message}");
}
