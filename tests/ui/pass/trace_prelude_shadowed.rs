//! Names that generated code could trip over mean something else here, or nothing.
#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    rust_2018_idioms,
    single_use_lifetimes,
    trivial_casts,
    unreachable_pub,
    unused,
    unused_lifetimes,
    unused_qualifications,
    unused_results
)]
#![allow(dead_code)]

use ::honeyhive_harness::trace;

struct Option;
struct Some;
struct None;
struct Result;
struct Box;
struct Shown;
struct Site;

mod std {}
mod core {}

/// Has methods that are called like ours.
trait Mine {
    fn returned(&self) {}
    fn add(&self) {}
    fn sides(&self) {}
    fn as_ref(&self) {}
}
impl<T> Mine for T {}

#[trace]
fn sync(__hh_call: u8, __hh_returned: &str, call: u8) -> ::std::result::Result<u8, u8> {
    let __hh_inputs = __hh_call + call;
    __hh_returned.sides();
    if __hh_inputs == 0 {
        return ::std::result::Result::Err(0);
    }
    ::std::result::Result::Ok(__hh_inputs)
}

#[trace(name = "x")]
async fn asynchronous(__hh_call: u8) -> u8 {
    ::std::future::ready(__hh_call).await
}

#[trace]
fn boxed() -> ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = u8>>> {
    ::std::boxed::Box::pin(asynchronous(1))
}

fn main() {
    let _ = sync(1, "", 2);
    drop(boxed());
}

fn drop<T>(_: T) {}
