//! What libtest-mimic is given: the selection is made already, the results come from elsewhere.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use super::args::Args;
use super::plan::{self, Plan, Test};

/// A name that no test has: tests that are not selected get it, and it is skipped. So
/// libtest-mimic counts them as filtered out, whatever made the selection.
const NOT_SELECTED: &str = "\u{1}";

/// What a test does.
pub(super) type Runner = Box<dyn FnOnce() -> Result<Completion, Failed> + Send>;

/// A test that goes by another name than the plan's, if any, and what it does.
pub(super) type Named = (Option<String>, Runner);

/// The one test of an experiment that cannot run.
pub(super) fn fault(name: String, text: String) -> Named {
    (Some(name), Box::new(move || Err(text.into())))
}

/// One trial per test. `runner` is asked, in order, for each that is to run, and may say that
/// there is none.
pub(super) fn trials(
    plan: &Plan,
    args: &Args,
    mut runner: impl FnMut(&Test) -> Option<Named>,
) -> Vec<Trial> {
    let not_selected = || Trial::test(NOT_SELECTED, || Ok(()));
    plan.tests
        .iter()
        .map(|test| {
            if !test.selected {
                return not_selected();
            }
            if !plan::runs(test, args) {
                // libtest-mimic knows no reason for its own ignored tests.
                let reason = Some(test.ignored.unwrap_or_default()).filter(|why| !why.is_empty());
                let reason = reason.map(str::to_owned);
                return Trial::ignorable_test(&test.name, || Ok(Completion::Ignored { reason }));
            }
            match runner(test) {
                Some((name, runner)) => {
                    Trial::ignorable_test(name.unwrap_or_else(|| test.name.clone()), runner)
                }
                None => not_selected(),
            }
        })
        .collect()
}

/// Hands the tests to libtest-mimic; whether any failed.
pub(super) fn run(args: &Args, threads: usize, trials: Vec<Trial>) -> bool {
    // It panics where it cannot print, as in `cargo test | head`. What runs shall end in order.
    let run = || libtest_mimic::run(&arguments(args, threads), trials);
    catch_unwind(AssertUnwindSafe(run)).map_or(true, |conclusion| conclusion.has_failed())
}

/// The arguments for libtest-mimic.
fn arguments(args: &Args, threads: usize) -> Arguments {
    Arguments {
        quiet: args.quiet,
        color: args.color,
        format: args.format,
        logfile: args.logfile.clone(),
        test_threads: Some(threads),
        skip: vec![NOT_SELECTED.to_owned()],
        ..Arguments::default()
    }
}

/// Prints the names of the selected tests, as cargo and nextest read them. A reader that has seen
/// enough may close the pipe.
pub(super) fn list(plan: &Plan) {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for test in plan.tests.iter().filter(|test| test.selected) {
        if writeln!(out, "{}: test", test.name).is_err() {
            return;
        }
    }
    let _ = out.flush();
}
