//! The journal: the durable record of an invocation, on disk before anything is reported.
//!
//! # Where
//!
//! `target/honeyhive/<invocation>/<target>-<pid>-<random>.jsonl` (`HH_DIR` moves
//! `target/honeyhive`). One file per process; an invocation is the union of the files in its
//! directory, so the journals of shards merge by copying them into one directory.
//!
//! # What
//!
//! JSON lines in UTF-8, append-only, one [`Record`] each. The first line of a file is an
//! `invocation` record with the `schema` number; then, as they happen:
//!
//! | `type` | one per | written |
//! |---|---|---|
//! | `invocation` | file | first |
//! | `experiment` | experiment with selected cases | before its first case |
//! | `attempt` | execution of a datapoint, with spans and scores | before its case is reported |
//! | `case` | datapoint | with its last attempt |
//! | `gate` | gate that was asked | before it is reported |
//! | `end` | file | last; missing after a crash |
//!
//! The fields of each are those of the structs in this module, named alike; a field that is
//! absent is empty. Times are RFC 3339 in UTC, durations are in milliseconds, ids of spans are
//! hex, the ids of an attempt count for all its spans.
//!
//! # How durable
//!
//! A case is reported after its lines were written and `fdatasync` returned (one call for all
//! attempts that wait at that moment), so after a crash or `kill -9` every reported case is in
//! the file. A line that was being written then may be torn; the reader leaves out a last line
//! without its newline. Readers ignore fields and record types that they do not know.

mod reader;
mod schema;
mod writer;

pub use reader::{Journal, JournalError, read_invocation};
pub use schema::{
    AttemptError, AttemptRecord, CaseRecord, CaseState, EndRecord, ErrorKind, EvaluatorRecord,
    ExperimentRecord, GateRecord, InvocationRecord, Record, RuleRecord, SCHEMA, ScoreRecord,
    Verdict,
};
pub(crate) use writer::{Entry, Writer, create};
