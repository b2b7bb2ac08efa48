use honeyhive_harness::trace;

#[trace(event_typ = "model")]
fn one() {}

#[trace(Name = "x", skp(a))]
fn two(_a: u8) {}

fn main() {
    one();
    two(1);
}
