use honeyhive_harness::experiment;

use honeyhive_harness::Tracer;

#[experiment(dataset = "data.jsonl", smoke)]
fn by_value(tracer: Tracer) {
    drop(tracer);
}

#[experiment(dataset = "data.jsonl", smoke)]
fn text(tracer: &str) {
    let _ = tracer;
}

#[experiment(dataset = "data.jsonl", smoke)]
fn other_name(t: &Tracer) {
    let _ = t;
}

fn main() {}
