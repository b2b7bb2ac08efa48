use honeyhive_harness::{evaluator, experiment};

use std::rc::Rc;

#[experiment(dataset = "data.jsonl", smoke)]
async fn greet(name: &str) -> String {
    let local = Rc::new(name.len());
    wait().await;
    local.to_string()
}

#[evaluator]
async fn polite(output: &str) -> bool {
    let local = Rc::new(output.len());
    wait().await;
    *local > 3
}

async fn wait() {}

fn main() {}
