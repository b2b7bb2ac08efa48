//! Every return type that is a score, and what it says before there is one.

use std::sync::Arc;

use honeyhive_harness::__private::{Companion, Evaluation, Evaluator, Shape, Subject};
use honeyhive_harness::{Datapoint, Score, Trace, evaluator};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[evaluator]
fn yes(output: u8) -> bool {
    output > 1
}

#[evaluator]
fn number(output: u8) -> u8 {
    output
}

#[evaluator]
fn float(output: f32) -> f32 {
    output
}

#[evaluator]
fn not_applicable(output: u8) -> Option<f64> {
    (output > 100).then_some(1.0)
}

#[evaluator]
fn score(output: u8) -> Score {
    Score::new(output > 1).explanation("why")
}

#[evaluator]
fn alias(output: u8) -> Outcome<Option<bool>> {
    if output > 100 { Err("too large".into()) } else { Ok(Some(true)) }
}

#[evaluator]
fn with_anyhow(output: u8) -> anyhow::Result<Score> {
    anyhow::ensure!(output > 100, "too small");
    Ok(Score::new(1))
}

#[evaluator]
async fn later(output: u8) -> Result<bool, String> {
    tokio::task::yield_now().await;
    Ok(output > 1)
}

fn run<E: Companion>(_companion: fn() -> E) -> (Shape, Option<f64>) {
    let evaluator: Arc<dyn Evaluator> = Arc::new(E::from_settings(E::Settings::default()));
    let subject = Subject {
        datapoint: Arc::new(Datapoint::new()),
        output: Arc::new(2.into()),
        trace: Arc::new(Trace::default()),
    };
    let answer = match evaluator.evaluate(subject) {
        Evaluation::Sync(run) => run(),
        Evaluation::Async(future) => {
            tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
        }
    };
    (E::INFO.shape, answer.ok().flatten().map(|score| score.value.as_f64()))
}

fn main() {
    assert_eq!(run(|| yes {}), (Shape::Bool, Some(1.0)));
    assert_eq!(run(|| number {}), (Shape::Number, Some(2.0)));
    assert_eq!(run(|| float {}), (Shape::Number, Some(2.0)));
    assert_eq!(run(|| not_applicable {}), (Shape::Number, None));
    assert_eq!(run(|| score {}), (Shape::Score, Some(1.0)));
    assert_eq!(run(|| alias {}), (Shape::Bool, Some(1.0)));
    assert_eq!(run(|| with_anyhow {}), (Shape::Score, None));
    assert_eq!(run(|| later {}), (Shape::Bool, Some(1.0)));
    // They are functions still.
    assert!(yes(2) && with_anyhow(1).is_err());
}
