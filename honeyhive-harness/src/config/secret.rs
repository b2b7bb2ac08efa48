//! Wraps a text that is never printed.

use std::fmt;
use std::sync::Arc;

/// A key, which is printed as dots.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Arc<str>);

impl Secret {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.trim().into())
    }

    /// Returns the text itself, to be put into a request and nowhere else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// A secret and the name of the environment variable or setting that holds it.
#[derive(Clone, Debug)]
pub(crate) struct NamedSecret {
    pub(crate) name: String,
    pub(crate) value: Secret,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
