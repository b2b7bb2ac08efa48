//! The program whose experiments run, as records and rerun commands name it.

use crate::journal::rerun;

/// A test target, or a program that runs experiments in code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    /// The package; empty where it is not known.
    pub(crate) package: String,
    pub(crate) name: String,
    /// The command that runs tests of this target, up to their names; empty where there is none.
    pub(crate) rerun: String,
}

impl Target {
    /// Returns `package/target`, as results have it.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.package, self.name).trim_start_matches('/').to_owned()
    }

    /// Returns the command that runs exactly one test.
    pub(crate) fn rerun(&self, test: &str) -> String {
        rerun(&self.rerun, test)
    }
}
