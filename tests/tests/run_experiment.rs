//! Tests `run_experiment`, the engine in a program.

// A panic is the failure of a test.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, clippy::items_after_statements)]

use std::time::Duration;

use honeyhive_harness::journal::{CaseState, Record, read_invocation};
use honeyhive_harness::{
    Call, Datapoint, Dataset, Evaluators, ExperimentOptions, Fault, Function, HoneyHive, evaluator,
    run_experiment,
};
use honeyhive_tests::Fake;
use serde_json::json;

#[evaluator]
fn same(output: i64, ground_truth: i64) -> bool {
    output == ground_truth
}

#[evaluator]
async fn distance(output: i64, ground_truth: i64) -> f64 {
    tokio::time::sleep(Duration::from_millis(1)).await;
    (output - ground_truth).abs() as f64
}

#[evaluator]
fn at_least(output: i64, #[setting] limit: i64) -> bool {
    output >= limit
}

fn numbers(count: i64) -> Dataset {
    let rows =
        (0..count).map(|n| Datapoint::new().id(format!("n{n}")).input("n", n).ground_truth(n));
    Dataset::from_datapoints("numbers", rows).unwrap()
}

fn wrong_for_one() -> Function {
    Function::new(async |call: Call| {
        let n: i64 = call.input("n")?;
        assert_ne!(n, 2, "two is not a number");
        Ok::<_, Fault>(if n == 1 { 7 } else { n })
    })
}

#[tokio::test]
async fn results_are_typed_and_complete() {
    let evaluators =
        Evaluators::new().with(same {}).with(distance {}).named("positive", at_least { limit: 1 });
    let options = ExperimentOptions::new().metadata("model", "none").tag("smoke").repeats(2);
    let result =
        run_experiment("identity", numbers(5), wrong_for_one(), evaluators, options).await.unwrap();
    assert_eq!(result.dataset_id, "EXT-numbers");
    assert_eq!(result.run_id.len(), 36);
    let totals = result.totals;
    assert_eq!((totals.passed, totals.failed, totals.errors), (2, 2, 1));
    assert_eq!(result.evaluators[0].mean, Some(0.75));
    assert_eq!((result.evaluators[0].n, result.evaluators[0].missing), (4, 1));
    assert_eq!(result.evaluators[1].mean, Some(1.5));
    assert_eq!(result.evaluators[1].pass_rate, None);
    assert_eq!(result.evaluators[2].name, "positive");
    let two = &result.datapoints[2];
    assert_eq!((two.id.as_str(), two.datapoint_id.as_str()), ("n2", "EXT-numbers-n2"));
    assert_eq!(two.state, CaseState::Error);
    assert_eq!(two.attempts.len(), 2);
    let error = two.attempts[0].error.as_ref().unwrap();
    assert!(error.message.contains("two is not a number"), "{error:?}");
    let spans = &result.datapoints[0].attempts[1].spans;
    let mut names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["evaluator.distance", "evaluator.positive", "evaluator.same", "identity"]);
    assert_eq!(result.journal, None);
}

#[tokio::test]
async fn a_journal_can_be_kept_inside_a_runtime() {
    let directory = tempfile::tempdir().unwrap();
    let options = ExperimentOptions::new().journal(directory.path());
    let evaluators = Evaluators::new().with(same {});
    let result =
        run_experiment("with a / in its name", numbers(3), wrong_for_one(), evaluators, options)
            .await
            .unwrap();
    let file = result.journal.unwrap();
    let journal = read_invocation(file.parent().unwrap()).unwrap();
    let cases = journal.records.iter().filter(|record| matches!(record, Record::Case(_))).count();
    assert_eq!(cases, 3);
    assert!(matches!(journal.records.last(), Some(Record::End(_))));
}

#[tokio::test]
async fn a_typo_is_told_before_the_first_call() {
    let function = Function::blocking(|_: &Call| -> Result<i64, String> { panic!("was called") });
    #[evaluator]
    fn wants_more(output: i64, topic: &str) -> bool {
        output > 0 && topic.is_empty()
    }
    let evaluators = Evaluators::new().with(wants_more {});
    let error = run_experiment("typo", numbers(3), function, evaluators, ExperimentOptions::new())
        .await
        .unwrap_err();
    assert!(error.to_string().starts_with("none of the 3 rows of numbers has an input `topic`"));
    let twice = Evaluators::new().with(same {}).with(same {});
    let error =
        run_experiment("twice", numbers(1), wrong_for_one(), twice, ExperimentOptions::new())
            .await
            .unwrap_err();
    assert_eq!(
        error.to_string(),
        "two evaluators are named `same`; add one with `.named(\"..\", ..)`"
    );
}

#[tokio::test]
async fn no_limit_is_a_limit_too() {
    let options =
        ExperimentOptions::new().concurrency(usize::MAX).timeout(Duration::MAX).retries(1);
    let evaluators = Evaluators::new().with(same {});
    let result = run_experiment("unlimited", numbers(50), wrong_for_one(), evaluators, options)
        .await
        .unwrap();
    assert_eq!(result.totals.passed, 48);
    assert_eq!(result.datapoints[2].attempts[0].tries, 2);
}

#[test]
fn it_needs_no_runtime_of_the_caller() {
    let future = run_experiment(
        "plain",
        numbers(4),
        Function::blocking(|call: &Call| call.input::<i64>("n")),
        Evaluators::new().with(same {}),
        ExperimentOptions::new(),
    );
    // This is a minimal executor: it polls, and parks the thread until it is woken.
    struct Waker(std::thread::Thread);
    impl std::task::Wake for Waker {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Waker(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    let result = loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(result) => break result.unwrap(),
            std::task::Poll::Pending => std::thread::park(),
        }
    };
    assert_eq!(result.totals.passed, 4);
}

fn client(fake: &Fake) -> HoneyHive {
    let client = HoneyHive::builder().api_key(fake.key()).server_url(fake.url());
    client.max_retries(0).build().unwrap()
}

#[tokio::test]
async fn a_run_goes_to_honeyhive_and_to_a_receiver_of_spans() {
    let figures = json!({
        "status": "completed",
        "success": true,
        "metrics": {"details": [{"metric_name": "same", "aggregate": 0.5}]},
        "datapoints": [{"session_id": "1"}, {"session_id": "2"}, {"session_id": "3"}],
    });
    let fake = Fake::builder().otlp_header("x-tenant", "acme").result(figures).start();
    let options = ExperimentOptions::new()
        .honeyhive(client(&fake))
        .results("average")
        .project("demo")
        .source("nightly")
        .metadata("model", "none")
        .otlp(format!("{}/v1/traces", fake.url()))
        .otlp_header("X-Tenant", "acme");
    let evaluators = Evaluators::new().with(same {});
    let result =
        run_experiment("identity", numbers(3), wrong_for_one(), evaluators, options).await.unwrap();
    fake.assert_clean();
    let [upload, spans] = &result.uploads[..] else { panic!("{:?}", result.uploads) };
    assert!(upload.complete && spans.complete, "{:?}", result.uploads);
    assert_eq!((upload.attempts, upload.sent, spans.sent), (3, 3, 3));
    assert_eq!(upload.run_id.as_deref(), Some(result.run_id.as_str()));
    assert_eq!(upload.results, ["identity: average of same is 0.5"]);
    // The options set no journal.
    assert_eq!(result.journal, None);
    let [run] = &fake.runs()[..] else { panic!() };
    assert_eq!((run.id.as_str(), run.status.as_str()), (result.run_id.as_str(), "completed"));
    assert_eq!(run.created["metadata"]["model"], "none");
    for session in fake.sessions() {
        assert_eq!(
            (&session.body["source"], &session.body["project"]),
            (&"nightly".into(), &"demo".into())
        );
    }
    // Each receiver has three spans of the function and two of the evaluator, which does not run
    // after a panic.
    assert_eq!((fake.spans().len(), fake.otlp_spans().len()), (5, 5));
}

#[tokio::test]
async fn a_server_that_is_away_is_no_error_and_the_journal_stays() {
    let fake = Fake::start();
    fake.stop();
    let options = ExperimentOptions::new().honeyhive(client(&fake));
    let result =
        run_experiment("identity", numbers(3), wrong_for_one(), Evaluators::new(), options)
            .await
            .unwrap();
    assert_eq!(result.totals.passed, 2);
    let [upload] = &result.uploads[..] else { panic!() };
    assert!(!upload.complete && upload.sent == 0);
    assert!(upload.problem.as_ref().unwrap().contains("no connection"), "{upload:?}");
    let journal = result.journal.unwrap();
    assert_eq!(read_invocation(journal.parent().unwrap()).unwrap().torn.len(), 0);
    std::fs::remove_dir_all(journal.parent().unwrap()).unwrap();
}

/// Runs the test of this name in its own process with these variables, since a process cannot
/// change its own variables safely.
fn with_variables(test: &str, variables: &[(&str, &str)]) {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn nothing_leaves_the_machine_while_offline() {
    let fake = Fake::start();
    let url = fake.url();
    let to = [("URL_OF_FAKE", url.as_str()), ("KEY_OF_FAKE", fake.key())];
    let run = |variables: &[(&str, &str)]| {
        with_variables("sends_where_it_is_told_to", &[&to, variables].concat());
        fake.requests().len()
    };
    assert_eq!(run(&[("HH_OFFLINE", "1")]), 0);
    assert_eq!(run(&[("HH_TEST_MODE", "1")]), 0);
    assert!(run(&[]) > 0, "the test itself sends nothing");
}

#[tokio::test]
#[ignore = "part of nothing_leaves_the_machine_while_offline"]
async fn sends_where_it_is_told_to() {
    let variable = |name| std::env::var(name).unwrap();
    let client = HoneyHive::builder().api_key(variable("KEY_OF_FAKE"));
    let client = client.server_url(variable("URL_OF_FAKE")).build().unwrap();
    let options = ExperimentOptions::new()
        .honeyhive(client)
        .otlp(format!("{}/v1/traces", variable("URL_OF_FAKE")));
    let result =
        run_experiment("identity", numbers(2), wrong_for_one(), Evaluators::new(), options)
            .await
            .unwrap();
    assert_eq!(result.totals.passed, 2);
    let offline = ["HH_OFFLINE", "HH_TEST_MODE"].into_iter().any(|n| std::env::var_os(n).is_some());
    assert_eq!(result.uploads.is_empty(), offline, "{:?}", result.uploads);
}
