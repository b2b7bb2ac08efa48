//! Spans of several attempts in one request, and what becomes of each attempt.
//!
//! A request whose content is refused is halved until what the destination does not like stands
//! alone. So one attempt takes no others with it, and a limit on the size of requests is found.

use std::collections::VecDeque;
use std::ops::Range;

use super::MOST_DOUBTS;
use crate::api::{ApiError, Outlook, Rejected};
use crate::tracer::otlp::{Batch, ResourceInfo};
use crate::upload::destination::{Destination, Way};

/// What became of spans.
#[derive(Debug)]
pub(in crate::upload) enum Taken {
    /// They arrived, but for some that the destination will never take.
    Yes(Option<Rejected>),
    /// They did not.
    No(ApiError),
    /// They were not sent any more.
    Untried,
}

/// What became of the spans of some attempts of a batch.
#[derive(Debug)]
pub(in crate::upload) struct Part {
    /// Which ones, by their places in the batch.
    pub(in crate::upload) attempts: Range<usize>,
    pub(in crate::upload) taken: Taken,
}

impl Destination {
    /// Sends the spans of attempts, of which each has so many. `takes` says that the destination
    /// took spans before, so that what it refuses is about their content.
    pub(super) async fn send_spans(
        &self,
        batch: Batch,
        sizes: &[usize],
        resource: &ResourceInfo,
        source: &str,
        takes: bool,
    ) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut waiting = VecDeque::from([(batch, 0..sizes.len())]);
        let mut takes = takes;
        let mut refusals = 0;
        while let Some((mut batch, attempts)) = waiting.pop_front() {
            let sent = self.send_batch(&batch, resource, source).await;
            let error = match sent {
                Ok(rejected) => {
                    takes = true;
                    parts.push(Part { attempts, taken: Taken::Yes(rejected) });
                    continue;
                }
                Err(error) => error,
            };
            if error.outlook() == Outlook::Content && attempts.len() > 1 {
                refusals += 1;
                let middle = attempts.start + attempts.len() / 2;
                let rest = batch.split_off(sizes[attempts.start..middle].iter().sum());
                waiting.push_front((rest, middle..attempts.end));
                waiting.push_front((batch, attempts.start..middle));
                continue;
            }
            let taken = if error.outlook() == Outlook::Content {
                refusals += 1;
                self.in_pieces(batch, error, resource, source).await
            } else {
                Taken::No(error)
            };
            // What is refused here is refused everywhere, or the server is away.
            let stops = match &taken {
                Taken::Yes(_) => {
                    takes = true;
                    false
                }
                Taken::No(error) if error.outlook() == Outlook::Content => {
                    !takes && refusals >= MOST_DOUBTS
                }
                _ => true,
            };
            parts.push(Part { attempts, taken });
            if stops {
                let rest = waiting.drain(..);
                parts.extend(rest.map(|(_, attempts)| Part { attempts, taken: Taken::Untried }));
            }
        }
        parts
    }

    /// Sends the spans of one attempt that are too large for one request in several.
    async fn in_pieces(
        &self,
        batch: Batch,
        error: ApiError,
        resource: &ResourceInfo,
        source: &str,
    ) -> Taken {
        if error.status() != Some(413) || batch.len() < 2 {
            return Taken::No(error);
        }
        let mut waiting = VecDeque::from(halves(batch));
        let mut all: Option<Rejected> = None;
        while let Some(batch) = waiting.pop_front() {
            match self.send_batch(&batch, resource, source).await {
                Ok(rejected) => all = all.or(rejected),
                Err(error) if error.status() == Some(413) && batch.len() > 1 => {
                    let [first, second] = halves(batch);
                    waiting.push_front(second);
                    waiting.push_front(first);
                }
                Err(error) => return Taken::No(error),
            }
        }
        Taken::Yes(all)
    }

    async fn send_batch(
        &self,
        batch: &Batch,
        resource: &ResourceInfo,
        source: &str,
    ) -> Result<Option<Rejected>, ApiError> {
        if batch.len() == 0 {
            return Ok(None);
        }
        let (kind, body) = batch.encode(resource);
        match &self.way {
            Way::HoneyHive { client, .. } => client.send_spans(kind, body, source).await,
            Way::Otlp(receiver) => receiver.send(kind, body).await,
        }
    }
}

fn halves(mut batch: Batch) -> [Batch; 2] {
    let rest = batch.split_off(batch.len() / 2);
    [batch, rest]
}
