//! Keeps the records that a process wrote, for the reports at the end of its run.
//!
//! Reports are made from these, so that no process reads and checks its own file again. Spans are left
//! out: they are most of a journal, and a page shows at most 5 MB of them, which are found again by their
//! place in the file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::left_out::LeftOut;
use super::schema::{AttemptRecord, Record};

/// The records of this process, ready to be put together with those of others.
#[derive(Debug)]
pub(crate) struct Own {
    /// The file that has the same records.
    pub(crate) file: PathBuf,
    /// The records in the order of the file, without spans.
    pub(crate) records: Vec<Record>,
}

/// Records that were written so far.
#[derive(Debug)]
pub(super) struct Kept {
    file: Arc<Path>,
    records: Vec<Record>,
    /// The size of the file that they are given up at.
    most: u64,
}

impl Kept {
    pub(super) fn new(file: &Path, most: u64) -> Self {
        Self { file: Arc::from(file), records: Vec::new(), most }
    }

    /// Adds records with the places where their lines begin; `end` is where the last one ends. Returns
    /// whether the file is still small enough to go on.
    pub(super) fn add(
        &mut self,
        records: Vec<Record>,
        begins: impl IntoIterator<Item = u64>,
        end: u64,
    ) -> bool {
        for (mut record, begin) in records.into_iter().zip(begins) {
            if let Record::Attempt(attempt) = &mut record
                && let Some(left_out) = &mut attempt.left_out
            {
                left_out.stand_at(&self.file, begin);
            }
            self.records.push(record);
        }
        end <= self.most
    }

    pub(super) fn into_own(self) -> Own {
        Own { file: self.file.to_path_buf(), records: self.records }
    }
}

/// Returns a copy of a record; of an attempt, one without its spans.
pub(super) fn copy(record: &Record) -> Record {
    let Record::Attempt(attempt) = record else { return record.clone() };
    let AttemptRecord {
        experiment,
        case,
        row,
        attempt: number,
        tries,
        run_id,
        dataset_id,
        datapoint_id,
        session_id,
        trace_id,
        started_at,
        duration_ms,
        inputs,
        ground_truth,
        metadata,
        tags,
        history,
        redacted,
        output,
        error,
        enrichment,
        scores,
        spans,
        open_spans,
        dropped_spans,
        left_out: _,
    } = &**attempt;
    Record::Attempt(Box::new(AttemptRecord {
        experiment: experiment.clone(),
        case: case.clone(),
        row: *row,
        attempt: *number,
        tries: *tries,
        run_id: run_id.clone(),
        dataset_id: dataset_id.clone(),
        datapoint_id: datapoint_id.clone(),
        session_id: session_id.clone(),
        trace_id: trace_id.clone(),
        started_at: started_at.clone(),
        duration_ms: *duration_ms,
        inputs: inputs.clone(),
        ground_truth: ground_truth.clone(),
        metadata: metadata.clone(),
        tags: tags.clone(),
        history: history.clone(),
        redacted: redacted.clone(),
        output: output.clone(),
        error: error.clone(),
        enrichment: enrichment.clone(),
        scores: scores.clone(),
        spans: Vec::new(),
        open_spans: *open_spans,
        dropped_spans: *dropped_spans,
        left_out: Some(Box::new(LeftOut::of(spans))),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::journal::{
        CaseRecord, EndRecord, Entry, ExperimentRecord, InvocationRecord, Keep, Writer, create,
        read_results, results_with,
    };

    fn written(name: &str, most: u64) -> (PathBuf, Writer) {
        let root = std::env::temp_dir().join(format!("honeyhive-{name}-{}", std::process::id()));
        let (writer, mut first) =
            create(&root, None, InvocationRecord::default(), Some(most)).unwrap();
        let experiment = ExperimentRecord { experiment: "e".to_owned(), ..Default::default() };
        first.push(&Record::Experiment(Box::new(experiment)));
        writer.commit_blocking(first).unwrap();
        let attempt = json!({
            "type": "attempt", "experiment": "e", "case": "c", "attempt": 1, "duration_ms": 0.1,
            "inputs": {"text": "OK"}, "output": null, "tags": ["t"], "redacted": ["spans"],
            "scores": [{"evaluator": "right", "value": true, "duration_ms": 0.3}],
            "spans": [{"name": "s", "span_id": "1", "kind": "internal", "start_unix_ns": 1,
                       "end_unix_ns": 2, "attributes": {"gen_ai.request.model": "m"}}],
        });
        let case = CaseRecord {
            experiment: "e".to_owned(),
            case: "c".to_owned(),
            test: "e::c".to_owned(),
            passed: true,
            ..CaseRecord::default()
        };
        let mut entry = writer.entry();
        entry.push(&serde_json::from_value(attempt).unwrap());
        entry.push(&Record::Case(case));
        writer.commit_blocking(entry).unwrap();
        let mut entry: Entry = writer.entry();
        let mut end = EndRecord::default();
        end.cases.pass = 1;
        entry.push(&Record::End(end));
        writer.commit_blocking(entry).unwrap();
        (root, writer)
    }

    #[test]
    fn memory_has_what_the_file_has() {
        let (root, writer) = written("kept", u64::MAX);
        let directory = writer.path().parent().unwrap();
        let read = read_results(directory, Keep::Contents).unwrap();
        let own = writer.take_kept().unwrap();
        assert_eq!(own.records.len(), 5);
        assert_eq!(results_with(directory, Some(own), Keep::Contents).unwrap(), read);
        let attempt = &read.experiments[0].cases[0].attempts[0];
        assert_eq!(crate::journal::spans_of(attempt).unwrap().len(), 1);
        assert!(writer.take_kept().is_none() && read.damage.is_empty(), "{read:?}");
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_file_that_is_too_large_is_not_kept() {
        let (root, writer) = written("unkept", 300);
        assert!(writer.take_kept().is_none());
        std::fs::remove_dir_all(root).unwrap();
    }
}
