use honeyhive_harness::{Datapoint, evaluator, experiment};

struct Client;

struct Answer;

#[experiment(dataset = "data.jsonl", smoke)]
fn greet(client: &Client) {
    let _ = client;
}

#[experiment(dataset = "data.jsonl", smoke)]
fn row(datapoint: Datapoint) {
    drop(datapoint);
}

#[evaluator]
fn correct(output: &Answer) -> bool {
    let _ = output;
    true
}

#[evaluator]
fn optional(output: Option<Answer>) -> bool {
    output.is_some()
}

fn main() {}
