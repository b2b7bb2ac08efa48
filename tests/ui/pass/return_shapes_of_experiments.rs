//! Whatever serialises may be returned, alone or in a `Result`, also behind an alias.

use std::error::Error;

use honeyhive_harness::experiment;

type Outcome<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[derive(serde::Serialize)]
struct Answer {
    text: String,
}

#[experiment(dataset = "data.jsonl", smoke)]
fn nothing() {}

#[experiment(dataset = "data.jsonl", smoke)]
fn unit_in_result() -> Result<(), String> {
    Ok(())
}

#[experiment(dataset = "data.jsonl", smoke)]
fn plain() -> Answer {
    Answer { text: String::new() }
}

#[experiment(dataset = "data.jsonl", smoke)]
fn optional() -> Option<Answer> {
    None
}

#[experiment(dataset = "data.jsonl", smoke)]
fn borrowed(text: &str) -> &str {
    text
}

#[experiment(dataset = "data.jsonl", smoke)]
fn borrowed_in_result(text: &str) -> Result<&str, std::str::Utf8Error> {
    Ok(text)
}

#[experiment(dataset = "data.jsonl", smoke)]
fn forever() -> &'static [u8] {
    &[1, 2]
}

#[experiment(dataset = "data.jsonl", smoke)]
fn alias() -> Outcome<Answer> {
    Err("no".into())
}

#[experiment(dataset = "data.jsonl", smoke)]
fn anyhow() -> anyhow::Result<Vec<u8>> {
    anyhow::bail!("no")
}

#[experiment(dataset = "data.jsonl", smoke)]
async fn async_nothing() {}

#[experiment(dataset = "data.jsonl", smoke)]
async fn async_borrowed(text: &str, rest: Option<&str>) -> anyhow::Result<String> {
    Ok(format!("{text}{}", rest.unwrap_or_default()))
}

fn main() {
    assert_eq!(honeyhive_harness::__private::experiments().len(), 11);
    assert_eq!(plain().text, "");
}
