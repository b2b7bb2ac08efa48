//! `Experiment`: what the attribute has, in a program of its own.

// A test ends where something is not as it should be.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use honeyhive_harness::Reducer;
use honeyhive_harness::baseline::{
    self, CaseSnapshot, EvaluatorPrint, SCHEMA, ScoreSnapshot, Snapshot,
};
use honeyhive_harness::journal::{
    CaseState, EndRecord, ExperimentRecord, Record, Verdict, read_invocation,
};
use honeyhive_harness::{
    Call, Datapoint, Dataset, Experiment, ExperimentResult, Function, Report, RunError, evaluator,
};
use honeyhive_harness::{Requirement, Rule};

#[evaluator]
fn even(output: i64) -> bool {
    output % 2 == 0
}

#[evaluator]
fn at_least(output: i64, #[setting] limit: i64) -> bool {
    output >= limit
}

#[evaluator(range(0.0, 100.0))]
fn size(output: i64) -> i64 {
    output
}

fn numbers(count: i64) -> Dataset {
    let rows = (0..count).map(|n| {
        let half = if n < count / 2 { "low" } else { "high" };
        Datapoint::new().id(format!("n{n:02}")).input("n", n).metadata("half", half)
    });
    Dataset::from_datapoints("numbers", rows).unwrap()
}

fn identity() -> Function {
    Function::blocking(|call: &Call| call.input::<i64>("n"))
}

fn texts(result: &ExperimentResult) -> Vec<(Verdict, &str)> {
    let gate = result.gate.as_ref().unwrap();
    gate.rules.iter().map(|rule| (rule.verdict, rule.text.as_str())).collect()
}

/// The first records of a kind in the journal of a result.
fn record<T>(result: &ExperimentResult, pick: impl Fn(Record) -> Option<T>) -> T {
    let file = result.journal.as_ref().unwrap();
    let journal = read_invocation(file.parent().unwrap()).unwrap();
    journal.records.into_iter().find_map(pick).unwrap()
}

fn experiment_record(result: &ExperimentResult) -> ExperimentRecord {
    record(result, |record| match record {
        Record::Experiment(record) => Some(*record),
        _ => None,
    })
}

#[tokio::test]
async fn a_gate_forgives_what_it_decides_about() {
    let result = Experiment::new("even", numbers(10), identity())
        .evaluator(even {})
        .gate(Rule::mean("even").at_least(0.5))
        .gate("error_rate <= 0, p95(latency) <= \"10s\"")
        .run()
        .await
        .unwrap();
    assert!(result.passed, "{result:?}");
    assert_eq!((result.totals.passed, result.totals.failed), (5, 5));
    let gate = result.gate.as_ref().unwrap();
    assert_eq!((gate.verdict, gate.passed), (Verdict::Pass, true));
    let texts = texts(&result);
    assert_eq!(texts.len(), 3);
    assert!(texts[0].1.starts_with("mean(even) >= 0.5: 0.5, n = 10"), "{texts:?}");
}

#[tokio::test]
async fn a_gate_that_fails_is_a_result() {
    let result = Experiment::new("even", numbers(10), identity())
        .evaluator(even {})
        .gate("mean(even) >= 0.9")
        .run()
        .await
        .unwrap();
    assert!(!result.passed);
    assert_eq!(result.gate.unwrap().verdict, Verdict::Fail);
    let without = Experiment::new("even", numbers(10), identity()).evaluator(even {}).run();
    let without = without.await.unwrap();
    assert!(without.gate.is_none() && !without.passed, "datapoints fail by themselves");
}

#[tokio::test]
async fn requirements_and_reducers_decide_about_datapoints() {
    let calls = Arc::new(AtomicUsize::new(0));
    let own = Arc::clone(&calls);
    let counting = Function::blocking(move |_: &Call| {
        i64::try_from(own.fetch_add(1, Ordering::SeqCst)).map_err(|error| error.to_string())
    });
    let result = Experiment::new("counting", numbers(1), counting)
        .evaluator(even {})
        .evaluator_named("late", at_least { limit: 2 })
        .evaluator(size {})
        .reduce("even", "at_least(2)".parse().unwrap())
        .reduce("late", Reducer::Max)
        .require(Requirement::at_most("size", 2))
        .repeats(3)
        .concurrency(1)
        .run()
        .await
        .unwrap();
    assert_eq!(result.evaluators[0].mean, Some(1.0), "0 and 2 are even");
    assert_eq!(result.evaluators[1].mean, Some(1.0), "2 is late");
    assert!(result.passed);
    let result = Experiment::new("numbers", numbers(4), identity())
        .evaluator(size {})
        .require("size <= 2")
        .run()
        .await
        .unwrap();
    assert!(!result.passed);
    let states: Vec<CaseState> = result.datapoints.iter().map(|one| one.state).collect();
    assert_eq!(states[2..], [CaseState::Pass, CaseState::Fail]);
}

/// Writes what a run came to as a baseline, as `cargo honeyhive accept` does.
fn accept(result: &ExperimentResult, file: &Path) {
    let record = experiment_record(result);
    let rows: Vec<(String, String)> = {
        let journal = read_invocation(result.journal.as_ref().unwrap().parent().unwrap()).unwrap();
        let cases = journal.records.into_iter().filter_map(|record| match record {
            Record::Case(case) => Some((case.case, case.row_hash)),
            _ => None,
        });
        cases.collect()
    };
    let mut snapshot = Snapshot {
        schema: SCHEMA,
        experiment: record.experiment.clone(),
        accepted_at: "2026-11-20T10:00:00Z".to_owned(),
        dataset: record.dataset.clone(),
        ..Snapshot::default()
    };
    for evaluator in &record.evaluators {
        let print = EvaluatorPrint {
            source: evaluator.source_hash.clone(),
            direction: evaluator.direction,
            reduce: evaluator.reduce.to_string(),
            good: "true".to_owned(),
            range: evaluator.range,
            ..EvaluatorPrint::default()
        };
        snapshot.evaluators.insert(evaluator.name.clone(), print);
    }
    for (id, row) in rows {
        let datapoint = result.datapoints.iter().find(|one| one.id == id).unwrap();
        let mut case = CaseSnapshot { row, ..CaseSnapshot::default() };
        for score in &datapoint.attempts[0].scores {
            let value = score.value.unwrap().as_f64();
            let good = Some(u32::from(value >= 1.0));
            let score_then = ScoreSnapshot { score: value, attempts: 1, good };
            case.scores.insert(score.evaluator.clone(), score_then);
        }
        snapshot.cases.insert(id, case);
    }
    baseline::write(file, &snapshot).unwrap();
}

fn shifted(by: i64) -> Function {
    Function::blocking(move |call: &Call| call.input::<i64>("n").map(|n| n + by))
}

#[tokio::test]
async fn a_baseline_is_compared_with() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("baselines/high.json");
    let experiment = |by: i64| {
        Experiment::new("high", numbers(40), shifted(by))
            .evaluator_named("high", at_least { limit: 5 })
            .gate(Rule::no_regression("high"))
            .baseline(&file)
            .journal(directory.path())
    };
    let first = experiment(0).run().await.unwrap();
    let gate = first.gate.as_ref().unwrap();
    assert_eq!(gate.verdict, Verdict::Inconclusive, "{gate:?}");
    assert!(gate.rules[0].text.contains("no baseline yet"), "{gate:?}");
    assert_eq!(gate.baseline, None);
    accept(&first, &file);

    let same = experiment(0).run().await.unwrap();
    let gate = same.gate.as_ref().unwrap();
    assert_eq!(gate.verdict, Verdict::Pass, "{gate:?}");
    let compared = gate.baseline.as_ref().unwrap();
    assert_eq!(compared.file, file.display().to_string());
    assert_eq!(compared.accepted_at, "2026-11-20T10:00:00Z");
    assert_eq!(experiment_record(&same).baseline, file.display().to_string());

    let worse = experiment(-20).run().await.unwrap();
    let gate = worse.gate.as_ref().unwrap();
    assert_eq!(gate.verdict, Verdict::Fail, "{gate:?}");
    assert!(!worse.passed);
    assert_eq!(gate.rules[0].against.as_ref().unwrap().worse, 20);
}

#[tokio::test]
async fn what_compares_needs_the_name_of_a_file() {
    let experiment = Experiment::new("high", numbers(4), identity());
    let experiment = experiment.evaluator(even {}).gate("no_regression(even)");
    assert_eq!(
        experiment.run().await.unwrap_err().to_string(),
        "`no_regression(even)` compares with an accepted run; name its file with `.baseline(\"..\")`"
    );
}

#[tokio::test]
async fn the_journal_has_what_that_of_a_test_has() {
    let directory = tempfile::tempdir().unwrap();
    let result = Experiment::new("numbers", numbers(6), identity())
        .evaluator(even {})
        .gate("mean(even, slice = \"half:low\") >= 0.3")
        .cluster("half")
        .dataset_name("digits")
        .track("Cargo.toml")
        .tag("smoke")
        .metadata("model", "none")
        .journal(directory.path())
        .report(Report::Html)
        .report(Report::Junit)
        .run()
        .await
        .unwrap();
    let experiment = experiment_record(&result);
    assert_eq!(experiment.gates, ["mean(even, slice = \"half:low\") >= 0.3"]);
    assert_eq!((&*experiment.dataset, experiment.cluster.as_deref()), ("digits", Some("half")));
    assert_eq!(result.dataset_id, "EXT-digits");
    assert_eq!(experiment.files.keys().collect::<Vec<_>>(), ["Cargo.toml"]);
    assert_eq!(experiment.tags, ["smoke"]);
    let gate = record(&result, |record| match record {
        Record::Gate(gate) => Some(gate),
        _ => None,
    });
    assert_eq!(Some(&gate), result.gate.as_ref());
    // Of the rows that the rule's slice leaves out, an odd one fails by itself.
    let end: EndRecord = record(&result, |record| match record {
        Record::End(end) => Some(end),
        _ => None,
    });
    assert_eq!((end.exit_code, result.passed), (101, false));
    let report = result.report.unwrap();
    assert!(report.ends_with("report/report.html") && report.is_file());
    assert!(report.with_file_name("junit.xml").is_file());
    assert!(result.notes.is_empty());
    let without = Experiment::new("numbers", numbers(1), identity()).report(Report::Html);
    let error = without.run().await.unwrap_err();
    assert!(error.to_string().starts_with("reports are written beside the journal"), "{error}");
}

#[tokio::test]
async fn a_sample_is_that_of_its_seed_and_not_final() {
    let sample = async |seed| {
        let experiment = Experiment::new("sample", numbers(50), identity());
        let experiment = experiment.evaluator(size {}).gate("mean(size) >= 0");
        let result = experiment.sample(10).sample_seed(seed).run().await.unwrap();
        assert_eq!(result.datapoints.len(), 10);
        let gate = result.gate.unwrap();
        assert_eq!(gate.verdict, Verdict::Inconclusive);
        let reason = gate.reason.unwrap();
        assert!(reason.starts_with("a sample of 10 of 50 cases (seed "), "{reason}");
        result.datapoints.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    let first = sample(0).await;
    assert_eq!(first, sample(0).await);
    assert_ne!(first, sample(1).await);
}

#[tokio::test]
async fn a_run_stops_when_its_gate_is_decided() {
    let never = Function::blocking(|_: &Call| Ok::<_, String>(1));
    let result = Experiment::new("never", numbers(200), never)
        .evaluator(even {})
        .gate("mean(even) >= 0.9")
        .stop_when_decided()
        .concurrency(1)
        .run()
        .await
        .unwrap();
    let gate = result.gate.as_ref().unwrap();
    let stopped = gate.stopped.unwrap();
    assert_eq!((gate.verdict, stopped.of), (Verdict::Fail, 200));
    assert!(stopped.ran < 60, "{stopped:?}");
    let experiment = Experiment::new("never", numbers(2), identity()).stop_when_decided();
    let error = experiment.run().await.unwrap_err();
    assert!(error.to_string().starts_with("stop: it needs a gate"), "{error}");
    let unbounded = Experiment::new("never", numbers(2), identity()).evaluator(size {});
    let error = unbounded.gate("p50(size) >= 1").stop_when_decided().run().await.unwrap_err();
    assert!(error.to_string().starts_with("stop: no rule of this gate"), "{error}");
}

#[tokio::test]
async fn an_unknown_evaluator_is_told_with_the_nearest() {
    let experiment = Experiment::new("numbers", numbers(2), identity()).evaluator(even {});
    let error = experiment.reduce("evn", Reducer::Max).run().await.unwrap_err();
    let RunError::UnknownEvaluator { name, nearest, .. } = &error else { panic!("{error:?}") };
    assert_eq!((name.as_str(), nearest.as_deref()), ("evn", Some("even")));
    assert_eq!(
        error.to_string(),
        "reduce(\"evn\", max): `evn` is not an evaluator of this experiment; did you mean `even`?"
    );
}

#[tokio::test]
async fn a_future_that_is_dropped_starts_nothing_more() {
    let calls = Arc::new(AtomicUsize::new(0));
    let own = Arc::clone(&calls);
    let slow = Function::blocking(move |_: &Call| {
        own.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(50));
        Ok::<_, String>(1)
    });
    let run = Experiment::new("slow", numbers(1000), slow).concurrency(2).run();
    let waited = tokio::time::timeout(std::time::Duration::from_millis(400), run).await;
    assert!(waited.is_err());
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let then = calls.load(Ordering::SeqCst);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(calls.load(Ordering::SeqCst), then);
    assert!(then < 100, "{then}");
}
