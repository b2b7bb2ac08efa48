//! Experiments that call functions with `#[trace]`.

use std::fmt::Debug;

use honeyhive_harness::{
    Datapoint, Enrichment, SpanQuery, Trace, enrich_session, enrich_span, evaluator, experiment,
    trace,
};
use serde::Serialize;

fn one() -> Vec<Datapoint> {
    vec![Datapoint::new().id("a").input("question", "why?")]
}

#[derive(Debug, Serialize)]
struct Document {
    title: String,
    scores: Vec<f64>,
    author: Option<String>,
}

/// A type that implements only `Debug`.
#[derive(Debug)]
struct Client;

#[trace(event_type = "tool")]
fn search(query: &str, limit: usize, client: &Client) -> Vec<Document> {
    let _ = client;
    enrich_span(Enrichment::new().metadata("index", "docs").metric("found", limit));
    (0..limit)
        .map(|n| Document { title: format!("{query} {n}"), scores: vec![0.5], author: None })
        .collect()
}

struct Model {
    name: &'static str,
}

impl Model {
    #[trace(event_type = "model", name = "ask the model", skip(key))]
    async fn ask(&self, prompt: String, key: &str) -> Result<String, ModelError> {
        tokio::task::yield_now().await;
        let all = tokens(prompt.split(' ').collect::<Vec<_>>().into_iter(), &3);
        if all > 3 {
            return Err(ModelError { limit: key.len() });
        }
        Ok(format!("{} says {all}", self.name))
    }
}

#[derive(Debug)]
struct ModelError {
    limit: usize,
}

impl std::fmt::Display for ModelError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "more than {} tokens", self.limit)
    }
}

impl std::error::Error for ModelError {}

#[trace]
fn tokens<'a, T: Debug>(words: impl Iterator<Item = &'a str>, per_word: &T) -> usize {
    let _ = per_word;
    words.count()
}

#[evaluator]
fn asked_once(trace: &Trace) -> bool {
    trace.count(&SpanQuery::named("ask the model")) == 1
}

#[experiment(dataset = one, evaluators(asked_once))]
async fn answers(question: String) -> anyhow::Result<String> {
    let found = search(&question, 1, &Client);
    enrich_session(Enrichment::new().metadata("found", found.len()));
    let model = Model { name: "m" };
    let task = tokio::spawn(async { tokens(["lost"].into_iter(), &"without the context") });
    task.await?;
    Ok(model.ask(question, "sk-secret").await?)
}

#[experiment(dataset = one, evaluators(asked_once))]
async fn too_long(question: String) -> anyhow::Result<String> {
    let model = Model { name: "m" };
    Ok(model.ask(format!("{question} and so on"), "key").await.map(|_| String::new()).or_else(
        |error| anyhow::Context::context(Err(error), "the model refused"),
    )?)
}

#[trace(event_type = "chain")]
fn step(n: u8) -> u8 {
    below(n) + 1
}

#[trace]
fn below(n: u8) -> u8 {
    assert!(n < 2, "no more than {n}");
    n
}

#[experiment(dataset = one, smoke)]
fn panics(question: &str) -> u8 {
    let _ = question;
    step(1) + step(2)
}

#[trace]
async fn slow() {
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
}

#[experiment(dataset = one, timeout = "200ms", smoke)]
async fn times_out() {
    slow().await;
}

honeyhive_harness::main!();
