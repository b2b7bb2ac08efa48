use honeyhive_harness::trace;

#[trace]
#[trace(name = "again")]
fn search() {}

#[trace]
#[cfg_attr(all(), honeyhive_harness::trace)]
fn conditional() {}

fn main() {
    search();
    conditional();
}
