//! Experiments for tests of the output on a terminal.

use honeyhive_harness::{Datapoint, Score, evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[evaluator]
fn length(output: &str) -> usize {
    output.len()
}

fn row(id: &str, question: &str, truth: &str) -> Datapoint {
    Datapoint::new().id(id).input("question", question).ground_truth(truth)
}

fn all_right() -> Vec<Datapoint> {
    vec![row("one", "a", "a"), row("two", "b", "b"), row("three", "c", "c")]
}

#[experiment(
    dataset = all_right,
    evaluators(correct, length),
    gate(mean(correct) >= 0.9, p95(latency) <= "30s"),
)]
fn green(question: &str) -> String {
    question.to_owned()
}

fn some_wrong() -> Vec<Datapoint> {
    vec![
        row("right", "Paris", "Paris"),
        row("wrong", "Lyon", "Paris"),
        row("error", "down", "Paris"),
        row("terse", "Rome", "Rome"),
    ]
}

#[evaluator]
fn polite(output: &str) -> Score {
    Score::new(output != "Rome").explanation(
        "the answer has neither a greeting nor a closing, which support agents must write",
    )
}

#[experiment(
    dataset = some_wrong,
    evaluators(correct, polite, length),
    gate(mean(correct) >= 0.9, mean(length) <= 10, error_rate <= 0.5),
)]
fn red(question: &str) -> anyhow::Result<String> {
    anyhow::ensure!(question != "down", "connection refused");
    Ok(question.to_owned())
}

// ---- what does not fit ----

fn lengthy() -> Vec<Datapoint> {
    let words = "many words that go on ".repeat(40);
    (1..=3)
        .map(|n| {
            let id = format!("{n}-a-rather-long-id-of-a-datapoint-that-somebody-has-chosen");
            row(&id, &format!("{words}\nin {n} lines — ねこ 日本語 ☕"), &words)
        })
        .collect()
}

#[evaluator]
fn an_evaluator_with_a_rather_long_name_indeed(output: &str, ground_truth: &str) -> Score {
    Score::new(output == ground_truth)
        .explanation("because it is as it is, and will be so ".repeat(8))
}

#[evaluator(threshold = 0.25)]
fn exact_share(output: &str, ground_truth: &str) -> f64 {
    f64::from(u8::from(output == ground_truth)) / 3.0
}

#[experiment(
    dataset = lengthy,
    evaluators(an_evaluator_with_a_rather_long_name_indeed, exact_share, correct),
    gate(
        confident(mean(an_evaluator_with_a_rather_long_name_indeed, slice = "language:de") >= 0.123456),
        not_worse(pass_rate(exact_share, slice = "a very long tag that goes on and on") >= 0.987654),
    ),
)]
fn an_experiment_with_a_long_name(question: &str) -> String {
    question.to_owned()
}

fn rude() -> Vec<Datapoint> {
    vec![
        row("colours", "\u{1b}[31mred\u{1b}[0m and \u{1b}]0;title\u{7}", "x"),
        row("control", "a\rb\u{8}c\u{0}d\u{9b}2J\u{202e}evil", "\u{1b}[2J"),
        row("lines", "one\ntwo\r\nthree", "test rude::fake ... ok\n\ntest result: ok."),
    ]
}

#[evaluator]
fn repeats_it(output: &str) -> Score {
    Score::new(false).explanation(format!("it says {output}"))
}

#[experiment(dataset = rude, evaluators(correct, repeats_it))]
fn rude_outputs(question: &str) -> String {
    question.to_owned()
}

#[experiment(dataset = rude, evaluators(correct))]
fn rude_errors(question: &str) -> Result<String, String> {
    Err(question.to_owned())
}

#[experiment(dataset = rude, evaluators(correct))]
fn rude_panics(question: &str) -> String {
    panic!("{question}")
}

// ---- many misses ----

fn thirty() -> Vec<Datapoint> {
    (1..=30).map(|n| row(&format!("{n:02}"), &n.to_string(), "x")).collect()
}

#[experiment(dataset = thirty, evaluators(correct))]
fn thirty_misses(question: &str) -> String {
    question.to_owned()
}

#[experiment(dataset = thirty, evaluators(wants_a_number))]
fn stopped(question: &str) -> String {
    question.to_owned()
}

#[evaluator]
fn wants_a_number(output: f64) -> bool {
    output > 0.0
}

honeyhive_harness::main!();
