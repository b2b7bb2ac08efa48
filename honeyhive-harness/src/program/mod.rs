//! Tracers of any program: their builder, and the workers that send their spans in the background.
//!
//! The room `tracer` records; this one reads the settings, keeps what is to be sent, and sends it.
//! The tracers of an experiment's attempts have nothing of this: their spans go through the journal
//! and the room `upload`.

mod builder;
mod flush;
mod info;
mod making;
mod outbox;
mod owners;
mod pipeline;
mod processor;
mod session_queue;
mod sink;
mod worker;

pub use builder::{TracerBuilder, TracerError};
pub use flush::{Flushed, Telemetry};
