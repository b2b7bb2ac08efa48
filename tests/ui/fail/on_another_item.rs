use honeyhive_harness::{evaluator, experiment};

#[experiment(dataset = "data.jsonl", smoke)]
struct Struct;

#[experiment(dataset = "data.jsonl", smoke)]
impl Struct {}

#[experiment(dataset = "data.jsonl", smoke)]
const CONSTANT: u8 = 1;

#[experiment(dataset = "data.jsonl", smoke)]
mod module {}

#[evaluator]
pub(crate) trait Trait {}

fn main() {
    let _ = (Struct, CONSTANT);
}
