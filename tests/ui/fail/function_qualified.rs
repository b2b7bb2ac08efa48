use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", smoke)]
unsafe fn not_safe() {}

#[experiment(dataset = "data.jsonl", smoke)]
extern "C" fn foreign() {}

#[experiment(dataset = "data.jsonl", smoke)]
const fn constant() {}

fn main() {}
