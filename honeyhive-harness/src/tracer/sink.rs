//! The interface by which the tracer of a program reports its sessions.
//!
//! A tracer records spans and sessions and knows nothing of servers. The sender implements this trait in
//! a room above, and the tracer calls it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::session::SessionState;

/// Takes the sessions of a program's tracer, to make them known to a server.
pub(crate) trait SessionSink: Any + fmt::Debug + Send + Sync {
    /// Takes a session that begins, with its name and its inputs.
    fn begin(&self, session: &Arc<SessionState>, name: String, inputs: Option<Map<String, Value>>);

    /// Notes that a session has an enrichment which was not sent yet.
    fn enriched(&self, session: &Arc<SessionState>);

    /// Returns the session of this id that was taken but that no server knows yet.
    fn beginning(&self, id: &str) -> Option<Arc<SessionState>>;
}
