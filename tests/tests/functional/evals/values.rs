//! Experiments on datasets of other programs, and on values that are equal except for their form.

mod probe;

use honeyhive_harness::{Datapoint, Score, evaluator, experiment};
use serde_json::Value;

#[evaluator]
fn fine(output: Option<Value>) -> bool {
    output.is_some()
}

// ---- files ----

macro_rules! texts {
    ($($name:ident = $file:literal,)*) => {$(
        #[experiment(dataset = $file, evaluators(fine))]
        fn $name(text: &str) -> String {
            text.to_owned()
        }
    )*};
}

texts! {
    open_quote = "data/open_quote.csv",
    repeated = "data/repeated.jsonl",
    repeated_array = "data/repeated.json",
    repeated_column = "data/repeated.csv",
    nearly_id = "data/nearly_id.jsonl",
    semicolons = "data/semicolons.csv",
    first_line = "data/first_line.csv",
    pasted = "data/pasted.csv",
    not_json = "data/not_json.jsonl",
    marks = "data/marks.jsonl",
    long_ids = "data/long_ids.jsonl",
    empty_text = "data/empty_text.csv",
    no_header = "data/no_header.csv",
    input_key = "data/input_key.jsonl",
    skipped = "data/skipped.jsonl",
    old_mac = "data/old_mac.jsonl",
    padded = "data/padded.csv",
    utf16 = "data/utf16.jsonl",
    external = "data/external.jsonl",
    elsewhere = "values/data/marks.jsonl",
}

#[experiment(dataset = "data/optional.jsonl", evaluators(fine))]
fn optional(text: &str, context: Option<String>) -> String {
    format!("{text} {context:?}")
}

#[experiment(dataset = "data/optional_typo.jsonl", evaluators(fine))]
fn optional_typo(text: &str, contxt: Option<String>) -> String {
    format!("{text} {contxt:?}")
}

// ---- cells ----

#[evaluator]
fn opposite(output: bool, ground_truth: bool) -> bool {
    output == ground_truth
}

#[experiment(dataset = "data/booleans.csv", evaluators(opposite))]
fn booleans(urgent: bool) -> bool {
    !urgent
}

#[evaluator]
fn right(output: f64, ground_truth: f64) -> bool {
    (output - ground_truth).abs() < 1e-9
}

#[experiment(dataset = "data/numbers.csv", evaluators(right))]
fn numbers(n: Option<u32>, ratio: Option<f64>) -> f64 {
    f64::from(n.unwrap_or(0)) + ratio.unwrap_or(0.0)
}

// ---- numbers ----

/// Returns the value, whose range is checked without a tolerance.
#[evaluator(range(0.0, 1.0))]
fn unit(x: f64) -> f64 {
    x
}

#[evaluator(range(0.0, 1.0), threshold = 0.7)]
fn unit32(y: f32) -> f32 {
    y
}

#[evaluator(range(0.0, 1.0), threshold = 0.7)]
fn scored32(y: f32) -> Option<Score> {
    Some(Score::new(y))
}

#[experiment(dataset = "data/edges.jsonl", evaluators(unit, unit32, scored32))]
fn edges() -> u8 {
    1
}

#[evaluator]
fn same(output: f64, ground_truth: f64) -> bool {
    output == ground_truth
}

#[experiment(dataset = "data/singles.jsonl", evaluators(same))]
fn singles(x: f32) -> f32 {
    x
}

#[derive(serde::Serialize)]
struct Wide {
    big: u128,
    small: i128,
    infinite: f64,
    single: [f32; 2],
    zero: f64,
    keys: std::collections::BTreeMap<u8, bool>,
    bytes: &'static [u8],
}

#[experiment(dataset = "data/marks.jsonl", evaluators(fine))]
fn wide(text: &str) -> Wide {
    let _ = text;
    Wide {
        big: u128::MAX,
        small: -7,
        infinite: f64::INFINITY,
        single: [0.1, 5.55],
        zero: -0.0,
        keys: [(1, true)].into(),
        bytes: b"ab",
    }
}

// ---- functions ----

fn read_by_hand() -> impl Iterator<Item = Result<Datapoint, String>> {
    ["first", "broken", "third"].into_iter().zip(1..).map(|(text, line)| match text {
        "broken" => Err(format!("rows.yaml:{line}: not a mapping")),
        text => {
            let row = serde_json::json!({"id": text, "text": line});
            Ok(Datapoint::try_from(row)?.place(format!("rows.yaml:{line}")))
        }
    })
}

#[experiment(dataset = read_by_hand, evaluators(fine))]
fn by_hand(text: &str) -> String {
    text.to_owned()
}

honeyhive_harness::main!();
