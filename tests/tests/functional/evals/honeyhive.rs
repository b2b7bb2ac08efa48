//! Experiments whose traces are sent.

mod probe;

use std::sync::atomic::AtomicUsize;

use honeyhive_harness::opentelemetry::baggage::BaggageExt as _;
use honeyhive_harness::opentelemetry::trace::{FutureExt as _, TraceContextExt as _, Tracer as _};
use honeyhive_harness::opentelemetry::{Context, KeyValue, global};
use honeyhive_harness::{Datapoint, Score, Tracer, evaluator, experiment, trace};
use serde_json::{Value, json};

fn numbered(count: usize) -> Vec<Datapoint> {
    (1..=count).map(|n| Datapoint::new().id(format!("{n:04}")).input("n", n)).collect()
}

fn one() -> Vec<Datapoint> {
    numbered(1)
}

fn three() -> Vec<Datapoint> {
    numbered(3)
}

fn six() -> Vec<Datapoint> {
    numbered(6)
}

fn hundred() -> Vec<Datapoint> {
    numbered(100)
}

fn thousand() -> Vec<Datapoint> {
    numbered(1000)
}

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[evaluator]
fn fine(output: Value) -> bool {
    !output.is_null()
}

// ---- runs, sessions, spans ----

#[trace(event_type = "model", name = "llm_call")]
fn model(country: &str) -> String {
    if country == "France" { "Paris".to_owned() } else { "Milan".to_owned() }
}

#[trace]
fn lookup(country: &str) -> String {
    model(country)
}

/// The experiment `capitals`, whose name differs from that of the function.
#[experiment(
    dataset = "data/rows.jsonl",
    name = "capitals",
    evaluators(correct),
    gate(mean(correct) >= 0.1),
    concurrency = 4,
    tags("geo"),
    metadata(model = "m-1")
)]
fn capital(country: &str, tracer: &Tracer) -> String {
    drop(tracer.start_span("by hand"));
    lookup(country)
}

#[experiment(dataset = "data/ids.jsonl", evaluators(fine))]
fn ids(n: u32) -> u32 {
    n
}

#[experiment(dataset = "data/empty.jsonl", evaluators(fine))]
fn empty(n: u32) -> u32 {
    n
}

#[experiment(dataset = "data/chats.jsonl", evaluators(fine))]
fn remembers(n: u32) -> u32 {
    n
}

// ---- scores ----

#[evaluator]
fn yes(output: u32) -> bool {
    output == 1
}

#[evaluator]
fn quarter(output: u32) -> f64 {
    f64::from(output) / 4.0
}

#[evaluator]
fn count(output: u32) -> u32 {
    output
}

#[evaluator]
fn explained(output: u32) -> Score {
    let score = Score::new(f64::from(output)).label("good").explanation("because");
    score.metadata("deep", json!([1])).metadata("extra", 3)
}

#[evaluator]
fn not_applicable(output: u32) -> Option<f64> {
    (output > 1).then_some(1.0)
}

#[experiment(
    dataset = one,
    evaluators(yes, quarter, count, explained, not_applicable)
)]
fn scored(n: u32) -> u32 {
    n
}

#[evaluator]
fn broken(output: u32) -> anyhow::Result<bool> {
    anyhow::bail!("no judge for {output}")
}

#[evaluator]
fn panics(output: u32) -> bool {
    panic!("cannot judge {output}")
}

#[experiment(dataset = one, evaluators(broken, panics, yes))]
fn misjudged(n: u32) -> u32 {
    n
}

fn with_and_without_truth() -> Vec<Datapoint> {
    let row = |id: &str| Datapoint::new().id(id).input("n", 7);
    vec![row("with").ground_truth("seven"), row("without")]
}

#[evaluator]
fn sees(output: u32, inputs: Value, ground_truth: Option<&str>) -> bool {
    probe::note("sees", format!("{output} {inputs} {ground_truth:?}"));
    true
}

#[experiment(dataset = with_and_without_truth, evaluators(sees))]
fn seen(n: u32) -> u32 {
    n + 1
}

// ---- outputs ----

fn shapes() -> Vec<Datapoint> {
    let row = |id: &str, shape: Value| {
        Datapoint::new().id(id).input("shape", shape).ground_truth(format!("truth of {id}"))
    };
    let many: serde_json::Map<String, Value> =
        (0..200).map(|n| (format!("key{n}"), json!(n))).collect();
    vec![
        row("object", json!({"a": {"b": 1, "gone": null}, "list": [true, 0.5], "t": "x"})),
        row("text", json!("just text")),
        row("list", json!(["a", "b"])),
        row("number", json!(1.5)),
        row("wide", Value::Object(many.clone())),
        row("wide too", Value::Object(many)),
    ]
}

#[experiment(dataset = shapes, evaluators(fine))]
fn shaped(shape: Value) -> Value {
    shape
}

// ---- what goes wrong ----

#[evaluator]
fn noted(output: u32) -> bool {
    probe::note("noted", output);
    true
}

fn four_with_truth() -> Vec<Datapoint> {
    let row = |n: u32| Datapoint::new().id(format!("{n:04}")).input("n", n).ground_truth(n);
    (1..=4).map(row).collect()
}

#[experiment(dataset = four_with_truth, evaluators(noted))]
fn some_fail(n: u32) -> anyhow::Result<u32> {
    anyhow::ensure!(n != 2, "boom raised");
    assert!(n != 3, "boom panicked");
    Ok(n)
}

#[experiment(dataset = three, evaluators(fine))]
fn all_fail(n: u32) -> anyhow::Result<u32> {
    anyhow::bail!("boom {n}")
}

/// Fails on the first call.
#[experiment(dataset = three, evaluators(fine), concurrency = 1)]
fn errs_at_first(n: u32) -> anyhow::Result<u32> {
    probe::note("calls", n);
    let calls = std::fs::read_to_string(
        std::path::Path::new(&std::env::var_os("SCRATCH").unwrap()).join("calls"),
    )?;
    anyhow::ensure!(n != 2 || calls.lines().filter(|line| *line == "2").count() > 1, "not yet");
    Ok(n)
}

#[experiment(dataset = hundred, evaluators(fine), concurrency = 2)]
fn takes_its_time(n: u32) -> u32 {
    probe::note("started", n);
    probe::sleep(100);
    n
}

// ---- how they are run ----

static IN_FLIGHT: AtomicUsize = AtomicUsize::new(0);

#[experiment(dataset = six, evaluators(fine), concurrency = 3)]
fn counted(n: u32) -> u32 {
    let _one = probe::InFlight::enter(&IN_FLIGHT, "in_flight");
    probe::note("order", n);
    probe::sleep(40);
    n
}

#[experiment(dataset = three, evaluators(fine), repeats = 3)]
fn repeated(n: u32) -> u32 {
    n
}

fn thirty() -> Vec<Datapoint> {
    (1..=30).map(|n| Datapoint::new().id(format!("n{n}")).input("n", n)).collect()
}

#[experiment(dataset = thirty, evaluators(fine), concurrency = 8)]
fn thirty_times(n: u32) -> u32 {
    n
}

#[experiment(dataset = thousand, evaluators(fine), concurrency = 32)]
fn many(n: u32) -> u32 {
    n
}

#[experiment(dataset = six, evaluators(fine), concurrency = 1)]
fn steady(n: u32) -> u32 {
    probe::note("steady", n);
    probe::sleep(150);
    n
}

// ---- spans of others ----

fn foreign_span(key: &'static str, value: &'static str) {
    global::tracer("a-library").in_span(format!("{key} {value}"), |cx| {
        cx.span().set_attribute(KeyValue::new(key, value));
    });
}

#[experiment(dataset = three, evaluators(fine))]
async fn foreign(n: u32) -> u32 {
    foreign_span("gen_ai.operation.name", "chat");
    foreign_span("gen_ai.operation.name", "embeddings");
    foreign_span("gen_ai.operation.name", "invoke_agent");
    foreign_span("gen_ai.operation.name", "execute_tool");
    foreign_span("openinference.span.kind", "LLM");
    foreign_span("openinference.span.kind", "AGENT");
    foreign_span("openinference.span.kind", "RETRIEVER");
    global::tracer("a-library").in_span("gpt", |_| {});
    global::tracer("a-library").in_span("plain", |_| {});
    let cx = Context::current();
    let in_thread = cx.clone();
    std::thread::spawn(move || {
        let _on = in_thread.attach();
        global::tracer("a-library").in_span("in thread", |_| {});
    })
    .join()
    .unwrap();
    let task = async { global::tracer("a-library").in_span("in task", |_| {}) };
    tokio::spawn(task.with_context(cx.clone())).await.unwrap();
    let tenant = cx.with_baggage([KeyValue::new("tenant", "acme")]);
    let _on = tenant.attach();
    global::tracer("a-library").in_span("with baggage", |_| {});
    n
}

honeyhive_harness::main!();
