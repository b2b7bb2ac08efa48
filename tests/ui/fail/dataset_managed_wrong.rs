use honeyhive_harness::experiment;

#[experiment(dataset = managed())]
fn nothing() {}

#[experiment(dataset = managed(""))]
fn empty() {}

#[experiment(dataset = managed(7))]
fn number() {}

#[experiment(dataset = managed(id = "0f8e"))]
fn other_key() {}

#[experiment(dataset = managed(name))]
fn no_name() {}

#[experiment(dataset = managed("0f8e", "1a2b"))]
fn two() {}

fn main() {}
