//! Implements the part of HTTP/1.1 that tests need: requests with a length, kept-alive connections.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

/// The largest head that is accepted. Clients in these tests send less.
const MAX_HEAD: usize = 64 << 10;
const MAX_BODY: usize = 64 << 20;

/// The head of a request.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) method: String,
    /// The path and query, as received.
    pub(super) target: String,
    /// The headers, with names in lower case.
    pub(super) headers: Vec<(String, String)>,
}

/// The answer to a request.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
    /// The value of `Retry-After`, in seconds.
    pub(super) retry_after: Option<u64>,
}

impl Answer {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json",
            body: body.to_string().into_bytes(),
            retry_after: None,
        }
    }

    /// Creates an error with a body in HoneyHive's form.
    pub(super) fn error(status: u16, message: &str) -> Self {
        Self::json(status, &json!({"message": message, "errorCode": format!("FAKE_{status}")}))
    }
}

/// One end of a connection, with the bytes that were read ahead.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 << 10];
        match self.stream.read(&mut chunk)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                self.buffer.extend_from_slice(&chunk[..length]);
                Ok(())
            }
        }
    }

    /// Reads the head of the next request; returns `None` when the client has closed the
    /// connection.
    ///
    /// # Errors
    /// Returns an error when the bytes are not HTTP (`InvalidData`, with the reason), or the
    /// connection broke.
    pub(super) fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(head) = self.parse()? {
                return Ok(Some(head));
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(invalid("the head of a request does not end".into()));
            }
            match self.fill() {
                Err(_) if self.buffer.is_empty() => return Ok(None),
                outcome => outcome?,
            }
        }
    }

    fn parse(&mut self) -> io::Result<Option<Head>> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        let parsed = request.parse(&self.buffer).map_err(|error| invalid(error.to_string()))?;
        let httparse::Status::Complete(length) = parsed else { return Ok(None) };
        if request.version != Some(1) {
            return Err(invalid("not HTTP/1.1".into()));
        }
        let head = Head {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            headers: request
                .headers
                .iter()
                .map(|header| {
                    let value = String::from_utf8_lossy(header.value).into_owned();
                    (header.name.to_ascii_lowercase(), value)
                })
                .collect(),
        };
        self.buffer.drain(..length);
        Ok(Some(head))
    }

    /// Reads the body that belongs to a head.
    ///
    /// # Errors
    /// Returns an error when it has no usable length (`InvalidData`), or the connection broke.
    pub(super) fn body(&mut self, head: &Head) -> io::Result<Vec<u8>> {
        let value = |name: &str| {
            head.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
        };
        if value("transfer-encoding").is_some() {
            return Err(invalid("a body in chunks, though its length is known".into()));
        }
        let length = match value("content-length") {
            None => 0,
            Some(text) => text.parse().map_err(|_| invalid(format!("content-length: {text}")))?,
        };
        if length > MAX_BODY {
            return Err(invalid(format!("a body of {length} bytes")));
        }
        while self.buffer.len() < length {
            self.fill()?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    /// Sends an answer.
    ///
    /// # Errors
    /// Returns an error when the client has closed the connection.
    pub(super) fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        let mut bytes = format!(
            "HTTP/1.1 {} {}\r\ncontent-type: {}\r\ncontent-length: {}\r\n",
            answer.status,
            reason(answer.status),
            answer.content_type,
            answer.body.len()
        );
        if let Some(seconds) = answer.retry_after {
            bytes.push_str(&format!("retry-after: {seconds}\r\n"));
        }
        bytes.push_str("\r\n");
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(&answer.body);
        self.stream.write_all(&bytes)
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "As The Test Says",
    }
}

/// Returns the names and values of a query, in their order.
pub(super) fn query_pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}

/// Decodes percent-encoding.
pub(super) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], code) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
