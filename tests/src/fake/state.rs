//! Stores the requests and data that the server received.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::fault::{Fault, Plan};
use super::http::Head;
use super::route::{self, Route};
use super::span::Receiver;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method: `GET`, `POST`, ..
    pub method: String,
    /// The path as received, without the query.
    pub path: String,
    /// The decoded names and values of the query.
    pub query: Vec<(String, String)>,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; empty where the connection ended before it.
    pub body: Vec<u8>,
    /// The number of the TCP connection, from 1.
    pub connection: usize,
    /// The time when the whole head had arrived.
    pub arrived: Instant,
    /// The kind: one of [`KINDS`](super::KINDS), or `unknown`.
    pub kind: &'static str,
    /// Set when the same call was received before.
    pub retry: bool,
    /// The planned fault of this request.
    pub fault: Option<Fault>,
    /// The status of the answer; `None` until there is one.
    pub status: Option<u16>,
    /// The parts of the path in the place of `{..}`.
    pub(super) parameters: Vec<String>,
}

impl Request {
    /// Returns the first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let of = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        self.headers.iter().find(of).map(|(_, value)| value.as_str())
    }

    /// Returns the body, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(super) fn stamp(&self) -> Option<u64> {
        self.header("hh-client-timestamp")?.parse().ok()
    }
}

/// An update of a run or session.
#[derive(Clone, Debug)]
pub struct StoredUpdate {
    /// The body as received.
    pub body: Value,
    /// The number of consecutive deliveries of this update.
    pub deliveries: usize,
}

/// Stores an update, or counts the last one again if it is the same.
pub(super) fn push_update(updates: &mut Vec<StoredUpdate>, body: Value) {
    match updates.last_mut() {
        Some(last) if last.body == body => last.deliveries += 1,
        _ => updates.push(StoredUpdate { body, deliveries: 1 }),
    }
}

/// A run that was created.
#[derive(Clone, Debug)]
pub struct StoredRun {
    /// The id of the run on this server.
    pub id: String,
    /// The id that the client asked for.
    pub asked_id: String,
    /// The body of the request that created the run.
    pub created: Value,
    /// The bodies of the updates, in their order.
    pub updates: Vec<StoredUpdate>,
    /// The last status that was set.
    pub status: String,
    /// The number of deliveries of the creation.
    pub deliveries: usize,
    /// The number of requests for the result.
    pub polls: usize,
}

impl StoredRun {
    /// Returns the id of the dataset: HoneyHive's, or the external one.
    pub fn dataset_id(&self) -> Option<&str> {
        let managed = self.created["dataset_id"].as_str();
        managed.or_else(|| self.created["metadata"]["offline_dataset_id"].as_str())
    }

    /// Returns the datapoints in the last update or the creation; empty where none were given.
    pub(super) fn datapoint_ids(&self) -> &[Value] {
        let bodies = self.updates.iter().rev().map(|update| &update.body).chain([&self.created]);
        let mut lists = bodies.filter_map(|body| body["datapoint_ids"].as_array());
        lists.next().map_or(&[][..], Vec::as_slice)
    }
}

/// A session that was started.
#[derive(Clone, Debug)]
pub struct StoredSession {
    /// The id of the session on this server.
    pub id: String,
    /// The id that the client asked for.
    pub asked_id: String,
    /// The session itself, without the wrapping of `/session/start`.
    pub body: Value,
    /// The number of deliveries.
    pub deliveries: usize,
}

/// The sessions in the order of their arrival.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    pub(super) all: Vec<StoredSession>,
    by_id: HashMap<String, usize>,
    by_asked_id: HashMap<String, usize>,
}

impl Sessions {
    pub(super) fn get(&self, id: &str) -> Option<&StoredSession> {
        self.all.get(*self.by_id.get(id)?)
    }

    pub(super) fn asked(&mut self, id: &str) -> Option<&mut StoredSession> {
        self.all.get_mut(*self.by_asked_id.get(id)?)
    }

    pub(super) fn push(&mut self, session: StoredSession) {
        self.by_id.insert(session.id.clone(), self.all.len());
        self.by_asked_id.insert(session.asked_id.clone(), self.all.len());
        self.all.push(session);
    }

    /// Describes why an id is not that of a session; returns `None` where it is.
    pub(super) fn fault(&self, id: &str) -> Option<String> {
        if self.by_id.contains_key(id) {
            return None;
        }
        let known = self.by_asked_id.get(id).and_then(|index| self.all.get(*index));
        Some(match known {
            Some(session) => format!("session {id} was told that its id is {}", session.id),
            None => format!("no session {id} was started"),
        })
    }
}

/// The state of the server.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) requests: Vec<Request>,
    pub(super) runs: Vec<StoredRun>,
    pub(super) sessions: Sessions,
    /// The updates by the id of their session or event.
    pub(super) updates: BTreeMap<String, Vec<StoredUpdate>>,
    pub(super) events: Vec<Value>,
    /// The spans that came to HoneyHive.
    pub(super) spans: Receiver,
    /// The spans that came to the plain receiver.
    pub(super) otlp: Receiver,
    pub(super) complaints: Vec<String>,
    pub(super) plan: Plan,
    stamps: Stamps,
}

impl State {
    /// Stores a request whose head has arrived; returns its index and its planned fault.
    pub(super) fn arrive(&mut self, head: &Head, connection: usize) -> (usize, Option<Fault>) {
        let Route { kind, path, query, parameters } = route::find(&head.method, &head.target);
        let fault = self.plan.next(kind);
        let mut request = Request {
            method: head.method.clone(),
            path,
            query,
            headers: head.headers.clone(),
            body: Vec::new(),
            connection,
            arrived: Instant::now(),
            kind,
            retry: false,
            fault,
            status: None,
            parameters,
        };
        let index = self.requests.len();
        if let Some(stamp) = request.stamp() {
            let call = format!("{} {} {stamp}", head.method, head.target);
            let (retry, fault) = self.stamps.note(call, stamp);
            request.retry = retry;
            if let Some(fault) = fault {
                self.complaints.push(format!("request {}, {kind}: {fault}", index + 1));
            }
        }
        self.requests.push(request);
        (index, fault)
    }

    /// Returns the run with this id.
    pub(super) fn run(&mut self, id: &str) -> Option<&mut StoredRun> {
        self.runs.iter_mut().find(|run| run.id == id)
    }

    /// Describes why an id is not that of a run.
    pub(super) fn no_run(&self, id: &str) -> String {
        match self.runs.iter().find(|run| run.asked_id == id) {
            Some(run) => format!("run {id} was told that its id is {}", run.id),
            None => format!("there is no run {id}"),
        }
    }

    /// Accepts late calls that began before now, since they may have been refused until now.
    pub(super) fn forgive_old_stamps(&mut self) {
        self.stamps.forgiven = u64::try_from(now()).unwrap_or(u64::MAX);
    }
}

/// Returns the time now, in nanoseconds since 1970.
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// The start times that clients send with their calls.
#[derive(Debug, Default)]
struct Stamps {
    highest: u64,
    /// The limit for old calls: those that began before it may come at any time.
    forgiven: u64,
    seen: HashSet<String>,
}

impl Stamps {
    /// The time by which concurrent calls may overtake each other.
    const SLACK: u64 = 5_000_000_000;

    /// Stores a call. Returns whether it was received before, and the fault in its time.
    fn note(&mut self, call: String, stamp: u64) -> (bool, Option<String>) {
        if !self.seen.insert(call) {
            return (true, None);
        }
        let now = now();
        // The client's time is a wall clock read once plus a monotonic clock, so it may be off.
        let fault = if u128::from(stamp) > now + u128::from(Self::SLACK) {
            Some(format!("hh-client-timestamp {stamp} is in the future"))
        } else if now - u128::from(stamp).min(now) > 600_000_000_000 {
            Some(format!("hh-client-timestamp {stamp} is no nanoseconds of these ten minutes"))
        } else if stamp + Self::SLACK < self.highest && stamp > self.forgiven {
            Some(format!("hh-client-timestamp {stamp} is long before {}", self.highest))
        } else {
            None
        };
        if fault.is_none() {
            self.highest = self.highest.max(stamp);
        }
        (false, fault)
    }
}
