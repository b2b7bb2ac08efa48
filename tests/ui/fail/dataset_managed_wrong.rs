use honeyhive_harness::experiment;

#[experiment(dataset = managed(), smoke)]
fn nothing() {}

#[experiment(dataset = managed(""), smoke)]
fn empty() {}

#[experiment(dataset = managed(7), smoke)]
fn number() {}

#[experiment(dataset = managed(id = "0f8e"), smoke)]
fn other_key() {}

#[experiment(dataset = managed(name), smoke)]
fn no_name() {}

#[experiment(dataset = managed("0f8e", "1a2b"), smoke)]
fn two() {}

fn main() {}
