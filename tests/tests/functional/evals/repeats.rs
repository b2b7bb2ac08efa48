//! Experiments with cases that run several times, belong to a cluster, or are in a sample.

mod probe;

use honeyhive_harness::{Datapoint, evaluator, experiment};

/// Returns a row with the answers of its attempts, one after the other: `y` and `n`, `e` for an
/// error, `-` where no evaluator applies. With more attempts than answers they start again.
fn row(answers: &str) -> Datapoint {
    Datapoint::new().id(answers).input("answers", answers)
}

fn rows(of: &[&str]) -> Vec<Datapoint> {
    of.iter().map(|answers| row(answers)).collect()
}

/// Returns the answer of this attempt. Attempts are in order only with `concurrency = 1`.
fn answer(experiment: &str, answers: &str) -> Result<String, String> {
    let nth = probe::nth(&format!("{experiment} {answers}")) - 1;
    match &answers[nth % answers.len()..][..1] {
        "e" => Err("no answer".to_owned()),
        answer => Ok(answer.to_owned()),
    }
}

#[evaluator]
fn yes(output: &str) -> Option<bool> {
    (output != "-").then_some(output == "y")
}

#[evaluator]
fn points(output: &str) -> f64 {
    if output == "y" { 3.0 } else { 1.0 }
}

#[evaluator(threshold = 2, direction = minimize)]
fn price(output: &str) -> f64 {
    if output == "y" { 3.0 } else { 1.0 }
}

fn three() -> Vec<Datapoint> {
    rows(&["yyy", "yyn", "nyn", "nnn"])
}

#[experiment(
    dataset = three,
    repeats = 3,
    concurrency = 1,
    evaluators(yes, two = yes, any = yes, all = yes, middle = yes, best = yes, worst = yes),
    reduce(
        two = at_least(2), any = pass_at(2), all = pass_all(2),
        middle = median, best = max, worst = min,
    ),
)]
fn reduced(answers: &str) -> Result<String, String> {
    answer("reduced", answers)
}

#[experiment(
    dataset = three,
    repeats = 3,
    concurrency = 1,
    evaluators(yes, two = yes, any = yes, all = yes, middle = points, cheap = price),
    reduce(two = at_least(2), any = pass_at(2), all = pass_all(2), middle = median, cheap = at_least(2)),
    gate(
        mean(yes) >= 0.5,
        mean(two) >= 0.5,
        pass_rate(two) >= 0.5,
        mean(any) >= 0.5,
        mean(all) >= 0.3,
        mean(middle) >= 2,
        max(middle) <= 3,
        mean(cheap) >= 0.5,
        pass_rate(cheap) >= 0.75,
    ),
)]
fn gated(answers: &str) -> Result<String, String> {
    answer("gated", answers)
}

#[evaluator(threshold = 0.6)]
fn mostly(output: &str) -> bool {
    output == "y"
}

#[experiment(dataset = three, repeats = 3, concurrency = 1, evaluators(mostly, middle = points))]
fn averaged(answers: &str) -> Result<String, String> {
    answer("averaged", answers)
}

fn with_errors() -> Vec<Datapoint> {
    rows(&["yye", "yee", "eee", "y--", "---"])
}

#[experiment(
    dataset = with_errors,
    repeats = 3,
    concurrency = 1,
    evaluators(yes),
    reduce(yes = at_least(2)),
    gate(mean(yes) >= 0.5, error_rate <= 1),
)]
fn erring(answers: &str) -> Result<String, String> {
    answer("erring", answers)
}

#[experiment(dataset = three, repeats = 3, concurrency = 1, evaluators(yes), require(yes))]
fn required(answers: &str) -> Result<String, String> {
    answer("required", answers)
}

// ---- clusters ----

/// Returns eight documents with four questions each; of a document, all are good or none.
fn questions() -> Vec<Datapoint> {
    (0..32)
        .map(|n| {
            let good = if n / 4 % 2 == 0 { "y" } else { "n" };
            Datapoint::new()
                .id(format!("q{n:02}"))
                .input("answers", good)
                .metadata("document", format!("d{}", n / 4))
        })
        .collect()
}

/// Returns the questions, the last of which has no document.
fn one_alone() -> Vec<Datapoint> {
    let mut rows = questions();
    rows[31].metadata.clear();
    rows
}

#[experiment(dataset = questions, evaluators(yes), gate(mean(yes) >= 0.5))]
fn apart(answers: &str) -> String {
    answers.to_owned()
}

#[experiment(
    dataset = questions,
    cluster = "document",
    evaluators(yes),
    gate(mean(yes) >= 0.5, confident(mean(yes) >= 0.2), not_worse(mean(yes) >= 0.7)),
)]
fn together(answers: &str) -> String {
    answers.to_owned()
}

#[experiment(dataset = one_alone, cluster = "document", evaluators(yes), gate(mean(yes) >= 0.5))]
fn together_but_one(answers: &str) -> String {
    answers.to_owned()
}

#[experiment(dataset = questions, cluster = "documnet", evaluators(yes), gate(mean(yes) >= 0.5))]
fn cluster_misspelt(answers: &str) -> String {
    answers.to_owned()
}

// ---- samples ----

/// Returns forty rows, every third of them bad.
fn forty() -> Vec<Datapoint> {
    (1..=40)
        .map(|n| {
            let answers = if n % 3 == 0 { "n" } else { "y" };
            Datapoint::new().id(format!("{n:02}")).input("answers", answers).input("n", n)
        })
        .collect()
}

#[experiment(dataset = forty, evaluators(yes), gate(mean(yes) >= 0.6))]
fn sampled(answers: &str, n: u32) -> String {
    probe::note("ran", format!("{n:02}"));
    answers.to_owned()
}

#[experiment(dataset = forty, evaluators(yes, good = yes), gate(mean(yes) >= 0.6))]
fn sampled_and_judged(answers: &str) -> String {
    answers.to_owned()
}

// ---- files that are tracked ----

#[experiment(dataset = three, track("data/prompts/*.md", "data/schema.json"), evaluators(points))]
fn tracking(answers: &str) -> String {
    answers.to_owned()
}

#[experiment(dataset = three, track("data/prompts/*.md", "data/promts/*.md"), evaluators(points))]
fn tracking_nothing(answers: &str) -> String {
    answers.to_owned()
}

honeyhive_harness::main!();
