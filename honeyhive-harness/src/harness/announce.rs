//! Says where results go, before anything goes there.

use crate::config::Config;
use crate::engine::Job;
use crate::invocation::is_partial;
use crate::report;
use crate::text::count;
use crate::upload::{Destination, Destinations, destinations};

/// Notes where results are sent, and returns the destinations.
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
