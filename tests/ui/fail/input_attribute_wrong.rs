use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", smoke)]
fn greet(
    #[input] a: u8,
    #[input = "b"] b: u8,
    #[input("")] c: u8,
    #[input("d")] #[input("e")] d: u8,
    #[setting] e: u8,
) {
    let _ = (a, b, c, d, e);
}

fn main() {}
