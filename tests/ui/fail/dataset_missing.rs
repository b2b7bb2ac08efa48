use honeyhive_harness::experiment;

#[experiment]
fn without_parentheses() {}

#[experiment(repeats = 3, smoke)]
fn without_dataset() {}

fn main() {}
