//! Experiments as `cargo test`.

pub mod datapoint;
pub mod dataset;
pub mod evaluators;
pub mod gate;
mod ids;
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[doc(hidden)]
pub mod registry;
pub mod score;
pub mod tracer;


pub use opentelemetry;

pub use datapoint::Datapoint;
pub use score::{Comparison, Direction, Score, ScoreValue};
pub use tracer::{Span, SpanQuery, SpanRecord, Trace, Tracer, current_tracer};
