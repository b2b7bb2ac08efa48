use honeyhive_harness::experiment;

fn with_argument(_n: u8) -> Vec<u8> {
    Vec::new()
}

fn bytes() -> Vec<u8> {
    Vec::new()
}

#[experiment(dataset = with_argument, smoke)]
fn argument() {}

#[experiment(dataset = bytes, smoke)]
fn no_datapoints() {}

#[experiment(dataset = rows, smoke)]
fn missing() {}

fn main() {}
