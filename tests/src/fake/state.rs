//! What the server has seen and keeps.

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
    /// `GET`, `POST`, ..
    pub method: String,
    /// Without the query, as it came.
    pub path: String,
    /// Names and values, decoded.
    pub query: Vec<(String, String)>,
    /// Names are in lower case.
    pub headers: Vec<(String, String)>,
    /// Empty where the connection ended before it.
    pub body: Vec<u8>,
    /// The number of the TCP connection, from 1.
    pub connection: usize,
    /// When its head had come.
    pub arrived: Instant,
    /// Which of [`KINDS`](super::KINDS) it is, or `unknown`.
    pub kind: &'static str,
    /// Whether the same call was seen before.
    pub retry: bool,
    /// What went wrong as planned.
    pub fault: Option<Fault>,
    /// What it was answered, as soon as it was.
    pub status: Option<u16>,
    /// The parts of the path that stand for `{..}`.
    pub(super) parameters: Vec<String>,
}

impl Request {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let of = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        self.headers.iter().find(of).map(|(_, value)| value.as_str())
    }

    /// The body, where it is JSON.
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
    /// As it came.
    pub body: Value,
    /// 1, and 1 more for each time that it came again with no other in between.
    pub deliveries: usize,
}

/// Notes an update down, or that the last one came once more.
pub(super) fn push_update(updates: &mut Vec<StoredUpdate>, body: Value) {
    match updates.last_mut() {
        Some(last) if last.body == body => last.deliveries += 1,
        _ => updates.push(StoredUpdate { body, deliveries: 1 }),
    }
}

/// A run that was created.
#[derive(Clone, Debug)]
pub struct StoredRun {
    /// The id that it has here.
    pub id: String,
    /// The id that the client gave it.
    pub asked_id: String,
    /// The body of its creation.
    pub created: Value,
    /// Bodies of its updates in their order.
    pub updates: Vec<StoredUpdate>,
    /// The last status that it was given.
    pub status: String,
    /// How often its creation came.
    pub deliveries: usize,
    /// How often its result was asked for.
    pub polls: usize,
}

impl StoredRun {
    /// The dataset: HoneyHive's id, or the external one.
    pub fn dataset_id(&self) -> Option<&str> {
        let managed = self.created["dataset_id"].as_str();
        managed.or_else(|| self.created["metadata"]["offline_dataset_id"].as_str())
    }

    /// The datapoints, as it was last told; none where it was not.
    pub(super) fn datapoint_ids(&self) -> &[Value] {
        let bodies = self.updates.iter().rev().map(|update| &update.body).chain([&self.created]);
        let mut lists = bodies.filter_map(|body| body["datapoint_ids"].as_array());
        lists.next().map_or(&[][..], Vec::as_slice)
    }
}

/// A session that was started.
#[derive(Clone, Debug)]
pub struct StoredSession {
    /// The id that it has here.
    pub id: String,
    /// The id that the client gave it.
    pub asked_id: String,
    /// The session itself, without the wrapping of `/session/start`.
    pub body: Value,
    /// How often it came.
    pub deliveries: usize,
}

/// Sessions by the order of their arrival.
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

    /// Why an id is not that of a session, where it is not.
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

/// Everything.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) requests: Vec<Request>,
    pub(super) runs: Vec<StoredRun>,
    pub(super) sessions: Sessions,
    /// By session or event.
    pub(super) updates: BTreeMap<String, Vec<StoredUpdate>>,
    pub(super) events: Vec<Value>,
    /// Spans that came to HoneyHive.
    pub(super) spans: Receiver,
    /// Spans that came to the plain receiver.
    pub(super) otlp: Receiver,
    pub(super) complaints: Vec<String>,
    pub(super) plan: Plan,
    stamps: Stamps,
}

impl State {
    /// Notes a request down whose head has come; gives its index and what goes wrong with it.
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

    /// The run of this id.
    pub(super) fn run(&mut self, id: &str) -> Option<&mut StoredRun> {
        self.runs.iter_mut().find(|run| run.id == id)
    }

    /// Why an id is not that of a run.
    pub(super) fn no_run(&self, id: &str) -> String {
        match self.runs.iter().find(|run| run.asked_id == id) {
            Some(run) => format!("run {id} was told that its id is {}", run.id),
            None => format!("there is no run {id}"),
        }
    }

    /// Calls that began before now may have been refused until now.
    pub(super) fn forgive_old_stamps(&mut self) {
        self.stamps.forgiven = u64::try_from(now()).unwrap_or(u64::MAX);
    }
}

/// Nanoseconds since 1970.
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// The times that clients say their calls began at.
#[derive(Debug, Default)]
struct Stamps {
    highest: u64,
    /// Calls that began before this may come at any time.
    forgiven: u64,
    seen: HashSet<String>,
}

impl Stamps {
    /// Calls that run at the same time overtake each other by less than this.
    const SLACK: u64 = 5_000_000_000;

    /// Whether the call was seen before, and what is wrong with its time.
    fn note(&mut self, call: String, stamp: u64) -> (bool, Option<String>) {
        if !self.seen.insert(call) {
            return (true, None);
        }
        let now = now();
        // The client's clock is a wall clock of the past plus a monotonic one.
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
