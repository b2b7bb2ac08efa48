//! What leaves the machine, and what is said about it.

use std::path::Path;
use std::time::Duration;

use tokio::sync::oneshot;

use super::FAILED;
use crate::config::Config;
use crate::engine::Job;
use crate::journal::{GitRecord, Writer};
use crate::report;
use crate::text::{count, seconds};
use crate::upload::{Destination, Destinations, Uplink, destinations};

/// After Ctrl-C people wait no longer for what is still to be sent.
const INTERRUPTED: Duration = Duration::from_secs(3);

/// Sending that goes on beside a run.
#[derive(Debug)]
pub(super) struct Sending {
    uplink: Uplink,
    patience: Duration,
    /// What could not be sent is a failure.
    required: bool,
    /// The command that sends the rest.
    push: String,
}

/// Says where results go, before anything goes there.
///
/// # Errors
/// When a destination cannot be used as it is configured.
pub(super) fn announce(config: &Config, jobs: &[Job]) -> Result<Vec<Destination>, String> {
    let Destinations { mut to, unusable } = destinations(config)?;
    if let Some(fault) = unusable {
        if config.require_upload {
            return Err(format!("HH_REQUIRE_UPLOAD is set, but spans cannot be sent: {fault}"));
        }
        if config.otlp_fault.is_none() {
            report::note(&fault);
        }
    }
    if config.require_upload && !to.iter().any(Destination::has_sessions) {
        let why = if config.offline {
            "HH_OFFLINE or HH_TEST_MODE is set, too"
        } else {
            "there is no HH_API_KEY"
        };
        return Err(format!("HH_REQUIRE_UPLOAD is set, but nothing can be sent: {why}"));
    }
    let partial = jobs.iter().filter(|job| is_partial(job)).count();
    if partial > 0 && !to.iter().all(Destination::takes_partial) {
        let what = if partial == jobs.len() {
            "only some cases are selected".to_owned()
        } else {
            format!("only some cases of {} are selected", count(partial, "experiment"))
        };
        report::note(&format!(
            "{what}: they are not sent to HoneyHive (HH_UPLOAD=always sends them)"
        ));
        if partial == jobs.len() {
            to.retain(Destination::takes_partial);
        }
    }
    if !to.is_empty() {
        let shown: Vec<&str> = to.iter().map(|to| to.shown.as_str()).collect();
        report::note(&format!("results are sent to {}", shown.join(" and to ")));
    } else if config.connection.api_key.is_none() && config.connection.ingestion_key.is_some() {
        report::note("HH_INGESTION_API_KEY is set, but runs need HH_API_KEY: nothing is sent");
    } else if config.offline && config.connection.api_key.is_some() {
        report::note(&format!("nothing leaves this machine ({})", config.offline_by));
    }
    Ok(to)
}

pub(super) fn is_partial(job: &Job) -> bool {
    job.selected.len() < job.spec.dataset.rows.len()
}

impl Sending {
    /// Starts to send; `None` when there is nowhere to send to.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(
        config: &Config,
        to: Vec<Destination>,
        journal: &Writer,
        git: oneshot::Receiver<GitRecord>,
    ) -> Result<Option<Self>, String> {
        if to.is_empty() {
            return Ok(None);
        }
        let uplink = Uplink::start(to, journal, git)?;
        let directory = journal.path().parent().and_then(Path::file_name).unwrap_or_default();
        Ok(Some(Self {
            uplink,
            patience: config.flush_timeout,
            required: config.require_upload,
            push: format!("cargo honeyhive push {}", directory.to_string_lossy()),
        }))
    }

    /// Sends the rest, says what was sent, and may change the exit code.
    /// Without further waiting where it is `hurried`.
    pub(super) fn finish(self, exit_code: u8, interrupted: bool, hurried: impl Fn() -> bool) -> u8 {
        let patience = if interrupted { self.patience.min(INTERRUPTED) } else { self.patience };
        let mut all = true;
        let waiting = || {
            let limit = seconds(patience.as_secs_f64());
            report::note(&format!("still sending, for {limit} at most; Ctrl-C ends it"));
        };
        let each = self.uplink.finish(patience, waiting, hurried);
        if each.is_empty() {
            // There is a result per destination, unless the thread that sends has died.
            report::error(&format!(
                "sending has failed, and what has arrived is not known; `{}` sends the rest",
                self.push
            ));
            all = false;
        }
        for sent in each {
            for line in &sent.results {
                report::note(line);
            }
            report::sent(&sent.line(&self.push), sent.is_complete());
            all &= sent.is_complete();
        }
        if !all && self.required && exit_code == 0 {
            report::error("not everything was sent, and HH_REQUIRE_UPLOAD is set");
            return FAILED;
        }
        exit_code
    }
}
