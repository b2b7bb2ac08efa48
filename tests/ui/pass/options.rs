//! All options, and what is recorded without them.

use std::sync::LazyLock;

use honeyhive_harness::__private::{Runner, Source, Stop, Value};
use honeyhive_harness::{Datapoint, experiment};

const PROMPT: &str = "v3";

const LIMIT: usize = 7;

static MODEL: LazyLock<String> = LazyLock::new(|| "large".to_owned());

fn region() -> Option<&'static str> {
    None
}

#[derive(serde::Serialize)]
struct Sampling {
    top_p: f32,
}

fn rows() -> impl Iterator<Item = Datapoint> {
    (0..2_u8).map(|n| Datapoint::new().input("n", n))
}

mod more {
    pub(crate) fn rows() -> Result<Vec<honeyhive_harness::__private::Value>, String> {
        Err("none".to_owned())
    }
}

#[experiment(
    dataset = "data/greetings.csv",
    name = "greet.v1",
    dataset_name = "greetings",
    repeats = 3,
    retries = 2,
    concurrency = 8,
    timeout = "1m 30s",
    tags("nightly", "slow"),
    track("prompts/*.md", "schema.json"),
    baseline = "baselines/greet.v1.json",
    cluster = "document",
    metadata(
        model = "large",
        temperature = 0.7,
        n = -3,
        cached = true,
        prompt = PROMPT,
        version = concat!("1", ".2"),
        lazy = MODEL,
        upper = MODEL.to_uppercase().as_str(),
        owned = std::env::var("NO_SUCH_VARIABLE").unwrap_or_default(),
        sum = 1 + 2,
        big = 5_000_000_000,
        bigger = 18_446_744_073_709_551_615,
        limit = LIMIT,
        region = region(),
        stop = ["a", "b"],
        sampling = Sampling { top_p: 0.5 },
        r#type = 'x',
    ),
    smoke,
)]
#[ignore = "costs money"]
async fn greet() {}

#[experiment(dataset = rows, smoke, gate(error_rate <= 0.5), stop = decided)]
#[ignore]
fn from_function() {}

#[experiment(dataset = self::more::rows, smoke)]
fn from_failing_function() {}

fn main() {
    let all = honeyhive_harness::__private::experiments();
    let [greet, function, failing] = &all[..] else { panic!("{}", all.len()) };
    assert_eq!((greet.name, greet.function, greet.package), ("greet.v1", "greet", "honeyhive-tests-tests"));
    assert!(greet.file.ends_with("options.rs") && greet.line == 33, "{} {}", greet.file, greet.line);
    assert!(matches!(greet.dataset, Source::File("data/greetings.csv")));
    assert_eq!((greet.repeats, greet.retries, greet.concurrency), (3, 2, Some(8)));
    assert_eq!((greet.timeout_ms, greet.dataset_name), (Some(90_000), Some("greetings")));
    assert_eq!((greet.tags, greet.ignore), (&["nightly", "slow"][..], Some("costs money")));
    assert!(matches!(greet.runner, Runner::Async(_)));
    assert_eq!(greet.track, ["prompts/*.md", "schema.json"]);
    assert_eq!((greet.baseline, greet.cluster), (Some("baselines/greet.v1.json"), Some("document")));
    let metadata: Vec<String> = greet
        .metadata
        .iter()
        .map(|(key, value)| format!("{key} {}", value().unwrap()))
        .collect();
    let expected = [
        r#"model "large""#,
        "temperature 0.7",
        "n -3",
        "cached true",
        r#"prompt "v3""#,
        r#"version "1.2""#,
        r#"lazy "large""#,
        r#"upper "LARGE""#,
        r#"owned """#,
        "sum 3",
        "big 5000000000",
        "bigger 18446744073709551615",
        "limit 7",
        "region null",
        r#"stop ["a","b"]"#,
        r#"sampling {"top_p":0.5}"#,
        r#"type "x""#,
    ];
    assert_eq!(metadata, expected);
    let _: fn() -> Result<Value, String> = greet.metadata[0].1;

    assert_eq!((function.name, function.repeats, function.retries), ("from_function", 1, 0));
    assert_eq!((function.timeout_ms, function.concurrency), (None, None));
    assert_eq!((function.dataset_name, function.ignore), (None, Some("")));
    assert_eq!((greet.stop, function.stop), (None, Some(Stop::Decided)));
    assert_eq!((function.track, function.baseline, function.cluster), (&[][..], None, None));
    let Source::Function { path: "rows", load } = function.dataset else { panic!() };
    assert_eq!(load().unwrap().len(), 2);
    let Source::Function { path: "self::more::rows", load } = failing.dataset else { panic!() };
    assert_eq!((load().unwrap_err().as_str(), failing.ignore), ("none", None));
    assert!(matches!(failing.runner, Runner::Sync(_)));
}
