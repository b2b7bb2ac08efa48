//! Experiments with parameters, metadata and rules that are filled at run time.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use honeyhive_harness::{evaluator, experiment};
use serde::Deserialize;
use serde_json::Value;

#[allow(dead_code)]
mod probe;

#[derive(Deserialize)]
struct Message {
    content: String,
}

/// Reads the same values as the function.
#[evaluator]
fn knows(output: &str, history: &[Message], metadata: &Value) -> bool {
    output == said(history, metadata)
}

#[evaluator]
fn counts(history: Option<Vec<Value>>) -> Option<usize> {
    history.map(|history| history.len())
}

fn said(history: &[Message], metadata: &Value) -> String {
    let contents: Vec<&str> = history.iter().map(|message| message.content.as_str()).collect();
    format!("{} in {}", contents.join(","), metadata["lang"].as_str().unwrap_or("?"))
}

#[experiment(dataset = "data/chat.jsonl", evaluators(knows, counts))]
fn chat(question: &str, history: Vec<Message>, metadata: Value) -> String {
    assert_eq!(question, "Who?");
    said(&history, &metadata)
}

static CALLS: AtomicU32 = AtomicU32::new(0);

static MODEL: LazyLock<String> = LazyLock::new(|| std::env::var("MODEL").unwrap_or_default());

const LIMIT: f64 = 2.5;

fn prompt_version() -> String {
    probe::note("metadata", "evaluated");
    "v3".to_owned()
}

#[experiment(
    dataset = "data/thirty.jsonl",
    smoke,
    metadata(
        model = std::env::var("MODEL").unwrap_or_default(),
        lazy = MODEL,
        prompt = prompt_version(),
        calls = CALLS.load(Ordering::Relaxed),
        limit = LIMIT,
        cached = true,
        region = None::<&str>,
    ),
)]
fn described(n: u32) -> u32 {
    CALLS.fetch_add(1, Ordering::Relaxed);
    n
}

#[evaluator]
fn cost(_n: u32) -> f64 {
    0.5
}

#[evaluator]
fn tokens(n: u32) -> u32 {
    n
}

#[evaluator(name = "latency")]
fn waited() -> f64 {
    3.0
}

#[experiment(
    dataset = "data/thirty.jsonl",
    evaluators(cost, tokens, latency = waited),
    gate(mean(cost) <= 1, max(tokens) <= 40, mean(latency) <= 3),
)]
fn priced(n: u32) -> u32 {
    n
}

#[evaluator]
fn hinted(hint: Option<bool>) -> Option<bool> {
    hint
}

#[evaluator]
fn always() -> bool {
    true
}

#[experiment(
    dataset = "data/thirty.jsonl",
    evaluators(hinted, always),
    gate(
        mean(hinted) >= 0.5,
        mean(hinted, min_n = 20) >= 0.5,
        confident(pass_rate(hinted, min_n = 2) >= 0.5),
        mean(always, min_n = 30) >= 0.5,
        p95(latency, min_n = 30) <= "60s",
        error_rate(min_n = 31) <= 0.5,
    ),
)]
fn rare(n: u32) -> u32 {
    n
}

#[experiment(dataset = "data/thirty.jsonl", smoke)]
fn smoked(n: u32) -> Result<u32, String> {
    if n == 7 { Err("seven".to_owned()) } else { Ok(n) }
}

#[evaluator]
fn total() -> f64 {
    [0.0_f64; 0].iter().sum()
}

#[experiment(dataset = "data/thirty.jsonl", evaluators(total))]
fn nothing(n: u32) -> u32 {
    n
}

honeyhive_harness::main!();
