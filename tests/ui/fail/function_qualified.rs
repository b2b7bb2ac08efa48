use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl")]
unsafe fn not_safe() {}

#[experiment(dataset = "data.jsonl")]
extern "C" fn foreign() {}

#[experiment(dataset = "data.jsonl")]
const fn constant() {}

fn main() {}
