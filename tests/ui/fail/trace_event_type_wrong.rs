use honeyhive_harness::trace;

#[trace(event_type = "modle")]
fn misspelt() {}

#[trace(event_type = "session")]
fn not_one_of_them() {}

#[trace(event_type = model)]
fn no_string() {}

fn main() {}
