use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", smoke)]
#[test]
fn sync() {}

#[experiment(dataset = "data.jsonl", smoke)]
#[tokio::test]
async fn with_runtime() {}

fn main() {}
