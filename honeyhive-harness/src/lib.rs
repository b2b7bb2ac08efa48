//! Experiments as `cargo test`.

pub mod datapoint;
pub mod dataset;
pub mod evaluators;
pub mod gate;
mod config;
mod engine;
mod harness;
mod ids;
pub mod journal;
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[doc(hidden)]
pub mod registry;
mod report;
pub mod score;
pub mod stats;
mod text;
pub mod tracer;


pub use honeyhive_macros::{evaluator, experiment};
pub use opentelemetry;

pub use datapoint::Datapoint;
pub use score::{Comparison, Direction, Score, ScoreValue};
pub use tracer::{Span, SpanQuery, SpanRecord, Trace, Tracer, current_tracer};

/// The `main` of a test target with experiments.
#[macro_export]
macro_rules! main {
    ($($krate:ident),* $(,)?) => {
        $(extern crate $krate as _;)*

        fn main() -> ::std::process::ExitCode {
            $crate::__private::run(::core::file!(), ::core::module_path!())
        }

        #[cfg(test)]
        #[test]
        fn this_target_needs_harness_false() {
            ::core::panic!(
                "experiments did not run: this test target needs `harness = false` in Cargo.toml, \
                 below its `[[test]]` with `name = \"{}\"`",
                ::core::module_path!().split("::").next().unwrap_or_default()
            );
        }
    };
}
