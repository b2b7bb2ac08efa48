use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", smoke)]
unsafe extern "C" fn variadic(_first: u8, _rest: ...) {}

fn main() {}
