use honeyhive_harness::experiment;

#[experiment(dataset, smoke)]
fn one() {}

#[experiment(dataset =, repeats, evaluators, gate)]
fn several() {}

fn main() {}
