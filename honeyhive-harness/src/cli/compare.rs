//! Implements `cargo honeyhive compare`, which compares two runs case by case.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use super::pick;
use super::report::{Report, one};
use super::{Done, Outcome};
use crate::baseline::Snapshot;
use crate::config::{Config, Format};
use crate::gate::input::Baseline;
use crate::gate::snapshot::recorded;
use crate::journal::Keep;
use crate::outcome::{Against, DocumentSource, Experiment};
use crate::report;

/// Compares two runs case by case: what got better, what got worse, and whether it is chance.
///
/// Every mean is of the cases that both runs have, with the same row and the same evaluator. The
/// p-value is of a paired permutation test (on hits and misses `McNemar`'s exact test), two-sided.
/// Nothing is decided here; that is for gates: where the gate of the later run compared with the same
/// baseline, p and the word behind it are the gate's.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo honeyhive compare                     the accepted baseline and the newest run
  cargo honeyhive compare latest~1            the run before the newest, and the newest
  cargo honeyhive compare 20261121T1 latest   two runs by name
  cargo honeyhive compare latest~1 --format html --output compare.html

`baseline`, `latest` and `latest~N` are names, too.

Exit codes: 0 compared, 1 not (standard error says why), 64 usage.")]
pub(super) struct Args {
    /// The earlier run; without it, the accepted baseline
    before: Option<PathBuf>,
    /// The later run; without it, the newest
    after: Option<PathBuf>,
    /// Only this experiment; may be given several times
    #[arg(long, short, value_name = "NAME")]
    experiment: Vec<String>,
    /// The directory of journals
    #[arg(long, value_name = "PATH")]
    dir: Option<PathBuf>,
    /// Shows at most N of the cases that moved
    #[arg(long, value_name = "N", default_value = "10")]
    cases: usize,
    /// Prints JSON with the same facts, for scripts
    #[arg(long)]
    json: bool,
    /// Writes a report of the later run instead, compared with the earlier one: with what came out
    /// then, where that is a run; md, junit and json are printed
    #[arg(long, value_parser = reports(), conflicts_with = "json")]
    format: Option<Format>,
    /// The file of that report; `compare.html` without it
    #[arg(long, value_name = "FILE", requires = "format")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args, config: &Config) -> Outcome {
    let dir = args.dir.as_deref();
    let after_at = pick::find(args.after.as_deref(), dir, config)?;
    let is_baseline = |named: &Path| named == Path::new("baseline");
    if let Some(format) = args.format {
        let named = args.before.as_deref().filter(|named| !is_baseline(named));
        let loaded = match named {
            None => DocumentSource::read(&after_at)?,
            Some(named) => {
                DocumentSource::read_against(&after_at, &pick::find(Some(named), dir, config)?)?
            }
        };
        return report_of(args, &loaded, format);
    }
    let before = match args.before.as_deref().filter(|named| !is_baseline(named)) {
        None => None,
        Some(named) => {
            let at = pick::find(Some(named), dir, config)?;
            // Only the snapshots are kept, so that the memory does not hold both runs at once.
            let results = pick::read(&at, Keep::Scores)?;
            let then: Vec<Snapshot> = results.experiments.iter().map(recorded).collect();
            Some((then, pick::name(&at).unwrap_or_default()))
        }
    };
    let after = pick::read(&after_at, Keep::Scores)?;
    let mut pairs = Vec::new();
    for experiment in pick::experiments(&after, &args.experiment)? {
        let name = &experiment.record.experiment;
        let (then, label) = match &before {
            Some((earlier, invocation)) => {
                let Some(then) = earlier.iter().find(|one| one.experiment == *name).cloned() else {
                    report::note(&format!("{invocation} has no experiment `{name}`"));
                    continue;
                };
                (then, invocation.clone())
            }
            None => match Baseline::read(Path::new(&experiment.record.baseline), name) {
                Ok(found) => {
                    let words = found.words();
                    (found.snapshot, words)
                }
                Err(why) => {
                    report::note(&format!("`{name}`: {why}"));
                    continue;
                }
            },
        };
        pairs.push((experiment, label, then, recorded(experiment)));
    }
    if pairs.is_empty() {
        return Err("there is nothing to compare".to_owned());
    }
    let mut compared: Vec<Experiment<'_>> = Vec::new();
    for (experiment, label, before, now) in &pairs {
        let against = Against { label: label.clone(), before, now, results: None };
        compared.push(Experiment::new(experiment, Some(&against)));
    }
    let name = pick::name(&after_at).unwrap_or_default();
    let text = if args.json {
        let all: Vec<Value> = compared.iter().filter_map(|one| as_json(one, &name)).collect();
        serde_json::to_string_pretty(&all).map_err(|error| error.to_string())? + "\n"
    } else {
        report::compared(&compared, &name, args.cases)
    };
    Ok(Done { text, code: 0 })
}

/// Returns the parser for formats that can compare runs: all except traces, which are of one run.
fn reports() -> impl clap::builder::TypedValueParser<Value = Format> {
    use clap::builder::{PossibleValuesParser, TypedValueParser as _};
    let names = Format::AFTER_RUN.map(Format::name);
    PossibleValuesParser::new(names).map(|name| {
        let named = Format::AFTER_RUN.into_iter().find(|one| one.name() == name);
        named.unwrap_or(Format::Html)
    })
}

fn report_of(args: &Args, loaded: &DocumentSource, format: Format) -> Outcome {
    let page = (format == Format::Html).then(|| PathBuf::from("compare.html"));
    let path = args.output.clone().or(page);
    let text = match one(loaded, format, path.as_deref())? {
        Report::Printed(text) => text,
        Report::Written(path) => format!("{}\n", path.display()),
    };
    Ok(Done { text, code: 0 })
}

fn as_json(experiment: &Experiment<'_>, after: &str) -> Option<Value> {
    #[derive(Serialize)]
    struct Moved<'a> {
        case: &'a str,
        before: f64,
        after: f64,
    }
    let compared = experiment.compared.as_ref()?;
    let scores: Vec<Value> = experiment
        .figures
        .evaluators
        .iter()
        .filter_map(|one| one.comparison.as_ref().zip(one.difference))
        .map(|(score, found)| {
            let moved: Vec<Moved<'_>> = score
                .pairs
                .iter()
                .filter(|pair| pair.gain.abs() > 1e-12)
                .map(|pair| Moved { case: &pair.case, before: pair.before, after: pair.after })
                .collect();
            json!({
                "evaluator": score.evaluator,
                "incomparable": score.incomparable,
                "pairs": score.pairs.len(),
                "before": finite(score.before),
                "after": finite(score.after),
                "gain": finite(score.gain),
                "interval": score.interval.map(|interval| [interval.low, interval.high]),
                "better": score.better,
                "worse": score.worse,
                "finding": found.finding.name(),
                "p": found.p,
                "tests": found.tests.max(1),
                "by_gate": found.by_gate,
                "p_two_sided": score.p_two_sided(),
                "p_worse": score.p_worse,
                "p_better": score.p_better,
                "moved": moved,
            })
        })
        .collect();
    Some(json!({
        "experiment": experiment.name,
        "before": compared.label,
        "after": after,
        "changed": compared.changed,
        "scores": scores,
        "slices": compared.slices,
    }))
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
