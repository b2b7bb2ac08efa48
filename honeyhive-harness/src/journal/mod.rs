//! The journal: the durable record of an invocation, on disk before anything is reported.
//!
//! # Location
//!
//! `target/honeyhive/<invocation>/<target>-<pid>-<random>.jsonl` (`HH_DIR` moves
//! `target/honeyhive`). One file per process; an invocation is the union of the files in its
//! directory, so the journals of shards merge by copying them into one directory.
//!
//! Reports are in a directory `report` beside the files, and can be written again from them.
//!
//! # Contents
//!
//! JSON lines in UTF-8, append-only, one record each. The first line of a file is an
//! `invocation` record with the `schema` number; then, as they happen:
//!
//! | `type` | one per | written |
//! |---|---|---|
//! | `invocation` | file | first |
//! | `experiment` | experiment with selected cases | before its first case |
//! | `git` | file | when git has answered |
//! | `attempt` | execution of a datapoint, with spans and scores | before its case is reported |
//! | `case` | datapoint | with its last attempt |
//! | `gate` | gate that was judged | before it is reported |
//! | `end` | file | last, and nothing is written after it; missing after a crash |
//!
//! Each line ends with its number in the file and a checksum of its bytes:
//! `..,"line":12,"crc":"0a1b2c3d"}`. The checksum is the CRC-32 that zip and PNG use, in 8 lower-case
//! hex digits, of all bytes of the line before `,"crc"`. Files of schema 1 have neither.
//!
//! [`journal_format`](crate::journal_format) has the other fields of each record; a field that is
//! absent is empty. Times are RFC 3339 in UTC, durations are in milliseconds, ids of spans are hex,
//! and the ids of an attempt hold for all its spans.
//!
//! A failing case, its attempt first (shortened):
//!
//! ```json
//! {"type":"attempt","experiment":"detect","case":"en-07","attempt":1,"tries":1,"run_id":"4035..",
//!  "dataset_id":"EXT-sentences","datapoint_id":"EXT-sentences-en-07","session_id":"03da..",
//!  "trace_id":"ef69..","started_at":"2026-11-22T13:53:13.397Z","duration_ms":0.923,
//!  "inputs":{"text":"OK"},"ground_truth":"en","output":"fr",
//!  "scores":[{"evaluator":"correct","value":false,"duration_ms":0.012},
//!            {"evaluator":"distance","value":2.0,"label":"near","duration_ms":0.004}],
//!  "spans":[{"name":"detect","span_id":"9ebc..","kind":"internal","start_unix_ns":1795355593397760750,
//!            "end_unix_ns":1795355593398770825,"attributes":{"honeyhive_event_type":"chain"}}]}
//! {"type":"case","experiment":"detect","case":"en-07","test":"detect::en-07","state":"fail",
//!  "passed":false,"reasons":["correct is false"]}
//! ```
//!
//! `state` is `pass`, `fail`, `error`, `unscored` or `skipped`; a score's `value` is a boolean or a
//! number, and absent when the evaluator did not apply or has an `error`. An experiment that could
//! not run at all has one case `dataset`. With `stop = decided`, `gate` has
//! `"stopped":{"ran":103,"of":200}` where the other cases were not run because its verdict was
//! certain. The `cases` of `end` count pass, fail, error, unscored and skipped:
//! `{"pass":12,"fail":1,"error":0,"unscored":0,"skipped":0}` (a list in this order in schema 1).
//!
//! # Damage
//!
//! All commands of `cargo honeyhive` check each line. These are damage: a
//! checksum that does not match its line, a line without a checksum (except in files with
//! `"schema":1`), a line that is missing, doubled or moved, anything after the `end` record,
//! records of an experiment that has no `experiment` record before them, counts in `end` that
//! differ from those of the records, a case whose `state` does not follow from its scores, a gate
//! whose verdict does not follow from its rules, and a name `*.jsonl` that is not a regular file.
//! Each is reported with file and line; `gate` then ends with exit code 2, and `accept`, `compare`,
//! `rejudge`, `report`, `review`, `push` and `merge` do nothing. A record of an unknown type with a
//! matching checksum is of a later version and is ignored.
//!
//! # Sent data
//!
//! Each journal that was sent from has a file `<journal>.sent` beside it, with one JSON object per
//! line for each item that arrived at a server:
//! `{"to":"honeyhive https://..","session":{"session_id":"..","there":".."}}`, and likewise
//! `begun`, `run`, `update`, `spans`, `refused`, `again`, `stopped` and `finished`. Items without a
//! line are sent again by `cargo honeyhive push`; copy the file along when you merge journals.
//! `.datasets` has copies of managed datasets, `.order` the names of the runs in the order in which
//! they were made: the newest run is the last of them, even if the clock was changed in between.
//! Runs that are not in it are sorted in by `started_at`.
//!
//! Old runs are never deleted; remove old directories as you like. All files and directories are
//! made for their owner only (0600 and 0700 on Unix).
//!
//! A run whose journal is not in `target/honeyhive` of its package or a directory above (because of
//! `--target-dir`, `CARGO_TARGET_DIR`, `HH_DIR`, configuration of cargo) leaves its path in
//! `honeyhive-harness/newest` of the user's cache directory (`XDG_CACHE_HOME`, `~/.cache`, on Windows
//! `LOCALAPPDATA`), so that `cargo honeyhive` looks there.
//!
//! # Secrets and contents
//!
//! The journal has no values of environment variables that are named like secrets (a word of the
//! name is `KEY`, `TOKEN`, `PASSWORD`, `PASS`, `PW`, `SECRET`, `PAT`, `DSN`, `COOKIE` ..; 8
//! characters or more, and neither a path nor a word like `disabled`), as they are, escaped,
//! percent-encoded or in base64; no keys of well-known shapes, with the secret key of Amazon beside
//! its id; and nothing that the hooks of [`redact!`](crate::redact!) select. Each is replaced with
//! `[redacted]`, here and in everything that is printed or sent. Ids and names are not searched.
//!
//! `redacted` of an attempt names the fields that were changed in this way; `redacted` of `end` has
//! the variables, with the number of replacements of each. An attempt whose inputs, truth or output
//! were changed is not judged again.
//!
//! With `HH_CAPTURE=none` contents are not recorded: `inputs`, `ground_truth`, `history`, `output`,
//! explanations, and attributes of spans with inputs, outputs, messages or documents are absent,
//! and the text of an error is `[not captured]`. Metadata of rows stays; the metadata of scores
//! keeps only numbers and booleans.
//!
//! # Durability
//!
//! A case is reported after its lines were written and `fdatasync` returned (one call for all
//! attempts that wait at that moment), so after a crash or `kill -9` every reported case is in the
//! file. A line that was being written then may be torn; the reader leaves out a last line without
//! its newline, if it is the beginning of a record. Readers ignore fields that they do not know.
//! The directory is synced once, after the file was made in it.
//!
//! With each commit and at the end, the process checks that the path still leads to its file and
//! that the file is as long as the data that was written. If the file was removed, replaced or cut
//! off, no further case is run, and the exit code is 101.

mod absent;
mod damage;
mod directory;
mod elsewhere;
mod git;
mod identity;
mod kept;
mod lean;
mod left_out;
mod line;
mod order;
mod reader;
mod redacted;
mod results;
#[cfg(feature = "cli")]
mod runs;
mod scan;
mod schema;
mod tail;
mod verdict;
mod writer;

// The format above is public, the types that read it are not: they change with it. Public are those
// that the results of an experiment consist of.
#[doc(hidden)]
pub use damage::Damage;
#[cfg(feature = "cli")]
pub(crate) use damage::list as list_damage;
#[cfg(feature = "cli")]
pub(crate) use elsewhere::newest as newest_elsewhere;
pub(crate) use elsewhere::note as note_elsewhere;
pub(crate) use git::{Recorded, ask_git};
pub(crate) use kept::Own;
pub(crate) use lean::{span_count, spans_of};
#[doc(hidden)]
pub use left_out::LeftOut;
pub(crate) use left_out::models;
#[doc(hidden)]
pub use line::to_lines;
#[cfg(feature = "cli")]
pub(crate) use reader::each_record;
#[doc(hidden)]
pub use reader::{Journal, JournalError, read_invocation};
pub(crate) use reader::{Keep, read_results, results_with};
#[doc(hidden)]
pub use results::{CaseResults, ExperimentResults, Results};
pub(crate) use results::{rerun, rerun_command};
#[cfg(feature = "cli")]
pub(crate) use runs::{RunHead, invocations, run_head, runs, size};
pub use schema::{AttemptError, AttemptRecord, CaseState, ErrorKind, ScoreRecord};
#[doc(hidden)]
pub use schema::{
    CaseCounts, CaseRecord, EndRecord, EvaluatorRecord, ExperimentRecord, GitRecord,
    InvocationRecord, Record, SCHEMA, StopRecord,
};
pub(crate) use tail::Tail;
#[doc(hidden)]
pub use verdict::{
    BaselineRecord, ComparisonRecord, GateRecord, RuleRecord, SliceRecord, SlicesRecord,
    StoppedRecord, Verdict,
};
pub(crate) use writer::{Entry, Writer, create};
