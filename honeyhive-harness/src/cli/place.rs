//! Finds the directories of journals, and the runs of the current workspace.

use std::path::{Path, PathBuf};

use super::cargo;
use crate::cargo::{Package, Workspace};
use crate::config::Config;
use crate::journal::{RunHead, newest_elsewhere, runs};
use crate::report;

/// The directories of runs, and the workspace whose runs are taken.
#[derive(Debug)]
pub(super) struct Places {
    /// The directories that have runs.
    roots: Vec<PathBuf>,
    /// The number of usual directories, which come first in the list.
    usual: usize,
    /// The workspace as cargo describes it; `None` outside of one, and where the user named a directory.
    workspace: Option<Workspace>,
    /// The directories of the newest runs recorded elsewhere, which the cache names, one per package.
    noted: Vec<PathBuf>,
}

impl Package {
    fn directory(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }
}

impl Workspace {
    fn has(&self, run: &RunHead, is_it: fn(&Package, &(String, String)) -> bool) -> bool {
        run.packages.iter().any(|tested| self.packages.iter().any(|own| is_it(own, tested)))
    }

    fn names(&self) -> String {
        let mut names: Vec<&str> = self.packages.iter().map(|one| one.name.as_str()).collect();
        names.sort_unstable();
        names.join(", ")
    }
}

/// Returns whether the tested package is this one in this directory; journals of earlier versions have
/// no directory.
fn is_here(own: &Package, (name, directory): &(String, String)) -> bool {
    // A test binary that was started without cargo does not know its package.
    name.is_empty()
        || (*name == own.name
            && (directory.is_empty() || same(own.directory(), Path::new(directory))))
}

/// Returns whether the tested package has this name and a directory that does not exist here: it was
/// tested on another machine, in a container, or before the directory was moved. Where that directory
/// exists, it is another package.
fn is_alike(own: &Package, (name, directory): &(String, String)) -> bool {
    *name == own.name && !Path::new(directory).exists()
}

fn same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

impl Places {
    /// Finds the directories of runs: that of `--dir` or `HH_DIR`, otherwise those of the workspace.
    ///
    /// # Errors
    /// Returns an error that names the places that were searched when there is no such directory.
    pub(super) fn find(dir: Option<&Path>, config: &Config) -> Result<Self, String> {
        let named = |directory: &Path, from: &str| {
            if directory.is_dir() {
                Ok(vec![directory.to_owned()])
            } else {
                Err(format!("there is no directory {} (from {from})", directory.display()))
            }
        };
        if let Some(dir) = dir {
            let roots = named(dir, "--dir")?;
            return Ok(Self { roots, usual: 1, workspace: None, noted: Vec::new() });
        }
        // Cargo knows `CARGO_TARGET_DIR`, `build.target-dir` and `build.build-dir` of all its
        // configuration files.
        let workspace = Workspace::ask(&cargo::cargo(config), None).ok();
        if let Some(dir) = &config.dir {
            let roots = named(dir, "HH_DIR")?;
            return Ok(Self { roots, usual: 1, workspace, noted: Vec::new() });
        }
        let (mut roots, looked) = usual(workspace.as_ref(), config)?;
        let usual = roots.len();
        let packages = workspace.iter().flat_map(|workspace| &workspace.packages);
        let cache = config.cache_dir.as_deref();
        let noted: Vec<PathBuf> =
            packages.filter_map(|package| newest_elsewhere(cache?, package.directory())).collect();
        for root in noted.iter().filter_map(|run| run.parent()) {
            if !roots.iter().any(|other| same(other, root)) {
                roots.push(root.to_owned());
            }
        }
        if roots.is_empty() {
            return Err(format!(
                "no journals: {looked}; run `cargo test` there first, or name the directory with --dir or \
                 HH_DIR"
            ));
        }
        Ok(Self { roots, usual, workspace, noted })
    }

    /// Returns all runs, the newest first.
    ///
    /// # Errors
    /// Returns an error when a directory cannot be read.
    pub(super) fn runs(&self) -> Result<Vec<RunHead>, String> {
        let mut all: Vec<RunHead> = Vec::new();
        for root in &self.roots {
            let more = runs(root)
                .map_err(|error| format!("{} cannot be read: {error}", root.display()))?;
            all = merge(all, more);
        }
        if self.roots.len() > 1
            && let Some(newest) = all.first()
        {
            let noted = self.noted.iter().find_map(|noted| {
                let at = all.iter().position(|run| same(&run.directory, noted))?;
                let elsewhere = newest.directory.parent() != all[at].directory.parent();
                (at > 0 && elsewhere && all[at].packages == newest.packages).then_some(at)
            });
            if let Some(at) = noted {
                let run = all.remove(at);
                all.insert(0, run);
            }
        }
        Ok(all)
    }

    /// Returns the runs of the workspace, the newest first, or all of them where no workspace is known.
    /// Prints notes about facts that a user would not expect of the newest.
    ///
    /// # Errors
    /// Returns an error when a directory cannot be read, or has only runs of other packages.
    pub(super) fn own_runs(&self) -> Result<Vec<RunHead>, String> {
        let all = self.runs()?;
        let Some(workspace) = self.workspace.as_ref().filter(|_| !all.is_empty()) else {
            note_clock(&all);
            return Ok(all);
        };
        let by = |is_it| all.iter().filter(|run| workspace.has(run, is_it)).cloned().collect();
        let mut own: Vec<RunHead> = by(is_here);
        if own.is_empty() {
            own = by(is_alike);
            if let Some(run) = own.first() {
                report::note(&format!(
                    "{} was recorded in another directory ({})",
                    name(run),
                    run.packages.first().map_or("", |(_, directory)| directory)
                ));
            }
        }
        let Some(newest) = own.first() else {
            return Err(format!(
                "no run of this workspace ({}) in {}; the newest there is {}, of {}: name it, if it is \
                 meant",
                workspace.names(),
                self.shown(),
                name(&all[0]),
                packages(&all[0])
            ));
        };
        if newest.directory != all[0].directory {
            report::note(&format!(
                "{}, of {}, is the newest run of this workspace; {}, of {}, is newer and is not looked at",
                name(newest),
                packages(newest),
                name(&all[0]),
                packages(&all[0])
            ));
        }
        let root = newest.directory.parent();
        let is_usual = |usual: &PathBuf| *usual == newest.directory || Some(&**usual) == root;
        if !self.roots[..self.usual].iter().any(is_usual) {
            report::note(&format!("the newest run is {}", newest.directory.display()));
        }
        note_clock(&own);
        Ok(own)
    }

    /// Returns the directories, for messages.
    pub(super) fn shown(&self) -> String {
        let roots: Vec<String> = self.roots.iter().map(|root| root.display().to_string()).collect();
        roots.join(" or ")
    }
}

/// Prints a note where the newest run has an earlier time than another one.
fn note_clock(runs: &[RunHead]) {
    let latest = runs.iter().max_by(|a, b| a.started_at.cmp(&b.started_at));
    if let (Some(newest), Some(latest)) = (runs.first(), latest)
        && newest.started_at < latest.started_at
    {
        report::note(&format!(
            "{} was made after {}, although it says {} and the other {}: the clock was changed between \
             them. The newest is {}",
            name(newest),
            name(latest),
            newest.started_at,
            latest.started_at,
            name(newest)
        ));
    }
}

/// Returns the usual directories of runs that exist, and the message for the case that there is none.
fn usual(workspace: Option<&Workspace>, config: &Config) -> Result<(Vec<PathBuf>, String), String> {
    let here = std::env::current_dir()
        .map_err(|error| format!("the working directory cannot be read: {error}"))?;
    let candidates: Vec<PathBuf> = match (workspace, &config.target_dir) {
        (Some(workspace), _) => {
            let built = workspace.build_directory.iter();
            std::iter::once(&workspace.target_directory).chain(built).cloned().collect()
        }
        (None, Some(target)) => vec![target.clone()],
        (None, None) => upwards(&here).into_iter().collect(),
    };
    let looked = match candidates.first() {
        Some(target) => format!("there is no {}", target.join("honeyhive").display()),
        None => {
            format!("neither {} nor a directory above it has target/honeyhive", here.display())
        }
    };
    let mut roots: Vec<PathBuf> = Vec::new();
    for root in candidates.into_iter().map(|target| target.join("honeyhive")) {
        if root.is_dir() && !roots.contains(&root) {
            roots.push(root);
        }
    }
    Ok((roots, looked))
}

/// Returns the root of the workspace of a directory: the highest one above it that has a manifest.
pub(super) fn workspace(from: &Path) -> Option<PathBuf> {
    let has_manifest = |above: &&Path| above.join("Cargo.toml").is_file();
    from.ancestors().filter(has_manifest).last().map(Path::to_path_buf)
}

/// Returns the directory and the name of the package that a file is in, whether the file exists or not.
pub(super) fn package(file: &Path) -> Option<(PathBuf, String)> {
    let absolute = std::path::absolute(file).ok()?;
    let directory = absolute.ancestors().skip(1).find(|one| one.join("Cargo.toml").is_file())?;
    let directory = directory.canonicalize().ok()?;
    // The manifest of a workspace may have no package; then the name is that of its directory.
    let manifest = std::fs::read_to_string(directory.join("Cargo.toml")).unwrap_or_default();
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[package]").skip(1);
    let name = lines.by_ref().take_while(|line| !line.starts_with('[')).find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "name").then(|| value.trim().trim_matches('"').to_owned())
    });
    let name = name.unwrap_or_else(|| directory.display().to_string());
    Some((directory, name))
}

/// Returns the nearest directory `target`, upwards, that has journals.
fn upwards(from: &Path) -> Option<PathBuf> {
    from.ancestors()
        .map(|above| above.join("target"))
        .find(|target| target.join("honeyhive").is_dir())
}

/// Merges two lists, the newest first by the clock, and keeps the order within each.
fn merge(a: Vec<RunHead>, b: Vec<RunHead>) -> Vec<RunHead> {
    let mut merged = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
    while let (Some(left), Some(right)) = (a.peek(), b.peek()) {
        let next = if left.started_at >= right.started_at { a.next() } else { b.next() };
        merged.extend(next);
    }
    merged.extend(a);
    merged.extend(b);
    merged
}

/// Returns the name of a run.
fn name(run: &RunHead) -> String {
    run.directory.file_name().unwrap_or(run.directory.as_os_str()).to_string_lossy().into_owned()
}

fn packages(run: &RunHead) -> String {
    let names: Vec<&str> = run.packages.iter().map(|(name, _)| name.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, started_at: &str) -> RunHead {
        RunHead {
            directory: PathBuf::from(name),
            started_at: started_at.to_owned(),
            packages: vec![("app".to_owned(), "/ws/app".to_owned())],
        }
    }

    #[test]
    fn two_places_are_merged_and_each_keeps_its_order() {
        let merged = merge(
            vec![run("a3", "10"), run("a2", "12"), run("a1", "09")],
            vec![run("b2", "11"), run("b1", "08")],
        );
        let names: Vec<String> = merged.iter().map(name).collect();
        assert_eq!(names, ["b2", "a3", "a2", "a1", "b1"]);
    }

    #[test]
    fn a_package_is_known_by_its_name_and_directory() {
        let manifest_path = "/ws/app/Cargo.toml".into();
        let own = Package { name: "app".to_owned(), manifest_path, ..Package::default() };
        let tested = |name: &str, directory: &str| (name.to_owned(), directory.to_owned());
        assert!(is_here(&own, &tested("app", "/ws/app")) && is_here(&own, &tested("app", "")));
        assert!(!is_here(&own, &tested("app", "/other/app")));
        assert!(is_alike(&own, &tested("app", "/no/such")) && !is_alike(&own, &tested("app", "/")));
        assert!(!is_here(&own, &tested("other", "/ws/app")));
    }
}
