//! Experiments with unusual inputs and code.

mod probe;

use std::collections::BTreeMap;
use std::time::Duration;

use honeyhive_harness::{Datapoint, Score, Tracer, evaluator, experiment};
use serde_json::Value;

#[evaluator]
fn fine(output: Option<Value>) -> bool {
    output.is_some()
}

fn named(ids: &[&str]) -> Vec<Datapoint> {
    ids.iter().map(|id| Datapoint::new().id(*id).input("what", *id)).collect()
}

// ---- files ----

#[experiment(dataset = "data/folder.jsonl", evaluators(fine))]
fn folder(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = "locked/locked.jsonl", evaluators(fine))]
fn locked(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = "data/only_bom.csv", evaluators(fine))]
fn empty_csv(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = "data/header_only.csv", evaluators(fine))]
fn empty_table(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = "data/empty.json", evaluators(fine))]
fn empty_array(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = "data/truncated.jsonl", evaluators(fine))]
fn cut_lines(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = "data/truncated.json", evaluators(fine))]
fn cut_array(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = "data/truncated.csv", evaluators(fine))]
fn cut_table(q: &str, n: u32) -> String {
    format!("{q} {n}")
}

#[experiment(dataset = "large/200mb.jsonl", evaluators(fine))]
fn huge(q: &str) -> usize {
    q.len()
}

#[experiment(dataset = "data/spreadsheet.csv", evaluators(fine))]
fn spreadsheet(inputs: Value) -> Value {
    inputs
}

// ---- ids ----

#[experiment(dataset = "data/hard_ids.jsonl", evaluators(fine))]
fn hard_ids(n: u32) -> u32 {
    n
}

// ---- values ----

#[experiment(dataset = "data/numbers.jsonl", evaluators(fine))]
fn any_number(n: Value) -> Value {
    n
}

#[experiment(dataset = "data/numbers.jsonl", evaluators(fine))]
fn small_number(n: u64) -> u64 {
    n
}

#[experiment(dataset = "data/numbers.csv", evaluators(fine))]
fn number_in_cell(n: u128) -> String {
    n.to_string()
}

#[experiment(dataset = "data/deep.jsonl", evaluators(fine))]
fn deep_rows(q: Value) -> Value {
    q
}

fn depths() -> Vec<Datapoint> {
    [1, 100, 120, 130, 200, 1000]
        .map(|depth: u32| Datapoint::new().id(format!("{depth:04}")).input("depth", depth))
        .into()
}

/// Returns nested arrays.
#[experiment(dataset = depths, evaluators(fine))]
fn deep_outputs(depth: u32) -> Value {
    (1..depth).fold(Value::Array(Vec::new()), |inner, _| Value::Array(vec![inner]))
}

fn deep_and_flat() -> Vec<Datapoint> {
    vec![
        Datapoint::new().id("deep").input("depth", 10_000),
        Datapoint::new().id("flat").input("depth", 1),
    ]
}

#[experiment(dataset = deep_and_flat, evaluators(fine))]
fn bottomless(depth: u32) -> Value {
    (1..depth).fold(Value::Array(Vec::new()), |inner, _| Value::Array(vec![inner]))
}

// ---- evaluators ----

fn misjudged() -> Vec<Datapoint> {
    named(&["fine", "infinite", "nan", "payload"])
}

#[evaluator]
async fn misjudges(output: &str) -> Option<Score> {
    tokio::task::yield_now().await;
    let value = match output {
        "infinite" => f64::NEG_INFINITY,
        "nan" => f64::NAN,
        "payload" => std::panic::panic_any(7_u64),
        _ => 1.0,
    };
    Some(Score::new(value))
}

#[experiment(dataset = misjudged, evaluators(misjudges, fine))]
fn async_judges(what: &str) -> String {
    what.to_owned()
}

// ---- functions ----

fn ten() -> Vec<Datapoint> {
    (1..=10).map(|n| Datapoint::new().id(format!("{n:02}")).input("n", n)).collect()
}

#[experiment(dataset = ten, evaluators(fine))]
fn ends_its_runtime(n: u32) -> u32 {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.spawn(std::future::pending::<()>());
    let left = runtime.spawn_blocking(|| probe::sleep(3_600_000));
    match n % 3 {
        0 => runtime.shutdown_background(),
        1 => runtime.shutdown_timeout(Duration::from_millis(5)),
        _ => {
            left.abort();
            std::mem::forget(runtime);
        }
    }
    n
}

/// Drops a runtime in async code, which waits and makes tokio panic.
#[experiment(dataset = ten, evaluators(fine))]
async fn drops_a_runtime(n: u32) -> u32 {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    if n == 4 {
        drop(runtime);
    } else {
        runtime.shutdown_background();
    }
    n
}

#[experiment(dataset = ten, evaluators(fine))]
fn leaves_threads(n: u32, tracer: &Tracer) -> u32 {
    let span = tracer.start_span("left behind");
    std::thread::spawn(move || {
        let _span = span;
        probe::sleep(3_600_000);
    });
    std::thread::spawn(move || {
        loop {
            probe::note("alive", n);
            probe::sleep(20);
        }
    });
    n
}

#[experiment(dataset = ten, evaluators(fine))]
async fn leaves_tasks(n: u32) -> u32 {
    tokio::spawn(std::future::pending::<()>());
    tokio::task::spawn_blocking(|| probe::sleep(3_600_000));
    n
}

fn three() -> Vec<Datapoint> {
    named(&["a", "b", "c"])
}

#[experiment(dataset = three, evaluators(fine))]
fn prints_a_megabyte(what: &str) -> usize {
    let line = format!("{}\n", what.repeat(1023));
    for _ in 0..1024 {
        print!("{line}");
        eprint!("{line}");
    }
    line.len()
}

fn keys() -> Vec<Datapoint> {
    named(&["none", "numbers", "pairs", "texts"])
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Table {
    None(BTreeMap<Option<u8>, u8>),
    Numbers(BTreeMap<i64, u8>),
    Pairs(BTreeMap<(u8, u8), u8>),
    Texts(BTreeMap<String, u8>),
}

#[experiment(dataset = keys, evaluators(fine))]
fn odd_keys(what: &str) -> Table {
    match what {
        "none" => Table::None(BTreeMap::from([(None, 1)])),
        "numbers" => Table::Numbers(BTreeMap::from([(-1, 1)])),
        "pairs" => Table::Pairs(BTreeMap::from([((1, 2), 1)])),
        _ => Table::Texts(BTreeMap::from([("a".to_owned(), 1)])),
    }
}

fn odd_numbers_out() -> Vec<Datapoint> {
    named(&["infinite", "nan", "wide"])
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Number {
    Float(f64),
    Wide(u128),
}

#[experiment(dataset = odd_numbers_out, evaluators(fine))]
fn odd_numbers(what: &str) -> Vec<Number> {
    vec![match what {
        "infinite" => Number::Float(f64::INFINITY),
        "nan" => Number::Float(f64::NAN),
        _ => Number::Wide(u128::MAX),
    }]
}

// ---- the disk ----

fn hundreds() -> Vec<Datapoint> {
    (1..=300).map(|n| Datapoint::new().id(format!("{n:03}")).input("n", n)).collect()
}

#[experiment(dataset = hundreds, evaluators(fine), concurrency = 4)]
fn wordy(n: u32) -> String {
    probe::note("wordy", n);
    // The test that sets it makes the file, so that both processes have begun before one ends.
    if let Some(file) = std::env::var_os("GO") {
        while !std::path::Path::new(&file).exists() {
            probe::sleep(5);
        }
    }
    probe::sleep(2);
    "word ".repeat(800)
}

honeyhive_harness::main!();
