//! Implements a client of rust-analyzer: requests over its standard streams, each with a time
//! limit.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The time limit for reading the workspace, which builds the macros; chosen for a slow machine.
const START: Duration = Duration::from_secs(900);

/// The time limit for one request.
const ANSWER: Duration = Duration::from_secs(180);

/// A place in a file: line and column in bytes, both from 0.
pub(crate) type Place = (usize, usize);

/// A range within one line.
pub(crate) type Range = (Place, Place);

/// A rust-analyzer that has read a workspace.
pub(crate) struct Server {
    child: Child,
    stdin: ChildStdin,
    messages: Receiver<Value>,
    root: PathBuf,
    last: u64,
    /// The diagnostics that the server sent by itself, by the address of the file.
    published: BTreeMap<String, Value>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the command in a workspace, and waits until the whole workspace is read.
    pub(crate) fn start(mut command: Command, root: &Path) -> Self {
        command.current_dir(root).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().expect("rust-analyzer starts");
        let stdin = child.stdin.take().expect("stdin is piped");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || {
            while let Some(message) = read(&mut stdout) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let root = root.to_owned();
        let mut server = Self { child, stdin, messages, root, last: 0, published: BTreeMap::new() };
        server.initialize();
        server
    }

    fn initialize(&mut self) {
        let root = self.address("");
        self.request(
            "initialize",
            &json!({
                "processId": std::process::id(),
                "rootUri": root,
                "workspaceFolders": [{"uri": root, "name": "project"}],
                "initializationOptions": settings(),
                "capabilities": {
                    "general": {"positionEncodings": ["utf-8"]},
                    "experimental": {
                        "serverStatusNotification": true,
                        "commands": {"commands": ["rust-analyzer.runSingle"]},
                    },
                    "workspace": {
                        "configuration": true,
                        "workspaceEdit": {"documentChanges": true},
                    },
                    "textDocument": {
                        "definition": {"linkSupport": true},
                        "diagnostic": {},
                        "hover": {"contentFormat": ["plaintext"]},
                        "publishDiagnostics": {},
                    },
                },
            }),
        );
        self.notify("initialized", &json!({}));
        let deadline = Instant::now() + START;
        loop {
            let message = self.receive(deadline, "the end of reading the workspace");
            let status = &message["params"];
            if message["method"] == "experimental/serverStatus" && status["quiescent"] == true {
                assert_ne!(status["health"], "error", "{status}");
                return;
            }
        }
    }

    /// Returns the address of a file of the workspace.
    pub(crate) fn address(&self, file: &str) -> String {
        format!("file://{}", self.root.join(file).display())
    }

    /// Opens a file in the editor, with this content.
    pub(crate) fn open(&mut self, file: &str, text: &str) {
        let document =
            json!({"uri": self.address(file), "languageId": "rust", "version": 1, "text": text});
        self.notify("textDocument/didOpen", &json!({"textDocument": document}));
    }

    /// Replaces the content of an open file.
    pub(crate) fn change(&mut self, file: &str, text: &str) {
        let document = json!({"uri": self.address(file), "version": 2});
        let changes = json!([{"text": text}]);
        self.notify(
            "textDocument/didChange",
            &json!({"textDocument": document, "contentChanges": changes}),
        );
    }

    /// Sends a request about a place, and returns the result.
    pub(crate) fn ask(&mut self, method: &str, file: &str, place: Place, more: &Value) -> Value {
        let mut params = json!({
            "textDocument": {"uri": self.address(file)},
            "position": {"line": place.0, "character": place.1},
        });
        if let (Some(params), Some(more)) = (params.as_object_mut(), more.as_object()) {
            params.extend(more.clone());
        }
        self.request(method, &params)
    }

    /// Sends a request about a file, and returns the result.
    pub(crate) fn ask_about(&mut self, method: &str, file: &str) -> Value {
        let uri = self.address(file);
        self.request(method, &json!({"textDocument": {"uri": uri}, "position": null}))
    }

    /// Returns the diagnostics of a file.
    pub(crate) fn diagnostics(&mut self, file: &str) -> Vec<Value> {
        let report = self.ask_about("textDocument/diagnostic", file);
        let found = report["items"].as_array().expect("a list of problems").clone();
        let published = self.published.get(&self.address(file));
        found.into_iter().chain(published.into_iter().flat_map(list).cloned()).collect()
    }

    /// Sends a request, and returns its result.
    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        let id = self.last;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let deadline = Instant::now() + if method == "initialize" { START } else { ANSWER };
        loop {
            let mut message = self.receive(deadline, method);
            if message["id"] == id && message.get("method").is_none() {
                assert!(message.get("error").is_none(), "{method} {params}: {message}");
                return message["result"].take();
            }
        }
    }

    fn notify(&mut self, method: &str, params: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        let sent = write!(self.stdin, "Content-Length: {}\r\n\r\n{text}", text.len());
        sent.and_then(|()| self.stdin.flush()).expect("rust-analyzer reads");
    }

    /// Returns the next message, and answers requests of the server.
    fn receive(&mut self, deadline: Instant, what: &str) -> Value {
        let left = deadline.saturating_duration_since(Instant::now());
        let message = self.messages.recv_timeout(left);
        let message = message.unwrap_or_else(|error| panic!("waiting for {what}: {error}"));
        if let (Some(method), Some(id)) = (message["method"].as_str(), message.get("id")) {
            let result = match method {
                "workspace/configuration" => {
                    list(&message["params"]["items"]).map(|_| settings()).collect()
                }
                _ => Value::Null,
            };
            self.send(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
        }
        if message["method"] == "textDocument/publishDiagnostics"
            && let Some(uri) = message["params"]["uri"].as_str()
        {
            self.published.insert(uri.to_owned(), message["params"]["diagnostics"].clone());
        }
        message
    }
}

/// Returns the settings of an editor, with all slow features turned off that these tests do not
/// need.
fn settings() -> Value {
    json!({
        "cachePriming": {"enable": false},
        "checkOnSave": false,
        "diagnostics": {"styleLints": {"enable": true}},
        "files": {"watcher": "client"},
        "numThreads": 2,
        "procMacro": {"enable": true},
    })
}

/// Returns the elements of an array, and none for other values.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Converts a range of the protocol.
pub(crate) fn range(value: &Value) -> Range {
    let number = |value: &Value| {
        let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
        number.unwrap_or_else(|| panic!("no number: {value}"))
    };
    let place = |value: &Value| (number(&value["line"]), number(&value["character"]));
    (place(&value["start"]), place(&value["end"]))
}

/// Reads one message; returns `None` at the end.
fn read(stream: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().ok()?;
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content).ok()?;
    serde_json::from_slice(&content).ok()
}
