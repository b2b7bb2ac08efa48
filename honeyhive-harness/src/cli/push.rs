//! Implements `cargo honeyhive push`, which sends records that have not arrived yet.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::pick::Which;
use super::place::Places;
use super::{Done, Outcome};
use crate::config::Config;
use crate::journal::{Keep, list_damage, read_results};
use crate::report;
use crate::text::count;
use crate::upload::{Destination, Destinations, Sent, destinations, push, unsent};

/// Sends what a run recorded and no server has taken yet.
///
/// Goes to wherever the environment says, as `cargo test` does: to HoneyHive with `HH_API_KEY`, to
/// the receiver of spans that `OTEL_EXPORTER_OTLP_ENDPOINT` names. What has arrived is marked beside
/// the journal and is not sent twice, so this can be repeated and interrupted as you like. It gives
/// up when nothing was taken for 30 s (or three times `HH_API_TIMEOUT`, where that is longer).
///
/// An attempt that a server refused although it took others is not sent again, unless settings
/// changed (key, encoding, certificate) or --again is given. Where the address changed, all of it is
/// sent to the new one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo honeyhive push                       the newest run
  cargo honeyhive push --all                 whatever `cargo honeyhive runs` says is not sent
  cargo honeyhive push --again               what was refused, too
  cargo honeyhive push 20261122T170151-2782ad
  cargo honeyhive push ci-artifacts/honeyhive/20261122T170151-2782ad

Exit codes: 0 everything is there, 1 something is not (standard error says what and why), 64 usage.")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// All runs that were to be sent to the same places and have not arrived as a whole
    #[arg(long, conflicts_with = "invocation")]
    all: bool,
    /// Sends what was refused before once more
    #[arg(long)]
    again: bool,
    /// Sends experiments of which only some cases were selected, too
    #[arg(long)]
    partial: bool,
    /// Prints what was sent as JSON, for scripts
    #[arg(long)]
    json: bool,
}

/// The time without an accepted request after which sending ends. One request must fit into it.
const PAUSE: Duration = Duration::from_secs(30);

/// Sends the runs and returns the text to print, with the exit code 1 where something is left.
pub(super) fn run(args: &Args, config: &Config) -> Outcome {
    let directories = if args.all { Vec::new() } else { vec![args.which.find(config)?] };
    if config.offline {
        return Err(format!("nothing is sent while {} is set", config.offline_by));
    }
    let mut config = config.clone();
    config.upload_partial |= args.partial;
    let Destinations { to, unusable } = destinations(&config)?;
    if to.is_empty() {
        return Err(unusable.unwrap_or_else(|| {
            "there is nowhere to send to: set HH_API_KEY, or OTEL_EXPORTER_OTLP_ENDPOINT \
             for spans alone"
                .to_owned()
        }));
    }
    if let Some(fault) = &unusable {
        report::note(fault);
    }
    let mut directories = if args.all { waiting(args, &config, &to)? } else { directories };
    let asked = directories.len();
    directories.retain(|directory| is_sound(directory));
    let damaged = asked - directories.len();
    for to in &to {
        report::note(&format!("sending to {}", to.shown));
    }
    let mut pushed: Vec<(String, Vec<Sent>)> = Vec::new();
    for directory in &directories {
        let to = || destinations(&config).unwrap_or_default().to;
        let pause = PAUSE.max(config.connection.timeout * 3);
        let sent = push(directory, to, pause, args.again)?;
        // A server that cannot be reached now will not take the next run either.
        let is_away = sent.iter().all(|sent| sent.now == 0 && !sent.is_settled());
        pushed.push((name_of(directory), sent));
        if is_away {
            break;
        }
    }
    let untried = directories.len() - pushed.len();
    if untried > 0 {
        report::note(&format!("{} not tried", count(untried, "further run")));
    }
    let good = unusable.is_none()
        && untried + damaged == 0
        && pushed.iter().flat_map(|(_, sent)| sent).all(Sent::is_complete);
    let text = if args.json {
        as_json(&pushed)?
    } else if pushed.is_empty() && damaged > 0 {
        // The reason was printed to standard error already.
        String::new()
    } else {
        as_text(&pushed, args.all)
    };
    Ok(Done { text, code: u8::from(!good) })
}

/// Returns whether a journal is undamaged; prints the damage where it is not, and the run is not sent.
fn is_sound(directory: &Path) -> bool {
    let why = match read_results(directory, Keep::Scores) {
        Ok(results) if results.damage.is_empty() => return true,
        Ok(results) => list_damage(&results.damage),
        Err(error) => error.to_string(),
    };
    report::error(&why);
    false
}

fn as_text(pushed: &[(String, Vec<Sent>)], all: bool) -> String {
    if pushed.is_empty() {
        return "nothing to send: no run waits for it\n".to_owned();
    }
    let mut text = String::new();
    for (name, sent) in pushed {
        let again = format!("cargo honeyhive push {name}");
        let begin = if all { format!("{name}: ") } else { String::new() };
        let mut add = |line: &str| text.push_str(&format!("{begin}{line}\n"));
        for sent in sent {
            sent.results.iter().for_each(|line| add(line));
            add(&sent.line(&again));
            if sent.partial > 0 {
                let left_out = count(sent.partial, "attempt");
                add(&format!(
                    "{left_out} of partial selections left out; --partial sends them, too"
                ));
            }
        }
    }
    text
}

/// Returns the directories of all runs that have not arrived as a whole at these destinations.
fn waiting(args: &Args, config: &Config, to: &[Destination]) -> Result<Vec<PathBuf>, String> {
    let mut waiting = Vec::new();
    let all = Places::find(args.which.dir.as_deref(), config)?.runs()?;
    for directory in all.into_iter().map(|run| run.directory) {
        let unsent = unsent(&directory)
            .map_err(|error| format!("{} cannot be read: {error}", directory.display()))?;
        if unsent.iter().any(|unsent| to.iter().any(|to| unsent.is_for(to))) {
            waiting.push(directory);
        }
    }
    Ok(waiting)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn as_json(pushed: &[(String, Vec<Sent>)]) -> Result<String, String> {
    let one = |invocation: &str, sent: &Sent| {
        let run = |(name, id): &(String, String)| json!({"experiment": name, "run_id": id});
        json!({
            "invocation": invocation,
            "to": sent.to,
            "attempts": sent.attempts,
            "sent": sent.now,
            "before": sent.before,
            "refused": sent.refused,
            "refusal": sent.refusal,
            "rejected": sent.rejected,
            "left": sent.left(),
            "unfinished_runs": sent.unfinished,
            "runs": sent.runs.iter().map(run).collect::<Vec<_>>(),
            "complete": sent.is_complete(),
            "problem": sent.trouble(),
        })
    };
    let all = pushed.iter().flat_map(|(name, sent)| sent.iter().map(|sent| one(name, sent)));
    let all: Vec<Value> = all.collect();
    Ok(serde_json::to_string_pretty(&all).map_err(|error| error.to_string())? + "\n")
}
