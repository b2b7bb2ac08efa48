//! Defines evaluators, and datasets that are easier to write in Rust than in a file.

use honeyhive_harness::{Datapoint, Score, evaluator};

use crate::Priority;

/// Returns whether the priority is the one that a person gave the ticket.
#[evaluator]
pub(crate) fn same_priority(output: Priority, ground_truth: Priority) -> bool {
    output == ground_truth
}

/// Checks that an urgent ticket never waits: one miss fails the build, whatever the mean.
#[evaluator]
pub(crate) fn not_missed(output: Priority, ground_truth: Priority) -> Option<Score> {
    (ground_truth == Priority::Urgent).then(|| {
        Score::new(output != Priority::Normal).explanation(format!("sorted as {output:?}"))
    })
}

/// Checks that a text fits into a list.
#[evaluator]
pub(crate) fn at_most(output: &str, #[setting] characters: usize) -> bool {
    output.chars().count() <= characters
}

/// Checks that a teaser contains only text of the body.
#[evaluator]
pub(crate) fn from_the_body(output: &str, body: &str) -> bool {
    body.contains(output.trim_end_matches('…'))
}

pub(crate) fn long_tickets() -> impl Iterator<Item = Datapoint> {
    let bodies = [
        "The export stops at 200 rows. Before the update it was complete.",
        "Since this morning nobody in our Lisbon office is able to open the dashboard. Please help!",
        "Thanks for the quick answer",
        "",
    ];
    bodies.into_iter().enumerate().map(|(number, body)| {
        Datapoint::new().id(format!("ticket-{number}")).input("body", body).input("limit", 40)
    })
}
