use honeyhive_harness::trace;

#[trace(level = "debug", name = "fine")]
fn search() {}

#[trace("model")]
fn positional() {}

fn main() {
    search();
    positional();
}
