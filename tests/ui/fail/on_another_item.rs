use honeyhive_harness::{evaluator, experiment};

#[experiment(dataset = "data.jsonl")]
struct Struct;

#[experiment(dataset = "data.jsonl")]
impl Struct {}

#[experiment(dataset = "data.jsonl")]
const CONSTANT: u8 = 1;

#[experiment(dataset = "data.jsonl")]
mod module {}

#[evaluator]
pub(crate) trait Trait {}

fn main() {
    let _ = (Struct, CONSTANT);
}
