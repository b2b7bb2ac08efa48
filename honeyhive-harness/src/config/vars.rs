//! Reads variables and collects the faults in their values.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// The variables of a process. A variable that is set to nothing counts as not set.
#[derive(Debug, Default)]
pub(super) struct Vars {
    set: BTreeMap<String, OsString>,
    /// The messages about values that cannot be understood.
    pub(super) faults: Vec<String>,
}

impl Vars {
    pub(super) fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let set = variables
            .into_iter()
            .filter(|(_, value)| !value.to_string_lossy().trim().is_empty())
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect();
        Self { set, faults: Vec::new() }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.set.keys().map(String::as_str)
    }

    pub(super) fn raw(&self, name: &str) -> Option<&OsStr> {
        self.set.get(name).map(OsString::as_os_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.set.contains_key(name)
    }

    /// Returns the text of a variable, without spaces around it.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        Some(self.raw(name)?.to_string_lossy().trim().to_owned())
    }

    /// Returns the first of several variables that is set, with its name.
    pub(super) fn first<'a>(&self, names: &[&'a str]) -> Option<(&'a str, String)> {
        names.iter().find_map(|name| Some((*name, self.text(name)?)))
    }

    /// Parses the text of a variable with `read`; `wanted` describes the valid texts, for the
    /// message about an invalid one.
    pub(super) fn parse<T>(
        &mut self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            self.faults.push(format!("{name}={text}: {wanted}"));
        }
        value
    }

    /// Parses a flag: `1` or `0`.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.parse(name, "neither 1 nor 0", flag)
    }

    /// Parses a whole number from 1.
    pub(super) fn positive(&mut self, name: &str) -> Option<usize> {
        self.parse(name, "not a number from 1", |text| text.parse().ok().filter(|n| *n > 0))
    }

    /// Reads the path of a directory that is created where it is missing.
    pub(super) fn directory(&mut self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.raw(name)?);
        // Without a shell, as in the variables of a CI job or of `.cargo/config.toml`, `~` would
        // become a directory of that name.
        if path.components().next() == Some(Component::Normal(OsStr::new("~"))) {
            let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
            let home = Path::new(self.raw(home).unwrap_or(OsStr::new("/home/..")));
            let whole = home.components().chain(path.components().skip(1));
            self.faults.push(format!(
                "{name}={}: a shell expands `~`, and none did here; write {}",
                path.display(),
                whole.collect::<PathBuf>().display()
            ));
        }
        Some(path)
    }

    /// Parses a duration: seconds, or a number with a unit.
    pub(super) fn duration(&mut self, name: &str) -> Option<Duration> {
        self.parse(name, "neither seconds nor a duration such as 15s", |text| {
            match text.parse::<f64>() {
                Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
                Err(_) => humantime::parse_duration(text).ok(),
            }
        })
    }
}

pub(super) fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}
