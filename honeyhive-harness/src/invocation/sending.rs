//! Sends results beside a run, and reports what was sent.

use std::path::Path;
use std::time::Duration;

use tokio::sync::oneshot;

use super::{FAILED, Terminal};
use crate::journal::{GitRecord, Writer};
use crate::text::seconds;
use crate::upload::{Destination, Sent, Uplink};

/// The time that the end waits for what is still to be sent after Ctrl-C.
const INTERRUPTED: Duration = Duration::from_secs(3);

/// Sending that goes on beside a run.
#[derive(Debug)]
pub(super) struct Sending {
    uplink: Uplink,
    patience: Duration,
    /// Set when results that could not be sent are a failure.
    required: bool,
    /// The command that sends the rest.
    push: String,
}

impl Sending {
    /// Starts to send; `None` when there is nowhere to send to.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(
        to: Vec<Destination>,
        journal: &Writer,
        git: oneshot::Receiver<GitRecord>,
        (patience, required): (Duration, bool),
    ) -> Result<Option<Self>, String> {
        if to.is_empty() {
            return Ok(None);
        }
        let uplink = Uplink::start(to, journal, git)?;
        let directory = journal.path().parent().and_then(Path::file_name).unwrap_or_default();
        Ok(Some(Self {
            uplink,
            patience,
            required,
            push: format!("cargo honeyhive push {}", directory.to_string_lossy()),
        }))
    }

    /// Sends the rest, prints what was sent, and may change the exit code. Waits no longer once it is
    /// `hurried`.
    pub(super) fn finish(
        self,
        exit_code: u8,
        interrupted: bool,
        hurried: impl Fn() -> bool,
        terminal: Terminal,
    ) -> (u8, Vec<Sent>) {
        let patience = if interrupted { self.patience.min(INTERRUPTED) } else { self.patience };
        let mut all = true;
        let waiting = || {
            let limit = seconds(patience.as_secs_f64());
            terminal.note(&format!("still sending, for {limit} at most; Ctrl-C ends it"));
        };
        let each = self.uplink.finish(patience, waiting, hurried);
        if each.is_empty() {
            // There is a result per destination, unless the thread that sends has died.
            terminal.error(&format!(
                "sending has failed, and what has arrived is not known; `{}` sends the rest",
                self.push
            ));
            all = false;
        }
        for sent in &each {
            for line in &sent.results {
                terminal.note(line);
            }
            terminal.sent(&sent.line(&self.push), sent.is_complete());
            all &= sent.is_complete();
        }
        if !all && self.required && exit_code == 0 {
            terminal.error("not everything was sent, and HH_REQUIRE_UPLOAD is set");
            return (FAILED, each);
        }
        (exit_code, each)
    }
}
