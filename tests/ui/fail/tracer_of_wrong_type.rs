use honeyhive_harness::experiment;

use honeyhive_harness::Tracer;

#[experiment(dataset = "data.jsonl")]
fn by_value(tracer: Tracer) {
    drop(tracer);
}

#[experiment(dataset = "data.jsonl")]
fn text(tracer: &str) {
    let _ = tracer;
}

#[experiment(dataset = "data.jsonl")]
fn other_name(t: &Tracer) {
    let _ = t;
}

fn main() {}
