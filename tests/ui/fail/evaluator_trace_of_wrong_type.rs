use honeyhive_harness::evaluator;

use honeyhive_harness::Trace;

#[evaluator]
fn by_value(trace: Trace) -> bool {
    drop(trace);
    true
}

#[evaluator]
fn other_name(spans: &Trace) -> bool {
    let _ = spans;
    true
}

fn main() {}
