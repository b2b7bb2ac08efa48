//! The function of an experiment, and the defaults of its calls.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::dataset::bind::Fault;
use crate::evaluators::BoxFuture;
use crate::registry::Call;

/// The time that a call may take by default.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// The number of concurrent attempts by default, which the rate limits of model providers bear.
pub(crate) const CONCURRENCY: usize = 16;

/// The function of an experiment.
#[derive(Clone)]
pub(crate) enum Run {
    /// A function that runs on a thread where blocking is fine.
    Sync(Arc<SyncFunction>),
    /// A function that runs as a task.
    Async(Arc<AsyncFunction>),
}

pub(crate) type SyncFunction = dyn Fn(&Call) -> Result<Value, Fault> + Send + Sync;
pub(crate) type AsyncFunction = dyn Fn(Call) -> BoxFuture<Result<Value, Fault>> + Send + Sync;

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sync(_) => "Run::Sync(..)",
            Self::Async(_) => "Run::Async(..)",
        })
    }
}
