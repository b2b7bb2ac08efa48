//! Settings in both forms, with and without defaults, and how they are used.

use std::sync::Arc;

use honeyhive_harness::__private::{Evaluation, Evaluator, Subject};
use honeyhive_harness::{Datapoint, Trace, evaluator, experiment};

/// Not `Copy`, not `Debug`.
#[derive(Clone)]
struct Words(Vec<&'static str>);

const LEAST: usize = 2;

#[evaluator]
fn marked(output: &str, #[setting] min: usize, #[setting] _unit: &str) -> bool {
    output.len() >= min
}

#[evaluator(settings(min = LEAST + 1, words, suffix = "!", max = None, r#type = 'x', of))]
fn listed(
    output: &str,
    min: usize,
    words: Words,
    suffix: &str,
    max: Option<usize>,
    r#type: char,
    of: &[&str],
) -> usize {
    assert_eq!((min, suffix, r#type, of), (3, "!", 'y', &["a", "b"][..]));
    words.0.len() + max.unwrap_or(output.len())
}

#[evaluator(settings(limit))]
async fn with_option(output: usize, limit: Option<usize>, #[setting] judge: fn(&str) -> bool) -> bool {
    limit.is_none_or(|limit| output < limit) && judge("x")
}

fn is_x(text: &str) -> bool {
    text == "x"
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(
        marked(min = 3, unit = "characters"),
        strict = marked(unit = "bytes", min = 2 * LEAST + 1),
        listed(words = Words(vec!["a", "b"]), type = 'y', of = &["a", "b"]),
        open = with_option(judge = is_x),
        closed = with_option(limit = Some(1), judge = |text| text.is_empty()),
    ),
)]
fn greet() {}

fn main() {
    let experiment = honeyhive_harness::__private::experiments()[0];
    let mut answers = Vec::new();
    for used in experiment.evaluators {
        let evaluator: Arc<dyn Evaluator> = (used.make)();
        let output: serde_json_value::Value = match used.name {
            "open" | "closed" => 4.into(),
            _ => "four".into(),
        };
        let subject = Subject {
            datapoint: Arc::new(Datapoint::new()),
            output: Arc::new(output),
            trace: Arc::new(Trace::default()),
        };
        let answer = match evaluator.evaluate(subject) {
            Evaluation::Sync(run) => run(),
            Evaluation::Async(future) => {
                tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
            }
        };
        answers.push((used.name, used.settings, answer.unwrap().unwrap().value.as_f64()));
    }
    let expected = [
        ("marked", "min = 3, unit = \"characters\"", 1.0),
        ("strict", "unit = \"bytes\", min = 2 * LEAST + 1", 0.0),
        ("listed", "words = Words(vec![\"a\", \"b\"]), type = 'y', of = &[\"a\", \"b\"]", 6.0),
        ("open", "judge = is_x", 1.0),
        ("closed", "limit = Some(1), judge = |text| text.is_empty()", 0.0),
    ];
    assert_eq!(answers, expected);
    // The struct beside the function can be written by hand, and the function called.
    let companion = marked { min: 1, unit: "x" };
    assert_eq!(format!("{:?} {}", companion.clone(), marked("ab", companion.min, "")), "marked true");
}

mod serde_json_value {
    pub use honeyhive_harness::__private::Value;
}
