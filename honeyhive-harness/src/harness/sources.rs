//! The current places of the sources of packages.
//!
//! Datasets, baselines and tracked files are read while tests run, and a test binary knows only
//! where its sources were when it was compiled. A checkout may have been moved since, an archive of
//! nextest may have been unpacked on another machine, and another checkout may stand in the old
//! place. So the place is taken from what cargo or nextest says at run time, else from where the
//! binary is, and the place of compilation is only used where nothing contradicts it.

use std::path::{Component, Path, PathBuf};

use super::NeverRun;
use crate::config::Config;
use crate::registry::{Experiment, Source};

/// The facts that the compiler knew of a test target; filled in by [`main!`](crate::main).
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Built {
    /// The root file of the target, from `file!()`.
    pub file: &'static str,
    /// The name of its crate, from `module_path!()`.
    pub crate_name: &'static str,
    /// The name of its package, from `CARGO_PKG_NAME`.
    pub package: Option<&'static str>,
    /// The directory of its package, from `CARGO_MANIFEST_DIR`.
    pub manifest_dir: Option<&'static str>,
    /// A directory within the target directory, from `CARGO_TARGET_TMPDIR`.
    pub target_tmpdir: Option<&'static str>,
    /// Functions that libtest would run, where the target is built without libtest.
    pub never_run: &'static [NeverRun],
}

/// The places of packages, as seen from this process.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    /// The manifest directory of the target's package when it was compiled.
    built: PathBuf,
    /// The directory `built` as it is now; `None` when the binary was moved away from its sources.
    now: Option<PathBuf>,
}

impl Sources {
    pub(super) fn new(built: &Built, config: &Config) -> Self {
        let exe = std::env::current_exe().unwrap_or_default();
        Self::seen_from(built, config.package.as_ref(), &exe)
    }

    fn seen_from(built: &Built, running: Option<&(String, PathBuf)>, exe: &Path) -> Self {
        let directory = PathBuf::from(built.manifest_dir.unwrap_or_default());
        // Cargo and nextest say where the package is. Another program's cargo may have started us.
        let said = running.filter(|(name, _)| Some(name.as_str()) == built.package);
        if let Some((_, now)) = said {
            return Self { built: directory, now: Some(now.clone()) };
        }
        let target = built.target_tmpdir.and_then(|tmp| Path::new(tmp).parent());
        let unmoved = target.is_none_or(|target| {
            exe.starts_with(target)
                || target.canonicalize().is_ok_and(|target| exe.starts_with(target))
        });
        let now = if unmoved {
            Some(directory.clone())
        } else {
            // The checkout was moved as a whole, its target directory included.
            let from_target = target.and_then(|target| relative(target, &directory));
            from_target.and_then(|way| {
                let places = exe.ancestors().skip(1).map(|above| plain(&above.join(&way)));
                let package = built.package.unwrap_or_default();
                places.into_iter().find(|place| is_package(place, package))
            })
        };
        Self { built: directory, now }
    }

    /// Returns the directory that the paths of an experiment are relative to: that of its package.
    ///
    /// # Errors
    /// When it is not known, or is missing although the experiment needs files of it.
    pub(super) fn of(&self, entry: &Experiment) -> Result<PathBuf, String> {
        let found = self.find(entry.manifest_dir, entry.package);
        let reads_files = matches!(entry.dataset, Source::File(_))
            || !entry.track.is_empty()
            || entry.gates.iter().any(crate::rule::GateRule::needs_baseline);
        match found {
            Ok(place) if place.is_dir() || !reads_files => Ok(place),
            Ok(place) => Err(format!(
                "the sources of package `{}` are not at {}; {REMEDY}",
                entry.package,
                place.display()
            )),
            Err(_) if !reads_files => Ok(PathBuf::from(entry.manifest_dir)),
            Err(text) => Err(text),
        }
    }

    fn find(&self, compiled: &str, package: &str) -> Result<PathBuf, String> {
        let compiled = Path::new(compiled);
        let Some(now) = &self.now else {
            return Err(format!(
                "this test binary is not in the target directory that it was built into, so the \
                 sources at {}, where it was compiled, may be those of another checkout; {REMEDY}",
                compiled.display()
            ));
        };
        if compiled == self.built {
            return Ok(now.clone());
        }
        if *now == self.built || is_immutable(compiled) {
            return Ok(compiled.to_owned());
        }
        // Another package of a checkout that was moved: it stands beside this one as before.
        let place = relative(&self.built, compiled).map(|way| plain(&now.join(way)));
        match place {
            Some(place) if is_package(&place, package) => Ok(place),
            place => Err(format!(
                "the sources were moved from {} to {} since this test target was compiled, and \
                 package `{package}` is not at {}; {REMEDY}",
                self.built.display(),
                now.display(),
                place.as_deref().unwrap_or(compiled).display()
            )),
        }
    }
}

const REMEDY: &str = "run it with `cargo test` where the sources are, an archive of nextest with \
                      `--workspace-remap`, or set CARGO_MANIFEST_DIR and CARGO_PKG_NAME";

/// Returns the relative path from one absolute path to another.
fn relative(from: &Path, to: &Path) -> Option<PathBuf> {
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    // With nothing but the root in common, the two are not of one checkout.
    (same > 1).then(|| {
        let up = from[same..].iter().map(|_| Component::ParentDir);
        up.chain(to[same..].iter().copied()).collect()
    })
}

/// Returns the path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        if component == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(component);
        }
    }
    plain
}

/// Returns whether the directory has the manifest of this package.
fn is_package(directory: &Path, package: &str) -> bool {
    let manifest = std::fs::read_to_string(directory.join("Cargo.toml")).unwrap_or_default();
    manifest.lines().any(|line| {
        let value = line.trim().strip_prefix("name").map(str::trim_start);
        let value = value.and_then(|rest| rest.strip_prefix('=')).map(str::trim);
        value.is_some_and(|value| value.trim_matches(['"', '\'']) == package)
    })
}

/// Returns whether these are sources that cargo fetched: they stay where they are, and as they are.
fn is_immutable(directory: &Path) -> bool {
    let text = directory.to_string_lossy().replace('\\', "/");
    ["/registry/src/", "/git/checkouts/"].iter().any(|part| text.contains(part))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Two checkouts of a workspace with the packages `app` and `lib`, the second one moved.
    struct Checkouts(PathBuf);

    impl Checkouts {
        fn new(name: &str) -> Self {
            let root = std::env::temp_dir().join(format!("hh-{name}-{}", std::process::id()));
            for checkout in ["old", "new"] {
                for package in ["app", "lib"] {
                    let directory = root.join(checkout).join(package);
                    fs::create_dir_all(&directory).unwrap();
                    let manifest = format!("[package]\nname = \"{package}\"\n");
                    fs::write(directory.join("Cargo.toml"), manifest).unwrap();
                }
                fs::create_dir_all(root.join(checkout).join("target/tmp")).unwrap();
            }
            Self(root.canonicalize().unwrap())
        }

        fn text(&self, path: &str) -> &'static str {
            Box::leak(self.0.join(path).display().to_string().into_boxed_str())
        }

        fn built(&self) -> Built {
            Built {
                file: "app/tests/evals.rs",
                crate_name: "evals",
                package: Some("app"),
                manifest_dir: Some(self.text("old/app")),
                never_run: &[],
                target_tmpdir: Some(self.text("old/target/tmp")),
            }
        }

        fn find(
            &self,
            running: Option<(&str, &str)>,
            exe: &str,
            package: &str,
        ) -> Result<String, String> {
            let running = running.map(|(name, at)| (name.to_owned(), self.0.join(at)));
            let sources = Sources::seen_from(&self.built(), running.as_ref(), &self.0.join(exe));
            let found = sources.find(self.text(&format!("old/{package}")), package)?;
            Ok(found.strip_prefix(&self.0).unwrap().display().to_string())
        }
    }

    impl Drop for Checkouts {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn where_nothing_was_moved_the_places_are_those_of_compilation() {
        let at = Checkouts::new("unmoved");
        let exe = "old/target/debug/deps/evals";
        for running in [None, Some(("app", "old/app")), Some(("xtask", "old/xtask"))] {
            assert_eq!(at.find(running, exe, "app").unwrap(), "old/app");
            assert_eq!(at.find(running, exe, "lib").unwrap(), "old/lib");
        }
    }

    #[test]
    fn what_cargo_says_at_run_time_moves_every_package() {
        let at = Checkouts::new("said");
        for exe in ["old/target/debug/deps/evals", "elsewhere/deps/evals"] {
            assert_eq!(at.find(Some(("app", "new/app")), exe, "app").unwrap(), "new/app");
            assert_eq!(at.find(Some(("app", "new/app")), exe, "lib").unwrap(), "new/lib");
        }
    }

    #[test]
    fn a_binary_in_a_moved_target_directory_reads_the_sources_beside_it() {
        let at = Checkouts::new("beside");
        let exe = "new/target/x86_64-unknown-linux-gnu/debug/deps/evals";
        assert_eq!(at.find(None, exe, "app").unwrap(), "new/app");
        assert_eq!(at.find(None, exe, "lib").unwrap(), "new/lib");
    }

    #[test]
    fn what_cannot_be_known_is_an_error_although_the_old_place_exists() {
        let at = Checkouts::new("unknown");
        let error = at.find(None, "elsewhere/evals", "app").unwrap_err();
        assert!(error.contains("may be those of another checkout; run it with `cargo"), "{error}");
        fs::remove_dir_all(at.0.join("new/lib")).unwrap();
        let exe = "old/target/debug/deps/evals";
        let error = at.find(Some(("app", "new/app")), exe, "lib").unwrap_err();
        assert!(error.contains("package `lib` is not at "), "{error}");
    }

    #[test]
    fn fetched_packages_stay_where_they_are() {
        let at = Checkouts::new("fetched");
        let running = ("app".to_owned(), at.0.join("new/app"));
        let sources = Sources::seen_from(&at.built(), Some(&running), Path::new("/x"));
        let fetched = "/home/x/.cargo/registry/src/index-1/dep-1.0.0";
        assert_eq!(sources.find(fetched, "dep").unwrap(), Path::new(fetched));
    }
}
