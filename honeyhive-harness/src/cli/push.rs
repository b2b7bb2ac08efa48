//! `cargo honeyhive push`: sends what did not get through.

use serde_json::{Value, json};

use super::pick::Which;
use super::{Done, Outcome};
use crate::config::Config;
use crate::report;
use crate::text::count;
use crate::upload::{Sent, destinations, push};

/// Sends what a run recorded and no server has taken yet.
///
/// Goes to wherever the environment says, as `cargo test` does: to HoneyHive with `HH_API_KEY`, to
/// the receiver of spans that `OTEL_EXPORTER_OTLP_ENDPOINT` names. What has arrived is marked beside
/// the journal and is not sent twice, so this can be repeated and interrupted as you like.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo honeyhive push                       the newest run
  cargo honeyhive push 20261122T170151-2782ad
  cargo honeyhive push ci-artifacts/honeyhive/20261122T170151-2782ad

Exit codes: 0 everything is there, 1 something is not (standard error says what and why), 64 usage.")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Sends experiments of which only some cases were selected, too
    #[arg(long)]
    partial: bool,
    /// Prints what was sent as JSON, for scripts
    #[arg(long)]
    json: bool,
}

/// What is to be printed, and whether everything is there.
pub(super) fn run(args: &Args, config: &Config) -> Outcome {
    let directory = args.which.find(config)?;
    if config.offline {
        return Err("nothing is sent while HH_OFFLINE or HH_TEST_MODE is set".to_owned());
    }
    let mut config = config.clone();
    config.upload_partial |= args.partial;
    if destinations(&config)?.is_empty() {
        return Err("there is nowhere to send to: set HH_API_KEY, or OTEL_EXPORTER_OTLP_ENDPOINT \
             for spans alone"
            .to_owned());
    }
    for to in destinations(&config)? {
        report::note(&format!("sending to {}", to.shown));
    }
    let sent = push(&directory, || destinations(&config).unwrap_or_default())?;
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let again = format!("cargo honeyhive push {name}");
    let text = if args.json {
        let all: Vec<Value> = sent.iter().map(as_json).collect();
        serde_json::to_string_pretty(&all).map_err(|error| error.to_string())? + "\n"
    } else {
        let lines = sent.iter().flat_map(|sent| {
            let partial = (sent.partial > 0).then(|| {
                let left_out = count(sent.partial, "attempt");
                format!("{left_out} of partial selections left out; --partial sends them, too")
            });
            let own = [sent.line(&again)].into_iter().chain(partial);
            sent.results.iter().cloned().chain(own).collect::<Vec<_>>()
        });
        lines.map(|line| line + "\n").collect()
    };
    let code = u8::from(!sent.iter().all(Sent::is_complete));
    Ok(Done { text, code })
}

fn as_json(sent: &Sent) -> Value {
    json!({
        "to": sent.to,
        "attempts": sent.attempts,
        "sent": sent.now,
        "before": sent.before,
        "refused": sent.refused,
        "left": sent.left(),
        "unfinished_runs": sent.unfinished,
        "runs": sent.runs.iter().map(|(name, id)| json!({"experiment": name, "run_id": id})).collect::<Vec<_>>(),
        "complete": sent.is_complete(),
        "problem": sent.why(),
    })
}
