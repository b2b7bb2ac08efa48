//! Implements `cargo honeyhive gate`, which judges a recorded run without running a case.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::cargo::{self, Target};
use super::pick::{self, Which};
use super::{Done, Outcome, merge};
use crate::config::Config;
use crate::gate::case::Rules;
use crate::gate::checked;
use crate::gate::recorded::{Judged, judge_recorded};
use crate::journal::{ExperimentResults, GateRecord, Keep, Results, Verdict, list_damage};
use crate::report;

/// Judges a recorded run by today's rules, without running a case.
///
/// Builds the test target and asks it for its rules, so a limit that you just edited is the one
/// that decides. With --recorded, the rules are those in the journal and nothing is built. All
/// cases of an experiment must be there; cases that fail by themselves fail the gate, too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo honeyhive gate                            the newest run, by the rules of today
  cargo honeyhive gate --recorded                 by the rules that it was recorded with
  cargo honeyhive gate --recorded --merge shard-1 shard-2 shard-3

Exit codes: 0 pass, 1 fail (or an error, which standard error tells), 2 inconclusive or damaged
(standard error says which line of which file), 64 usage.")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Only this experiment; may be given several times
    #[arg(long, short, value_name = "NAME")]
    experiment: Vec<String>,
    /// Judges by the rules in the journal; needs no toolchain
    #[arg(long)]
    recorded: bool,
    /// Puts the journals of these directories together first, as of the shards of one run
    #[arg(long, value_name = "DIR", num_args = 1.., conflicts_with = "invocation")]
    merge: Vec<PathBuf>,
    /// Prints JSON with the same facts, for scripts
    #[arg(long)]
    json: bool,
    /// Arguments for cargo, which builds the test target: `-- --release --features slow`
    #[arg(last = true, value_name = "CARGO ARGUMENTS", conflicts_with = "recorded")]
    cargo: Vec<OsString>,
}

/// The exit code of a gate that is inconclusive.
const INCONCLUSIVE: u8 = 2;

pub(super) fn run(args: &Args, config: &Config) -> Outcome {
    let merged = if args.merge.is_empty() { None } else { Some(merge::temporary(&args.merge)?) };
    let directory = match &merged {
        Some(merged) => merged.directory().to_owned(),
        None => args.which.find(config)?,
    };
    let results = checked::read(&directory, Keep::Scores).map_err(|error| error.to_string())?;
    let judged = if results.damage.is_empty() {
        let chosen = pick::experiments(&results, &args.experiment)?;
        if chosen.is_empty() {
            return Err(format!("{} has no experiment", directory.display()));
        }
        if args.recorded {
            by_rules_of_then(&chosen)
        } else {
            by_rules_of_today(&chosen, &directory, &args.cargo, config)?
        }
    } else {
        // A damaged journal is not judged, since missing cases could change the verdict either way.
        let why = list_damage(&results.damage);
        report::error(&why);
        results.experiments.iter().map(|one| unjudged(one, why.clone())).collect()
    };
    let (judged, code) = verdict(&results, judged);
    let text = if args.json {
        serde_json::to_string_pretty(&judged).map_err(|error| error.to_string())? + "\n"
    } else if results.damage.is_empty() {
        report::judged(&judged)
    } else {
        String::new()
    };
    Ok(Done { text, code })
}

/// Returns the verdicts, inconclusive where journals could not be read as a whole, and the exit code.
fn verdict(results: &Results, judged: Vec<Judged>) -> (Vec<Judged>, u8) {
    let judged: Vec<Judged> = match checked::unread(results) {
        None => judged,
        Some(why) => judged.into_iter().map(|one| inconclusive(one, &why)).collect(),
    };
    let any = |verdict| judged.iter().any(|one| one.verdict == verdict);
    let code = if !results.damage.is_empty() {
        INCONCLUSIVE
    } else if any(Verdict::Fail) {
        1
    } else if any(Verdict::Inconclusive) {
        INCONCLUSIVE
    } else {
        0
    };
    (judged, code)
}

/// Makes a passed gate inconclusive, for this reason; a failure stays one.
fn inconclusive(mut judged: Judged, why: &str) -> Judged {
    if judged.verdict == Verdict::Pass {
        judged.verdict = Verdict::Inconclusive;
        judged.gate.verdict = Verdict::Inconclusive;
        judged.gate.passed = false;
        judged.gate.reason = Some(why.to_owned());
    }
    judged
}

fn by_rules_of_then(chosen: &[&ExperimentResults]) -> Vec<Judged> {
    chosen.iter().copied().map(by_recorded_rules).collect()
}

fn by_recorded_rules(experiment: &ExperimentResults) -> Judged {
    let record = &experiment.record;
    judge_recorded(experiment, Rules::recorded(record), Path::new(&record.baseline), None)
}

/// Asks each target that ran an experiment to judge it by its rules.
fn by_rules_of_today(
    chosen: &[&ExperimentResults],
    directory: &Path,
    more: &[OsString],
    config: &Config,
) -> Result<Vec<Judged>, String> {
    let mut targets: Vec<&str> = Vec::new();
    for experiment in chosen {
        if !targets.contains(&experiment.target.as_str()) {
            targets.push(&experiment.target);
        }
    }
    // The target runs in another directory, so the path must be absolute.
    let directory = std::path::absolute(directory).map_err(|error| error.to_string())?;
    let mut answers: Vec<Judged> = Vec::new();
    for target in targets {
        let task = format!("gate:{}", directory.display());
        let answer = cargo::ask(&Target::parse(target), &task, more, config)?;
        let judged: Vec<Judged> = serde_json::from_str(&answer).map_err(|error| {
            format!("the answer of {target} cannot be read ({error}); is it of this version?")
        })?;
        answers.extend(judged.into_iter().filter(|one| one.target == *target));
    }
    Ok(chosen
        .iter()
        .map(|experiment| {
            let name = &experiment.record.experiment;
            let own = |one: &&Judged| one.experiment == *name && one.target == experiment.target;
            answers.iter().find(own).cloned().unwrap_or_else(|| gone(experiment))
        })
        .collect())
}

/// Returns the verdict on an experiment that its target does not have any more, or whose dataset cannot
/// be read.
fn gone(experiment: &ExperimentResults) -> Judged {
    let reason = format!(
        "`{}` is no experiment of {} today, or its dataset cannot be read",
        experiment.record.experiment, experiment.target
    );
    unjudged(experiment, reason)
}

/// Returns the verdict on an experiment that cannot be judged for this reason.
fn unjudged(experiment: &ExperimentResults, reason: String) -> Judged {
    let name = &experiment.record.experiment;
    Judged {
        target: experiment.target.clone(),
        experiment: name.clone(),
        verdict: Verdict::Inconclusive,
        gate: GateRecord {
            experiment: name.clone(),
            verdict: Verdict::Inconclusive,
            passed: false,
            rules: Vec::new(),
            reason: Some(reason),
            baseline: None,
            stopped: None,
        },
        failing: Vec::new(),
        notes: Vec::new(),
        cases: 0,
        rows: experiment.record.rows,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::journal::{
        AttemptRecord, CaseCounts, CaseRecord, CaseState, EndRecord, EvaluatorRecord,
        ExperimentRecord, InvocationRecord, Record, ScoreRecord, StoppedRecord, to_lines,
    };
    use crate::rule::GateRule;
    use crate::score::{ScoreValue, Shape};

    struct Scratch(PathBuf);

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn scratch(name: &str) -> Scratch {
        let path =
            std::env::temp_dir().join(format!("honeyhive-gate-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    /// Returns a run of three cases, whose last one misses where `misses`; with a gate where `gated`.
    fn run_of(schema: u32, misses: bool, gated: bool) -> Vec<Record> {
        let rule: GateRule = serde_json::from_value(serde_json::json!({
            "text": "mean(right) >= 0.9",
            "test": {"limit": {
                "comparison": ">=", "limit": 0.9, "measure": "mean", "mode": "point",
                "of": {"evaluator": 0},
            }},
        }))
        .unwrap();
        let mut records = vec![
            Record::Invocation(InvocationRecord {
                schema,
                package: "app".to_owned(),
                target: "evals".to_owned(),
                runner_attempt: 1,
                ..InvocationRecord::default()
            }),
            Record::Experiment(Box::new(ExperimentRecord {
                experiment: "e".to_owned(),
                run_id: "run".to_owned(),
                rows: 3,
                selected: 3,
                repeats: 1,
                evaluators: vec![EvaluatorRecord {
                    name: "right".to_owned(),
                    ..EvaluatorRecord::default()
                }],
                gate_rules: if gated { vec![rule.clone()] } else { Vec::new() },
                ..ExperimentRecord::default()
            })),
        ];
        let mut cases = CaseCounts::default();
        for row in 0..3 {
            let good = !misses || row < 2;
            let state = if good { CaseState::Pass } else { CaseState::Fail };
            cases.add(state);
            records.push(Record::Attempt(Box::new(AttemptRecord {
                experiment: "e".to_owned(),
                case: format!("r{row}"),
                row,
                attempt: 1,
                scores: vec![ScoreRecord {
                    evaluator: "right".to_owned(),
                    value: Some(ScoreValue::Bool(good)),
                    ..ScoreRecord::default()
                }],
                ..AttemptRecord::default()
            })));
            records.push(Record::Case(CaseRecord {
                experiment: "e".to_owned(),
                case: format!("r{row}"),
                test: format!("e::r{row}"),
                state,
                passed: good || gated,
                reasons: if good { Vec::new() } else { vec!["right is false".to_owned()] },
                ..CaseRecord::default()
            }));
        }
        if gated {
            let verdict = if misses { Verdict::Fail } else { Verdict::Pass };
            records.push(Record::Gate(GateRecord {
                experiment: "e".to_owned(),
                verdict,
                passed: !misses,
                rules: vec![crate::journal::RuleRecord::new(&rule, verdict, "as judged")],
                reason: None,
                baseline: None,
                stopped: None,
            }));
        }
        records.push(Record::End(EndRecord {
            cases,
            exit_code: u8::from(misses) * 101,
            ..EndRecord::default()
        }));
        records
    }

    fn schema_1(records: &[Record]) -> Vec<u8> {
        let lines = records.iter().map(|record| serde_json::to_string(record).unwrap() + "\n");
        lines.collect::<String>().into_bytes()
    }

    /// Returns the exit code of `cargo honeyhive gate --recorded` on this file, without its output.
    fn code(directory: &Path, text: &[u8]) -> u8 {
        fs::write(directory.join("a.jsonl"), text).unwrap();
        // A command that fails has the exit code 1.
        let Ok(results) = checked::read(directory, Keep::Scores) else { return 1 };
        let chosen: Vec<&ExperimentResults> = results.experiments.iter().collect();
        if results.damage.is_empty() && chosen.is_empty() {
            return 1;
        }
        verdict(&results, by_rules_of_then(&chosen)).1
    }

    #[test]
    fn no_flipped_bit_turns_a_miss_into_a_pass() {
        let scratch = scratch("bits");
        for (schema, gated) in [(2, true), (2, false), (1, true), (1, false)] {
            let records = run_of(schema, true, gated);
            let text = if schema == 1 { schema_1(&records) } else { to_lines(&records) };
            assert_eq!(code(&scratch.0, &text), 1, "schema {schema}, gate {gated}");
            // No checksum guards the lines of schema 1; of these, every seventh bit is tried.
            for bit in (0..text.len() * 8).step_by(if schema == 1 { 7 } else { 1 }) {
                let mut changed = text.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let code = code(&scratch.0, &changed);
                let line = || {
                    let begin = text[..bit / 8].iter().rposition(|byte| *byte == b'\n');
                    let line = &changed[begin.map_or(0, |at| at + 1)..];
                    String::from_utf8_lossy(&line[..line.len().min(400)]).into_owned()
                };
                assert_ne!(code, 0, "schema {schema}, gate {gated}, bit {bit}: {}", line());
            }
        }
    }

    #[test]
    fn no_line_can_be_lost_doubled_or_moved() {
        let scratch = scratch("lines");
        for misses in [true, false] {
            let records = run_of(2, misses, true);
            let text = to_lines(&records);
            assert_eq!(code(&scratch.0, &text), u8::from(misses));
            let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
            for at in 0..lines.len() {
                let mut doubled = lines.clone();
                doubled.insert(at, lines[at]);
                assert_eq!(code(&scratch.0, &doubled.concat()), INCONCLUSIVE, "line {at} twice");
                let mut without = lines.clone();
                without.remove(at);
                // The file without its last line is that of a process that was killed after all cases.
                let expected = if at + 1 == lines.len() { u8::from(misses) } else { INCONCLUSIVE };
                assert_eq!(code(&scratch.0, &without.concat()), expected, "without line {at}");
                for other in at + 1..lines.len() {
                    let mut swapped = lines.clone();
                    swapped.swap(at, other);
                    let code = code(&scratch.0, &swapped.concat());
                    assert_eq!(code, INCONCLUSIVE, "{at} and {other} swapped");
                }
            }
            // The records of a process that was killed are judged, and never pass as a whole.
            for cut in 0..text.len() {
                let whole = text[..cut].iter().filter(|byte| **byte == b'\n').count();
                let code = code(&scratch.0, &text[..cut]);
                let all = whole + 2 >= lines.len();
                assert!(code != 0 || (all && !misses), "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_run_that_stopped_has_the_cases_that_its_gate_says_and_their_verdict() {
        let scratch = scratch("stopped");
        let stopped = |ran: usize, of: usize, misses: bool| {
            let mut records = run_of(2, misses, true);
            for record in &mut records {
                match record {
                    Record::Experiment(one) => {
                        (one.rows, one.selected) = (4, 4);
                        one.evaluators[0].shape = Shape::Bool;
                    }
                    Record::Gate(gate) => {
                        gate.stopped = Some(StoppedRecord { ran, of });
                    }
                    _ => {}
                }
            }
            code(&scratch.0, &to_lines(&records))
        };
        // One miss of four is below 0.9, whatever the fourth case scores.
        assert_eq!(stopped(3, 4, true), 1);
        assert_eq!((stopped(2, 4, true), stopped(3, 5, true)), (INCONCLUSIVE, INCONCLUSIVE));
        // Three hits of four do not hold it yet: a gate that is recorded as passed proves nothing.
        assert_eq!(stopped(3, 4, false), INCONCLUSIVE);
    }

    #[test]
    fn records_that_contradict_each_other_prove_nothing() {
        let scratch = scratch("contradictions");
        let changed = |from: &str, to: &str| {
            let text = String::from_utf8(schema_1(&run_of(1, true, true))).unwrap();
            assert!(text.contains(from), "{from}");
            code(&scratch.0, text.replace(from, to).as_bytes())
        };
        for (from, to) in [
            ("\"value\":false", "\"walue\":false"),
            ("\"value\":false", "\"value\":true"),
            ("\"type\":\"experiment\"", "\"type\":\"experimenu\""),
            ("\"state\":\"fail\"", "\"state\":\"pass\""),
            ("\"reasons\":[\"right is false\"]", "\"reasons\":[]"),
            ("\"verdict\":\"fail\"", "\"verdict\":\"pass\""),
            ("\"pass\":2,\"fail\":1", "\"pass\":3,\"fail\":0"),
            ("\"exit_code\":101", "\"exit_code\":0"),
            ("\"attempt\":1", "\"attempt\":2"),
        ] {
            assert_eq!(changed(from, to), INCONCLUSIVE, "{from} as {to}");
        }
    }
}
