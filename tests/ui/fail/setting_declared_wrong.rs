use honeyhive_harness::evaluator;

#[evaluator(settings(mni, output, max =))]
fn long_enough(output: usize, min: usize) -> bool {
    output > min
}

#[evaluator(settings(min = "three"))]
fn default_of_wrong_type(output: usize, min: usize) -> bool {
    output > min
}

#[evaluator]
fn with_value(output: usize, #[setting(3)] min: usize, #[setting] #[input("max")] max: usize) -> bool {
    output > min && output < max
}

fn main() {}
