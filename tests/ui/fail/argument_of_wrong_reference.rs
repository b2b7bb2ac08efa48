use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", smoke)]
fn exclusive(_text: &mut String) {}

#[experiment(dataset = "data.jsonl", smoke)]
fn forever(_text: &'static str) {}

#[experiment(dataset = "data.jsonl", smoke)]
fn nested(_texts: Vec<&str>, _pair: Option<(u8, &[u8])>) {}

#[experiment(dataset = "data.jsonl", smoke)]
fn object(_any: &dyn std::fmt::Debug) {}

fn main() {}
