//! Finds out what rustc is compiling, from its command line and cargo's environment.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::outline::{Context, Module, Outline};

/// The most files of one target that are read; a target with more of them is not written by hand.
const MOST_FILES: usize = 1_000;

/// The crate that is compiled.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The file of the crate root, as rustc was given it.
    pub(crate) root: Option<PathBuf>,
    pub(crate) kind: TargetKind,
    /// Set by `--test`, with which rustc makes a `main` of its own, which runs `#[test]` functions.
    pub(crate) has_libtest: bool,
}

/// The kind of the crate, in cargo's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetKind {
    /// An integration test or a benchmark.
    Test,
    /// A program or an example.
    Program,
    Library,
}

/// A function that is a test of libtest in a target without it.
#[derive(Debug, PartialEq)]
pub(crate) struct NeverRun {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) line: usize,
    /// Set when the function would be an experiment.
    pub(crate) is_experiment: bool,
}

/// Returns the crate that is compiled; `None` in editors and document tests.
pub(crate) fn target() -> Option<&'static Target> {
    static TARGET: LazyLock<Option<Target>> = LazyLock::new(read_target);
    TARGET.as_ref()
}

fn read_target() -> Option<Target> {
    let mut arguments = Vec::new();
    for argument in std::env::args_os().skip(1) {
        let argument = argument.to_string_lossy().into_owned();
        // Cargo writes long command lines into a file, one argument a line.
        match argument.strip_prefix('@').map(std::fs::read_to_string) {
            Some(Ok(lines)) => arguments.extend(lines.lines().map(str::to_owned)),
            _ => arguments.push(argument),
        }
    }
    let is_set = |name: &str| std::env::var_os(name).is_some();
    let is_cargo = is_set("CARGO_MANIFEST_DIR") && !is_set("UNSTABLE_RUSTDOC_TEST_PATH");
    if !is_cargo || !arguments.iter().any(|argument| argument == "--crate-name") {
        return None;
    }
    Some(Target {
        root: arguments
            .iter()
            .filter(|argument| !argument.starts_with('-'))
            .map(PathBuf::from)
            .find(|file| file.extension().is_some_and(|kind| kind == "rs") && file.is_file()),
        kind: if is_set("CARGO_TARGET_TMPDIR") {
            TargetKind::Test
        } else if is_set("CARGO_BIN_NAME") {
            TargetKind::Program
        } else {
            TargetKind::Library
        },
        has_libtest: arguments.iter().any(|argument| argument == "--test"),
    })
}

/// Returns the outline of a file, which is read once per process.
pub(crate) fn outline(file: &Path) -> Option<Arc<Outline>> {
    type Outlines = Mutex<HashMap<PathBuf, Option<Arc<Outline>>>>;
    static OUTLINES: LazyLock<Outlines> = LazyLock::new(Mutex::default);
    let mut outlines = OUTLINES.lock().unwrap_or_else(PoisonError::into_inner);
    let read = || Some(Arc::new(Outline::new(&std::fs::read_to_string(file).ok()?)));
    outlines.entry(file.to_owned()).or_insert_with(read).clone()
}

/// Returns the place of the attribute that is expanded; `None` where it stands in no file.
pub(crate) fn place() -> Option<(PathBuf, Arc<Outline>, Context)> {
    target()?;
    if !proc_macro::is_available() {
        return None;
    }
    let span = proc_macro::Span::call_site();
    let file = span.local_file()?;
    let outline = outline(&file)?;
    let context = outline.context(span.line(), span.column())?;
    Some((file, outline, context))
}

impl Target {
    /// Returns the name that cargo has for the target.
    pub(crate) fn name(&self) -> String {
        let stem = |path: Option<&Path>| {
            path.and_then(Path::file_stem).map(|stem| stem.to_string_lossy().into_owned())
        };
        let root = self.root.as_deref();
        match stem(root) {
            Some(name) if name != "main" => name,
            _ => stem(root.and_then(Path::parent)).unwrap_or_default(),
        }
    }

    /// Returns whether the crate root may have a `main`: it has the word, or a macro that may
    /// define it.
    pub(crate) fn may_have_main(&self) -> bool {
        let outline = self.root.as_deref().and_then(outline);
        outline.is_none_or(|outline| outline.has_word("main") || outline.has_item_macros)
    }

    /// Returns the functions that are tests of libtest, where the target does not have it.
    ///
    /// A module that another test target has as well is left out: its tests may run there.
    pub(crate) fn never_run(&self) -> Vec<NeverRun> {
        let Some(root) = self.root.as_deref().filter(|_| !self.has_libtest) else {
            return Vec::new();
        };
        let shared = modules_of_others(root);
        let mut found = Vec::new();
        walk(
            root,
            true,
            &mut HashSet::new(),
            &mut |file, outline| {
                found.extend(outline.tests.iter().map(|test| NeverRun {
                    name: test.name.clone(),
                    file: file.display().to_string(),
                    line: test.line,
                    is_experiment: test.is_experiment,
                }));
            },
            &|module| !shared.contains(&module.path),
        );
        found
    }
}

/// Returns the modules that the other test targets beside this one declare.
fn modules_of_others(root: &Path) -> HashSet<Vec<String>> {
    let folder = root.parent().unwrap_or_else(|| Path::new(""));
    let is_folder = root.file_name().is_some_and(|name| name == "main.rs");
    // The modules of `tests/evals/main.rs` are in a folder of their own.
    if is_folder {
        return HashSet::new();
    }
    let entries =
        std::fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    entries
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs"))
        .filter(|path| path.file_name() != root.file_name())
        .filter_map(|path| outline(&path))
        .flat_map(|outline| {
            outline.modules.iter().map(|module| module.path.clone()).collect::<Vec<_>>()
        })
        .collect()
}

/// Visits the file of a crate root or module, and the files of those of its modules that are
/// wanted.
fn walk(
    file: &Path,
    is_root: bool,
    seen: &mut HashSet<PathBuf>,
    visit: &mut dyn FnMut(&Path, &Outline),
    wanted: &dyn Fn(&Module) -> bool,
) {
    if seen.len() >= MOST_FILES || !seen.insert(file.to_owned()) {
        return;
    }
    let Some(outline) = outline(file) else { return };
    visit(file, &outline);
    for module in outline.modules.iter().filter(|module| wanted(module)) {
        if let Some(file) = file_of(module, file, is_root) {
            walk(&file, false, seen, visit, &|_| true);
        }
    }
}

/// Returns the file of a module that is declared in another.
fn file_of(module: &Module, declared_in: &Path, is_root: bool) -> Option<PathBuf> {
    let folder = declared_in.parent()?;
    let stem = declared_in.file_stem()?;
    let own = if is_root || stem == "mod" { folder.to_owned() } else { folder.join(stem) };
    let (name, outer) = module.path.split_last()?;
    if let Some(path) = &module.file {
        let base = if outer.is_empty() { folder.to_owned() } else { own.join(outer.join("/")) };
        return Some(base.join(path)).filter(|file| file.is_file());
    }
    let base = outer.iter().fold(own, |base, name| base.join(name));
    [base.join(format!("{name}.rs")), base.join(name).join("mod.rs")]
        .into_iter()
        .find(|file| file.is_file())
}

/// Returns whether the file is in tests alone in the crate with this root; `None` where the crate
/// does not have the file.
pub(crate) fn reaches(root: &Path, file: &Path) -> Option<bool> {
    let same = |a: &Path, b: &Path| a == b || a.canonicalize().ok() == b.canonicalize().ok();
    if same(root, file) {
        return Some(false);
    }
    let mut open = vec![(root.to_owned(), true, false)];
    let mut seen = HashSet::new();
    let mut found = None;
    while let Some((at, is_root, is_test)) = open.pop() {
        if seen.len() >= MOST_FILES || !seen.insert(at.clone()) {
            continue;
        }
        let Some(outline) = outline(&at) else { continue };
        for module in &outline.modules {
            let Some(next) = file_of(module, &at, is_root) else { continue };
            let is_test = is_test || module.is_test;
            if same(&next, file) {
                // A declaration of the module without tests takes precedence.
                found = Some(found.unwrap_or(true) && is_test);
            }
            open.push((next, false, is_test));
        }
    }
    found
}
