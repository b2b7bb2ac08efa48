use honeyhive_harness::experiment;

#[experiment(dataset = "data.yaml")]
fn yaml() {}

#[experiment(dataset = "data/.jsonl")]
fn no_name() {}

fn main() {}
