use honeyhive_harness::trace;

#[trace(event_type)]
fn no_event_type() {}

#[trace(name =)]
fn no_name() {}

#[trace(name = "")]
fn empty_name() {}

#[trace(skip)]
fn no_list(_a: u8) {}

#[trace(skip())]
fn empty_list(_a: u8) {}

fn main() {}
