//! Defines the experiment of experiment.py with this crate.

use honeyhive_harness::{Enrichment, Score, enrich_span, evaluator, experiment, trace};
use serde_json::{Value, json};

#[trace(event_type = "model", name = "lookup")]
fn lookup(country: &str, limit: u32) -> Result<Value, String> {
    enrich_span(Enrichment::new().metadata("index", "capitals-v3").metric("found", limit));
    let name = match country {
        "Atlantis" => return Err("no such country".to_owned()),
        "France" => "Paris",
        "Italy" => "Milan",
        _ => "Bern",
    };
    Ok(json!({"name": name, "limit": limit}))
}

#[evaluator]
fn correct(output: Value, ground_truth: Value) -> bool {
    output == ground_truth || output["capital"] == ground_truth["capital"]
}

#[evaluator]
fn certainty(output: Value) -> f64 {
    drop(output);
    0.25
}

#[evaluator]
fn named(output: Value) -> Score {
    drop(output);
    Score::new(0.75).explanation("it has a name")
}

#[experiment(
    dataset = "data/rows.jsonl",
    evaluators(correct, certainty, named),
    gate(mean(correct) >= 0.1, error_rate <= 0.5),
    concurrency = 1,
)]
fn capital(country: &str) -> Result<Value, String> {
    let found = lookup(country, 1)?;
    if country == "Switzerland" {
        return Ok(found["name"].clone());
    }
    Ok(json!({"capital": found["name"], "sure": 0.5, "sources": ["atlas"], "note": null}))
}

honeyhive_harness::main!();
