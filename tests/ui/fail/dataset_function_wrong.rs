use honeyhive_harness::experiment;

fn with_argument(_n: u8) -> Vec<u8> {
    Vec::new()
}

fn bytes() -> Vec<u8> {
    Vec::new()
}

#[experiment(dataset = with_argument)]
fn argument() {}

#[experiment(dataset = bytes)]
fn no_datapoints() {}

#[experiment(dataset = rows)]
fn missing() {}

fn main() {}
