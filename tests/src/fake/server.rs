//! Runs the listening socket and its threads, one for each connection.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Options;
use super::fault::Fault;
use super::http::{Answer, Connection};
use super::route;
use super::state::State;

/// The longest wait for a port that another process has taken, and for the end of a thread.
const PATIENCE: Duration = Duration::from_secs(10);

/// The interval at which a waiting thread checks its condition.
const GLANCE: Duration = Duration::from_millis(5);

/// The state that all threads of a server share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) state: Mutex<State>,
    pub(super) connections: AtomicUsize,
    open: Mutex<HashMap<usize, TcpStream>>,
}

impl Shared {
    pub(super) fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server that listens.
#[derive(Debug)]
pub(super) struct Listening {
    shared: Arc<Shared>,
    port: u16,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    /// Listens on a port of this machine; 0 means any free port.
    pub(super) fn start(shared: &Arc<Shared>, port: u16) -> Self {
        let deadline = Instant::now() + PATIENCE;
        let listener = loop {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                Ok(listener) => break listener,
                Err(error) if Instant::now() > deadline => panic!("cannot listen: {error}"),
                Err(_) => std::thread::sleep(GLANCE),
            }
        };
        let port = listener.local_addr().expect("a listener has an address").port();
        let stopped = Arc::new(AtomicBool::new(false));
        let (inner, flag) = (Arc::clone(shared), Arc::clone(&stopped));
        let thread = std::thread::spawn(move || accept(&listener, &inner, &flag));
        Self { shared: Arc::clone(shared), port, stopped, thread: Some(thread) }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Listening {
    /// Stops the server. Afterwards the port is free, no connection is open, and no request changes
    /// the state.
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Connecting wakes the thread that accepts connections.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        for stream in lock(&self.shared.open).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let deadline = Instant::now() + PATIENCE;
        while !lock(&self.shared.open).is_empty() && Instant::now() < deadline {
            std::thread::sleep(GLANCE);
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, stopped: &Arc<AtomicBool>) {
    for stream in listener.incoming() {
        if stopped.load(Ordering::SeqCst) {
            return;
        }
        let pair = stream.and_then(|stream| Ok((stream.try_clone()?, stream)));
        let Ok((twin, stream)) = pair else {
            // The process has no free file descriptors; some will be closed soon.
            std::thread::sleep(GLANCE);
            continue;
        };
        let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
        lock(&shared.open).insert(number, twin);
        let (shared, stopped) = (Arc::clone(shared), Arc::clone(stopped));
        std::thread::spawn(move || {
            // The entry is removed even when the thread panics, so that a stop does not wait for
            // it.
            let open = Open { shared: &shared, number };
            let _ = stream.set_nodelay(true);
            let mut connection = Connection::new(stream);
            while talk(&mut connection, &shared, number, &stopped) {}
            let _ = connection.stream().shutdown(Shutdown::Both);
            drop(open);
        });
    }
}

struct Open<'a> {
    shared: &'a Shared,
    number: usize,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        lock(&self.shared.open).remove(&self.number);
    }
}

/// Handles one request. Returns whether the connection goes on.
fn talk(connection: &mut Connection, shared: &Shared, number: usize, stopped: &AtomicBool) -> bool {
    let complain = |error: &io::Error| {
        // A broken connection is not a fault: tests kill clients at any moment.
        if error.kind() == io::ErrorKind::InvalidData {
            let complaint = format!("connection {number}: {error}");
            lock(&shared.state).complaints.push(complaint);
        }
    };
    let head = match connection.head() {
        Ok(Some(head)) => head,
        Ok(None) => return false,
        Err(error) => {
            complain(&error);
            let _ = connection.answer(&Answer::error(400, &error.to_string()));
            return false;
        }
    };
    if head.headers.iter().any(|(name, value)| name == "expect" && value == "100-continue") {
        complain(&io::Error::new(io::ErrorKind::InvalidData, "waits for a 100 that never comes"));
        return false;
    }
    let (index, fault) = lock(&shared.state).arrive(&head, number);
    if fault == Some(Fault::CutBefore) {
        return false;
    }
    let Ok(body) = connection.body(&head).inspect_err(complain) else { return false };
    lock(&shared.state).requests[index].body = body;
    match fault {
        Some(Fault::Delay(millis)) => wait(connection, Duration::from_millis(millis), stopped),
        Some(Fault::Hang) => {
            wait(connection, Duration::from_secs(Fault::HANG_SECONDS), stopped);
            return false;
        }
        _ => {}
    }
    if stopped.load(Ordering::SeqCst) {
        return false;
    }
    let answer = answer(shared, index, fault);
    fault != Some(Fault::CutAfter) && connection.answer(&answer).is_ok()
}

fn answer(shared: &Shared, index: usize, fault: Option<Fault>) -> Answer {
    let mut state = lock(&shared.state);
    let mut answer = match fault {
        Some(Fault::Status(status)) => Answer::error(status, "as the test planned"),
        Some(Fault::StatusRetryAfter(status, seconds)) => {
            Answer { retry_after: Some(seconds), ..Answer::error(status, "as the test planned") }
        }
        Some(Fault::Empty) => {
            Answer { status: 200, content_type: "", body: Vec::new(), retry_after: None }
        }
        Some(Fault::Page) => {
            let body = b"<!DOCTYPE html><title>Log in</title>".to_vec();
            Answer { status: 200, content_type: "text/html", body, retry_after: None }
        }
        _ => route::answer(&mut state, &shared.options, index),
    };
    match fault {
        Some(Fault::CutAfter) => return answer,
        Some(Fault::Garbage) => {
            answer.status = 200;
            answer.body = b"<html>a proxy that is pleased with itself".to_vec();
        }
        _ => {}
    }
    state.requests[index].status = Some(answer.status);
    answer
}

/// Waits for this time, but ends early when the client is gone or the server stops.
fn wait(connection: &Connection, time: Duration, stopped: &AtomicBool) {
    let deadline = Instant::now() + time;
    let stream = connection.stream();
    let _ = stream.set_nonblocking(true);
    while Instant::now() < deadline && !stopped.load(Ordering::SeqCst) {
        match stream.peek(&mut [0]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(1..) => {}
            Ok(0) | Err(_) => break,
        }
        std::thread::sleep(GLANCE.min(deadline.saturating_duration_since(Instant::now())));
    }
    let _ = stream.set_nonblocking(false);
}
