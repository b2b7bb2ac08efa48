use honeyhive_harness::experiment;

#[experiment(dataset = "", smoke)]
fn greet() {}

fn main() {}
