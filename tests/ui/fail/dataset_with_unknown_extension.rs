use honeyhive_harness::experiment;

#[experiment(dataset = "data.yaml", smoke)]
fn yaml() {}

#[experiment(dataset = "data/.jsonl", smoke)]
fn no_name() {}

fn main() {}
