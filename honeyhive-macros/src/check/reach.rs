//! Checks whether an experiment can run where it stands, as far as its source file shows.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::attr::experiment::Options;
use crate::errors::Errors;
use crate::item::Function;
use crate::source::target::{self, Target, TargetKind, reaches};
use crate::{suggest, text};

use super::function::method;

/// Reports a function of an `impl` block that looks like a free one.
pub(crate) fn associated(function: &Function, attribute: &str, errors: &mut Errors) {
    if method(&function.sig).is_none()
        && let Some((_, _, context)) = target::place()
        && context.in_impl
    {
        errors.at(
            &function.sig.ident,
            format_args!("`#[{attribute}]` goes on a free function, outside of `impl`; write one that calls this"),
        );
    }
}

/// Reports evaluators that cannot be in scope, as their name does not occur in the file. All others
/// are left to rustc.
pub(crate) fn evaluators(options: &Options, errors: &mut Errors) {
    let unknown = |outline: &crate::source::outline::Outline| {
        let names = options.evaluators.iter().filter_map(|used| used.path.get_ident());
        names.filter(|name| !outline.has_word(&text::unraw(name))).cloned().collect::<Vec<_>>()
    };
    let Some((_, outline, _)) = target::place() else { return };
    if outline.has_hidden_names {
        return;
    }
    for name in unknown(&outline) {
        let called = text::unraw(&name);
        let known: Vec<&str> = outline.evaluators.iter().map(String::as_str).collect();
        let hint = match suggest::closest(&called, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "write `#[evaluator] fn {called}(output: &str, ground_truth: &str) -> bool {{ .. }}`, or import it; there are no built-in evaluators in this version"
            ),
        };
        errors.at(&name, format_args!("there is no evaluator `{called}` in this file; {hint}"));
    }
}

/// Reports, only once, a test target that has neither libtest's `main` nor one of its own.
pub(crate) fn main(errors: &mut Errors) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    let Some(target) = target::target() else { return };
    if target.kind != TargetKind::Test || target.has_libtest || target.may_have_main() {
        return;
    }
    if !TOLD.swap(true, Ordering::Relaxed) {
        errors.push(syn::Error::new(
            proc_macro2::Span::call_site(),
            format_args!(
                "this test target has no `main` that runs its experiments: add `honeyhive_harness::main!();` at the end of {}",
                root(target)
            ),
        ));
    }
}

/// Returns why an experiment of this name does not run in the binary that is compiled, where
/// `#[test]` functions do; `None` where it does, or where that is not known.
pub(crate) fn never_runs(name: &str) -> Option<String> {
    let target = target::target().filter(|target| target.has_libtest)?;
    // libtest does not run a test inside of a function, and rustc warns about one.
    if target::place().is_some_and(|(_, _, context)| context.in_function) {
        return None;
    }
    let harness =
        "has `harness = false` in Cargo.toml and `honeyhive_harness::main!();` at the end";
    match target.kind {
        TargetKind::Test => {
            let is_bench = target.root.as_ref().is_some_and(|root| {
                root.components().any(|part| part.as_os_str() == "benches")
            });
            let table = if is_bench { "bench" } else { "test" };
            let main = if target.may_have_main() {
                String::new()
            } else {
                format!(", and `honeyhive_harness::main!();` at the end of {}", root(target))
            };
            Some(format!(
                "the experiment `{name}` did not run: this test target needs `harness = false` in Cargo.toml, below its `[[{table}]]` with `name = \"{}\"`{main}",
                target.name()
            ))
        }
        TargetKind::Program => (!is_of_library(target)).then(|| {
            format!(
                "the experiment `{name}` did not run: experiments of a program cannot be linked into a test target; move the function into the package's library, or into a file in `tests/` whose target {harness}"
            )
        }),
        TargetKind::Library => is_in_tests(target).then(|| {
            format!(
                "the experiment `{name}` did not run: it stands below `#[cfg(test)]`, which is there in unit tests alone, and no test target can link it; move it into a file in `tests/` whose target {harness}"
            )
        }),
    }
}

fn root(target: &Target) -> String {
    target.root.as_ref().map_or_else(|| "its file".to_owned(), |root| root.display().to_string())
}

/// Returns whether the file of the attribute belongs to the library of the same package as well.
fn is_of_library(target: &Target) -> bool {
    let (Some(root), Some((file, ..))) = (&target.root, target::place()) else { return false };
    let library = root.with_file_name("lib.rs");
    library.is_file() && reached(&library, &file) == Some(false)
}

/// Returns whether the attribute stands in code of unit tests.
fn is_in_tests(target: &Target) -> bool {
    let Some((file, _, context)) = target::place() else { return false };
    context.in_tests || target.root.as_ref().is_some_and(|root| reached(root, &file) == Some(true))
}

/// Calls [`reaches`], once per file.
fn reached(root: &Path, file: &Path) -> Option<bool> {
    static KNOWN: LazyLock<Mutex<HashMap<PathBuf, Option<bool>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    *known.entry(file.to_owned()).or_insert_with(|| reaches(root, file))
}
