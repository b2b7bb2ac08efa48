//! Sorts support tickets by how urgent they are.
//!
//! It is like a library in your workspace. Its functions are annotated where they are defined; the
//! annotations exist only under the feature `evals`, which only the tests turn on.

#[cfg(feature = "evals")]
mod evals;

use serde::{Deserialize, Serialize};

/// The urgency with which a ticket must be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// The ticket must be answered now: something is down, or data are at risk.
    Urgent,
    /// The ticket must be answered today: a customer cannot work.
    High,
    /// The ticket is answered in the order of arrival.
    Normal,
}

const URGENT: [&str; 6] =
    ["outage", "down for everyone", "data loss", "security", "breach", "lost all"];
const HIGH: [&str; 6] = ["cannot", "can't", "error", "crash", "blocked", "fails"];

/// Returns the priority of a ticket by the words in its subject and body.
#[cfg_attr(
    feature = "evals",
    honeyhive_harness::experiment(
        dataset = "data/tickets.csv",
        evaluators(evals::same_priority, evals::not_missed),
        require(evals::not_missed),
        gate(mean(evals::same_priority) >= 0.8),
        metadata(method = "keywords"),
    )
)]
pub fn priority(subject: &str, body: &str) -> Priority {
    let text = format!("{subject} {body}").to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&URGENT) {
        Priority::Urgent
    } else if has(&HIGH) {
        Priority::High
    } else {
        Priority::Normal
    }
}

/// Returns the first sentence of a ticket's body, at most `limit` characters, for lists.
#[cfg_attr(
    feature = "evals",
    honeyhive_harness::experiment(
        dataset = evals::long_tickets,
        evaluators(evals::at_most(characters = 40), evals::from_the_body),
    )
)]
pub fn teaser(body: &str, limit: usize) -> String {
    let sentence = body.split(['.', '!', '?']).next().unwrap_or_default().trim();
    if sentence.chars().count() <= limit {
        return sentence.to_owned();
    }
    let mut short: String = sentence.chars().take(limit.saturating_sub(1)).collect();
    short.push('…');
    short
}
