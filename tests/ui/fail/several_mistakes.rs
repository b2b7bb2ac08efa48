use honeyhive_harness::experiment;

#[experiment(datset = "data.jsonl", repeats = 0, modle = "x", gate(mean(correct) > 0.9))]
fn greet(_: &str, (a, b): (u8, u8)) -> impl Iterator<Item = u8> {
    a..b
}

fn main() {
    // The function is still there.
    let _ = greet("", (1, 2));
}
