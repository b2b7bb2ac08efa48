//! The parts of an attempt's record.

use std::time::{Duration, SystemTime};

use super::poison;
use super::spec::Spec;
use crate::datapoint::Datapoint;
use crate::dataset::bind::Fault;
use crate::journal::{AttemptError, AttemptRecord, ErrorKind};
use crate::text::timestamp;
use crate::tracer::new_session_id;

/// Creates the record of an attempt with all that is known before anything runs.
pub(super) fn begin(
    spec: &Spec,
    row: usize,
    attempt: u32,
    datapoint: Option<&Datapoint>,
) -> Box<AttemptRecord> {
    let mut record = Box::new(AttemptRecord {
        experiment: spec.name.clone(),
        case: spec.dataset.rows[row].id.clone(),
        row,
        attempt,
        run_id: spec.run_id.to_string(),
        dataset_id: spec.external.dataset.to_string(),
        datapoint_id: spec.datapoint_id(row).to_string(),
        session_id: new_session_id().to_string(),
        trace_id: "0".repeat(32),
        started_at: timestamp(SystemTime::now()),
        ..AttemptRecord::default()
    });
    if let Some(datapoint) = datapoint {
        record.inputs.clone_from(&datapoint.inputs);
        record.ground_truth.clone_from(&datapoint.ground_truth);
        record.metadata.clone_from(&datapoint.metadata);
        record.tags.clone_from(&datapoint.tags);
        record.history.clone_from(&datapoint.history);
    }
    record
}

/// Converts a duration to milliseconds.
pub(super) fn millis(duration: Duration) -> f64 {
    // Whole microseconds: more digits are noise, and every one of them is written to disk.
    (duration.as_secs_f64() * 1e6).round() / 1000.0
}

/// Converts an error of the function or of an evaluator to the one that is recorded.
pub(super) fn error_of(fault: &Fault) -> AttemptError {
    let kind = match fault {
        Fault::Argument { .. } => ErrorKind::Argument,
        Fault::Failed(_) => ErrorKind::Returned,
        Fault::Output(_) => ErrorKind::Output,
    };
    AttemptError { kind, message: poison::error_with_cause(fault.to_string()) }
}
