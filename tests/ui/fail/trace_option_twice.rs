use honeyhive_harness::trace;

#[trace(name = "a", event_type = "tool", name = "b")]
fn search() {}

fn main() {
    search();
}
