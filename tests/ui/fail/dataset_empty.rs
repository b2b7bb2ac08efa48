use honeyhive_harness::experiment;

#[experiment(dataset = "")]
fn greet() {}

fn main() {}
