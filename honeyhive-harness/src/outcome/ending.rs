//! Says whether an invocation ended in good order.

use crate::journal::Results;

/// The way in which an invocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every process recorded its end.
    Complete,
    /// Ctrl-C, or a request to end (SIGTERM).
    Interrupted,
    /// A process did not record its end: it was killed, or still runs.
    Unfinished,
}

impl Ending {
    /// Returns the way in which the processes of an invocation ended. A process without an end counts
    /// before one that was interrupted: of it, less is known.
    pub(crate) fn of(results: &Results) -> Self {
        if results.processes.len() > results.ends.len() {
            Self::Unfinished
        } else if results.ends.iter().any(|end| end.interrupted) {
            Self::Interrupted
        } else {
            Self::Complete
        }
    }
}
