//! Defines the ending and the outcome of an invocation.

use crate::journal::Results;

/// The way in which an invocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every process recorded its end.
    Complete,
    /// A process was interrupted by Ctrl-C or SIGTERM.
    Interrupted,
    /// A process did not record its end: it was killed, or still runs.
    Unfinished,
}

impl Ending {
    /// Returns the way in which the processes of an invocation ended. A process without an end counts
    /// before one that was interrupted: of it, less is known.
    pub(crate) fn of(results: &Results) -> Self {
        // A file without a line is that of a process that was killed before it wrote one.
        if results.processes.len() > results.ends.len()
            || results.processes.is_empty()
            || !results.without_lines.is_empty()
        {
            Self::Unfinished
        } else if results.ends.iter().any(|end| end.interrupted) {
            Self::Interrupted
        } else {
            Self::Complete
        }
    }
}

/// The outcome of an experiment or an invocation. The later counts before the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// The run passed: nothing failed.
    Pass,
    /// A gate is inconclusive, and nothing failed.
    Inconclusive,
    /// The run is incomplete: cases were not run, or a process has no end.
    Unfinished,
    /// A case or a gate failed, or nothing was scored.
    Fail,
}

impl Outcome {
    /// Returns the word for people, as the terminal has it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Unfinished => "NOT FINISHED",
            Self::Fail => "FAIL",
        }
    }

    /// Returns the name for programs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Unfinished => "unfinished",
            Self::Fail => "fail",
        }
    }
}
