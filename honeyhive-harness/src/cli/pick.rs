//! Finds the run and the experiments that the arguments of a subcommand name.

use std::path::{Path, PathBuf};

use super::place::Places;
use crate::config::Config;
use crate::gate::checked;
use crate::journal::{ExperimentResults, Keep, Results};
use crate::text::{closest, count};

/// The run that a subcommand works on.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Which {
    /// The run: its name in `cargo honeyhive runs` or how that begins, its directory, `latest` or `latest~1` (the one
    /// before); without it, the newest
    pub(super) invocation: Option<PathBuf>,
    /// The directory of journals
    #[arg(long, value_name = "PATH")]
    pub(super) dir: Option<PathBuf>,
}

impl Which {
    /// Returns the directory of the run.
    pub(super) fn find(&self, config: &Config) -> Result<PathBuf, String> {
        find(self.invocation.as_deref(), self.dir.as_deref(), config)
    }

    /// Reads the run and returns its directory and its results.
    pub(super) fn read(&self, keep: Keep, config: &Config) -> Result<(PathBuf, Results), String> {
        let directory = self.find(config)?;
        let results = read(&directory, keep)?;
        Ok((directory, results))
    }
}

/// Reads the files of a run, with as much of each attempt as `keep` asks for.
///
/// # Errors
/// Returns an error that names the place when they cannot be read or are damaged.
pub(super) fn read(directory: &Path, keep: Keep) -> Result<Results, String> {
    checked::read_sound(directory, keep)
}

/// Returns the directory of the run of this name; without a name, of the newest.
pub(super) fn find(
    named: Option<&Path>,
    dir: Option<&Path>,
    config: &Config,
) -> Result<PathBuf, String> {
    if let Some(named) = named.filter(|path| path.is_dir()) {
        return Ok(named.to_owned());
    }
    let places = Places::find(dir, config)?;
    let back = match named {
        None => Some(0),
        Some(named) => back(named),
    };
    if let Some(back) = back {
        let own = places.own_runs()?;
        return match (own.get(back), own.len()) {
            (Some(found), _) => Ok(found.directory.clone()),
            (None, 0) => Err(format!("nothing was run yet: no journal in {}", places.shown())),
            (None, runs) => Err(few(runs, &places.shown())),
        };
    }
    let all: Vec<PathBuf> = places.runs()?.into_iter().map(|run| run.directory).collect();
    let named = named.unwrap_or_else(|| Path::new(""));
    match &begin_with(&all, &named.to_string_lossy())[..] {
        [found] => Ok((*found).clone()),
        [] => Err(format!(
            "no run {} in {}; the newest are: {}",
            named.display(),
            places.shown(),
            names(all.iter())
        )),
        several => Err(format!(
            "{} may be any of {} runs: {}",
            named.display(),
            several.len(),
            names(several.iter().copied())
        )),
    }
}

/// Describes a place with fewer runs than `latest~3` or the like counts back.
fn few(runs: usize, place: &str) -> String {
    let be = if runs == 1 { "is" } else { "are" };
    format!("there {be} only {} in {place}", count(runs, "run"))
}

/// Returns the runs with this name, or, where there is none, those whose names begin with it.
fn begin_with<'a>(all: &'a [PathBuf], named: &str) -> Vec<&'a PathBuf> {
    let with = |fits: &dyn Fn(&str) -> bool| -> Vec<&'a PathBuf> {
        all.iter().filter(|path| name(path).is_some_and(|name| fits(&name))).collect()
    };
    let exact = with(&|name| name == named);
    if exact.is_empty() && !named.is_empty() {
        with(&|name| name.starts_with(named))
    } else {
        exact
    }
}

/// Returns the names of the first five runs, for messages.
fn names<'a>(runs: impl Iterator<Item = &'a PathBuf>) -> String {
    let names: Vec<String> = runs.filter_map(|path| name(path)).take(5).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Returns how many runs before the newest a name such as `latest` or `latest~2` stands for.
fn back(named: &Path) -> Option<usize> {
    match named.to_str()?.strip_prefix("latest")? {
        "" => Some(0),
        rest => rest.strip_prefix('~')?.parse().ok(),
    }
}

/// Returns the name of a run.
pub(super) fn name(directory: &Path) -> Option<String> {
    Some(directory.file_name()?.to_string_lossy().into_owned())
}

/// Returns the experiments with these names, or all of them without names.
///
/// # Errors
/// Returns an error when there is no such experiment; it names one with a similar name.
pub(super) fn experiments<'a>(
    results: &'a Results,
    names: &[String],
) -> Result<Vec<&'a ExperimentResults>, String> {
    let all = || results.experiments.iter().map(|one| one.record.experiment.as_str());
    for name in names {
        if !all().any(|known| known == name) {
            let hint = match closest(name, all()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has: {}", all().collect::<Vec<_>>().join(", ")),
            };
            return Err(format!("the run has no experiment `{name}`; {hint}"));
        }
    }
    let wanted =
        |one: &&ExperimentResults| names.is_empty() || names.contains(&one.record.experiment);
    Ok(results.experiments.iter().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_may_be_named_by_how_its_name_begins() {
        let all = ["20261122T17-aa", "20261122T18-ab", "20261122T18-abc"].map(PathBuf::from);
        let found = |named: &str| begin_with(&all, named).len();
        assert_eq!(
            ["20261122T17", "2026", "20261122T18-ab", "T17", ""].map(found),
            [1, 3, 1, 0, 0]
        );
    }

    #[test]
    fn runs_are_counted_back_from_the_latest() {
        assert_eq!(back(Path::new("latest")), Some(0));
        assert_eq!(few(1, "target"), "there is only 1 run in target");
        assert_eq!(few(2, "target"), "there are only 2 runs in target");
        assert_eq!(back(Path::new("latest~3")), Some(3));
        for other in ["latest~", "latest-3", "20261122T170151", "latest~x"] {
            assert_eq!(back(Path::new(other)), None, "{other}");
        }
    }
}
