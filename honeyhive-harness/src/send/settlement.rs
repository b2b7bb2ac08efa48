//! Sends spans of several owners in one request, and finds the result of each owner.
//!
//! A request whose content is refused is halved until what the receiver refuses stands alone. So
//! one owner takes no others with it, and a limit on the size of requests is found.

use std::collections::VecDeque;
use std::ops::Range;

use super::batch::{Batch, ResourceInfo};
use super::receiver::Receiver;
use crate::api::{ApiError, Outlook, Rejected};

/// The number of refusals, without anything taken, after which the receiver is wrong and not the content.
pub(crate) const MOST_DOUBTS: usize = 8;

/// A batch on its way, with what its spans have in common.
#[derive(Debug)]
pub(crate) struct Shipment<'a> {
    pub(crate) batch: Batch,
    /// The number of spans of each owner that it holds, in the order of the batch.
    pub(crate) sizes: &'a [usize],
    pub(crate) resource: &'a ResourceInfo,
    pub(crate) source: &'a str,
    /// Set when the receiver took spans before, so that a refusal is about their content.
    pub(crate) is_trusted: bool,
}

/// The result of sending spans.
#[derive(Debug)]
pub(crate) enum Taken {
    /// The spans arrived, but for some that the receiver refuses permanently.
    Yes(Option<Rejected>),
    /// The spans did not arrive. Of one owner whose spans were sent in pieces, this holds only the rest.
    No(ApiError, Batch),
    /// The spans were not sent, since a request before them failed.
    Untried(Batch),
}

/// The result of sending the spans of some owners.
#[derive(Debug)]
pub(crate) struct Part {
    /// The owners, by their places in [`Shipment::sizes`].
    pub(crate) owners: Range<usize>,
    pub(crate) taken: Taken,
}

impl Receiver {
    /// Sends a batch, in as few requests as the receiver takes it in. The parts are in the order of
    /// the batch, and together they are all of it.
    pub(crate) async fn settle(&self, shipment: Shipment<'_>) -> Vec<Part> {
        let Shipment { batch, sizes, resource, source, mut is_trusted } = shipment;
        let mut parts = Vec::new();
        let mut waiting = VecDeque::from([(batch, 0..sizes.len())]);
        let mut refusals = 0;
        while let Some((mut batch, owners)) = waiting.pop_front() {
            let error = match self.send(&batch, resource, source).await {
                Ok(rejected) => {
                    is_trusted = true;
                    parts.push(Part { owners, taken: Taken::Yes(rejected) });
                    continue;
                }
                Err(error) => error,
            };
            let is_content = error.outlook() == Outlook::Content;
            refusals += usize::from(is_content);
            if is_content && owners.len() > 1 {
                let middle = owners.start + owners.len() / 2;
                let rest = batch.split_off(sizes[owners.start..middle].iter().sum());
                waiting.push_front((rest, middle..owners.end));
                waiting.push_front((batch, owners.start..middle));
                continue;
            }
            let taken = if error.is_oversize() {
                self.in_pieces(batch, error, resource, source).await
            } else {
                Taken::No(error, batch)
            };
            // What is refused here is refused everywhere, or the server cannot be reached.
            let stops = match &taken {
                Taken::Yes(_) => {
                    is_trusted = true;
                    false
                }
                Taken::No(error, _) if error.outlook() == Outlook::Content => {
                    !is_trusted && refusals >= MOST_DOUBTS
                }
                _ => true,
            };
            parts.push(Part { owners, taken });
            if stops {
                let rest = waiting.drain(..);
                parts.extend(
                    rest.map(|(batch, owners)| Part { owners, taken: Taken::Untried(batch) }),
                );
            }
        }
        parts
    }

    /// Sends the spans of one owner, which are too large for one request, in several.
    async fn in_pieces(
        &self,
        batch: Batch,
        error: ApiError,
        resource: &ResourceInfo,
        source: &str,
    ) -> Taken {
        if batch.len() < 2 {
            return Taken::No(error, batch);
        }
        let mut waiting = VecDeque::from(halves(batch));
        let mut all: Option<Rejected> = None;
        while let Some(batch) = waiting.pop_front() {
            match self.send(&batch, resource, source).await {
                Ok(rejected) => all = all.or(rejected),
                Err(error) if error.is_oversize() && batch.len() > 1 => {
                    let [first, second] = halves(batch);
                    waiting.push_front(second);
                    waiting.push_front(first);
                }
                Err(error) => return Taken::No(error, batch),
            }
        }
        Taken::Yes(all)
    }
}

fn halves(mut batch: Batch) -> [Batch; 2] {
    let rest = batch.split_off(batch.len() / 2);
    [batch, rest]
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;
    use crate::api::HoneyHive;
    use crate::api::tests::server::{Server, answer};
    use crate::config::{Connection, Protocol, Secret};
    use crate::tracer::{SpanRecord, SpanStatus};

    /// A batch with a span of each name.
    fn batch(names: &[&str]) -> Batch {
        let mut batch = Batch::new(Protocol::Json);
        for name in names {
            let record = SpanRecord {
                name: (*name).to_owned(),
                span_id: "00f067aa0ba902b7".to_owned(),
                parent_span_id: None,
                kind: "internal".to_owned(),
                start_unix_ns: 1,
                end_unix_ns: 2,
                status: SpanStatus::Unset,
                attributes: Map::new(),
                events: Vec::new(),
                links: Vec::new(),
            };
            assert!(batch.push("4bf92f3577b34da6a3ce929d0e0e4736", record, Map::new()));
        }
        batch
    }

    fn names(body: &Value) -> Vec<String> {
        let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
        spans.iter().map(|span| span["name"].as_str().unwrap().to_owned()).collect()
    }

    /// A server that answers by the names of the spans and how many requests came before.
    fn server(status: impl Fn(&[String], usize) -> u16 + Send + Sync + 'static) -> Server {
        Server::start(move |seen, before| {
            let status = status(&names(&seen.json()), before);
            answer(status, "{}").header("content-type", "application/json")
        })
    }

    /// Sends spans of these names, an owner each unless `sizes` says otherwise.
    async fn settle(server: &Server, all: &[&str], sizes: &[usize], is_trusted: bool) -> Vec<Part> {
        let connection = Connection {
            server: server.address(),
            api_key: Some(Secret::new("hh_key")),
            retries: 0,
            ..Connection::default()
        };
        let client = HoneyHive::from_connection(&connection).unwrap();
        let receiver = Receiver::HoneyHive { client, protocol: Protocol::Json };
        let resource = &ResourceInfo { service: "app".to_owned(), project: None };
        let batch = batch(all);
        receiver.settle(Shipment { batch, sizes, resource, source: "dev", is_trusted }).await
    }

    /// Returns the result of each owner, in one word.
    fn ends(parts: &[Part]) -> Vec<&'static str> {
        let mut ends = Vec::new();
        for Part { owners, taken } in parts {
            let end = match taken {
                Taken::Yes(_) => "taken",
                Taken::No(..) => "refused",
                Taken::Untried(_) => "untried",
            };
            ends.resize(owners.end, end);
        }
        ends
    }

    #[tokio::test]
    async fn a_refused_span_takes_no_others_with_it() {
        let server = server(|names, _| if names.iter().any(|it| it == "c") { 400 } else { 200 });
        let parts = settle(&server, &["a", "b", "c", "d"], &[1; 4], true).await;
        assert_eq!(ends(&parts), ["taken", "taken", "refused", "taken"]);
        // All, the halves, and the quarters of the second half.
        assert_eq!(server.seen().len(), 5);
    }

    #[tokio::test]
    async fn what_was_not_taken_comes_back_in_order() {
        let server = server(|names, before| match before {
            0 => 413,
            1 => 200,
            _ => {
                assert_eq!(names, ["c", "d"]);
                503
            }
        });
        let parts = settle(&server, &["a", "b", "c", "d"], &[1; 4], true).await;
        assert_eq!(ends(&parts), ["taken", "taken", "refused", "refused"]);
        let Some(Part { taken: Taken::No(error, batch), .. }) = parts.last() else { panic!() };
        assert!(error.outlook().may_pass());
        let resource = ResourceInfo { service: "app".to_owned(), project: None };
        let body = serde_json::from_slice(&batch.encode(&resource).1).unwrap();
        assert_eq!(names(&body), ["c", "d"]);
    }

    #[tokio::test]
    async fn a_receiver_that_takes_nothing_is_not_asked_about_each_owner() {
        let server = server(|_, _| 400);
        let all: Vec<String> = (0..64).map(|n| n.to_string()).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let parts = settle(&server, &all, &[1; 64], false).await;
        let ends = ends(&parts);
        assert_eq!((ends.len(), ends.last()), (64, Some(&"untried")));
        assert!(server.seen().len() <= MOST_DOUBTS + 1, "{} requests", server.seen().len());
    }

    #[tokio::test]
    async fn spans_of_one_owner_go_in_pieces() {
        let server = server(|names, _| if names.len() > 1 { 413 } else { 200 });
        let parts = settle(&server, &["a", "b", "c", "d", "e"], &[4, 1], true).await;
        assert_eq!(ends(&parts), ["taken", "taken"]);
        let taken = server.seen().into_iter().map(|seen| names(&seen.json()));
        let taken: Vec<String> = taken.filter(|names| names.len() == 1).flatten().collect();
        assert_eq!(taken, ["a", "b", "c", "d", "e"]);
    }
}
