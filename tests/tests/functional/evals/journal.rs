//! An experiment with all kinds of data that a journal records.

mod probe;

use honeyhive_harness::{Datapoint, Score, Tracer, evaluator, experiment};

fn questions() -> Vec<Datapoint> {
    let row =
        |id: &str, truth: &str| Datapoint::new().id(id).input("question", id).ground_truth(truth);
    vec![
        row("good", "good").metadata("lang", "en").tag("smoke"),
        row("bad", "something else"),
        row("down", "down"),
    ]
}

#[evaluator(threshold = 0.5, range(0.0, 1.0), settings(strict = false))]
fn right(output: &str, ground_truth: &str, strict: bool) -> Score {
    let right = output == ground_truth;
    Score::new(f64::from(u8::from(right)))
        .label(if right { "right" } else { "wrong" })
        .explanation(format!("strict: {strict}"))
        .metadata("judge", "equality")
}

#[evaluator(direction = minimize)]
fn length(output: &str) -> usize {
    output.len()
}

#[experiment(
    dataset = questions,
    dataset_name = "faq",
    evaluators(right(strict = true), length),
    require(length <= 100),
    gate(mean(right) >= 0.5, error_rate <= 0.5),
    repeats = 2,
    retries = 1,
    timeout = "5s",
    concurrency = 2,
    tags("nightly"),
    metadata(model = "m-1", temperature = 0.5, seed = 7, stream = false),
)]
fn answer(question: &str, tracer: &Tracer) -> anyhow::Result<String> {
    probe::note("answer", question);
    tracer.start_span("ask").set_attribute("tokens", 12);
    anyhow::ensure!(question != "down", "no answer");
    Ok(question.to_owned())
}

honeyhive_harness::main!();
