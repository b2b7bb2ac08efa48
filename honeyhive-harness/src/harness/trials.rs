//! The tests for libtest-mimic: already selected, and with results that the engine delivers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use super::args::Args;
use super::plan::{self, Plan, Test};
use crate::report::screen;
use crate::text::{count, plain};

/// A name that no test has: tests that are not selected get it, and it is skipped, so that
/// libtest-mimic counts them as filtered out, whatever made the selection.
const NOT_SELECTED: &str = "\u{1}";

/// The function of a test.
pub(super) type Runner = Box<dyn FnOnce() -> Result<Completion, Failed> + Send>;

/// A test with another name than the plan's, if any, and its function.
pub(super) type Named = (Option<String>, Runner);

/// The most lines of an experiment's error that its test shows; the summary has all of them.
const FAULT_LINES: usize = 5;

/// Returns the one test of an experiment that cannot run.
pub(super) fn fault(name: String, text: &str) -> Named {
    let lines: Vec<&str> = text.lines().collect();
    let mut shown = lines[..lines.len().min(FAULT_LINES)].join("\n");
    if lines.len() > FAULT_LINES {
        let more = count(lines.len() - FAULT_LINES, "more line");
        shown.push_str(&format!("\n({more} in the summary)"));
    }
    (Some(name), Box::new(move || Err(shown.into())))
}

/// Returns one trial per test. `runner` is called, in order, for each that is to run, and returns `None`
/// for a test that another one reports.
pub(super) fn trials(
    plan: &Plan,
    args: &Args,
    mut runner: impl FnMut(&Test) -> Option<Named>,
) -> Vec<Trial> {
    let not_selected = || Trial::test(NOT_SELECTED, || Ok(()));
    let others = std::iter::repeat_with(not_selected).take(plan.others);
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
                return Trial::ignorable_test(&test.name, || {
                    printable(Ok(Completion::Ignored { reason }))
                });
            }
            match runner(test) {
                Some((name, runner)) => {
                    let name = name.unwrap_or_else(|| test.name.clone());
                    Trial::ignorable_test(plain(&name), || printable(runner()))
                }
                None => not_selected(),
            }
        })
        .chain(others)
        .collect()
}

/// Runs the tests by libtest-mimic; returns whether any failed.
///
/// # Errors
/// When results cannot be printed. Attempts have ended in order, and are in the journal.
pub(super) fn run(args: &Args, threads: usize, trials: Vec<Trial>) -> Result<bool, String> {
    if let Some(path) = &args.logfile {
        // libtest-mimic panics where it cannot create or write the file.
        std::fs::File::create(path)
            .map_err(|error| format!("--logfile {path}: cannot create the file: {error}"))?;
    }
    let printing = PrintErrors::watch();
    // It panics where it cannot print, as in `cargo test | head`. Attempts under way are to end in order.
    let run = || libtest_mimic::run(&arguments(args, threads), trials);
    let conclusion = catch_unwind(AssertUnwindSafe(run));
    printing.stop();
    match (conclusion, printing.take()) {
        (Ok(conclusion), _) => Ok(conclusion.has_failed()),
        // A reader that has seen enough closes the pipe, as in `cargo test | head`.
        (Err(_), Some(text)) if text.contains("Broken pipe") => {
            screen::note(
                "standard output was closed before all results were printed, which counts as a failure",
            );
            Ok(true)
        }
        (Err(_), Some(text)) => {
            let to = match &args.logfile {
                Some(path) => format!("--logfile {path}"),
                None => "standard output".to_owned(),
            };
            Err(format!("results cannot be printed to {to}: {}", cause(&text)))
        }
        (Err(_), None) => Ok(true),
    }
}

/// Returns the text of the error in the message of a failed `unwrap`.
fn cause(text: &str) -> &str {
    let cause = text.split_once("message: \"").and_then(|(_, rest)| rest.split_once('"'));
    cause.map_or(text, |(cause, _)| cause)
}

/// Keeps the text of panics of libtest-mimic on this thread, which are errors of printing, and
/// prints nothing about them. All other panics go to the hook that was there before.
#[derive(Clone, Debug)]
struct PrintErrors(Arc<Mutex<Watched>>);

#[derive(Debug)]
struct Watched {
    /// The thread whose panics are kept; `None` once that is over.
    thread: Option<ThreadId>,
    text: Option<String>,
}

impl PrintErrors {
    fn watch() -> Self {
        let thread = Some(std::thread::current().id());
        let watched = Self(Arc::new(Mutex::new(Watched { thread, text: None })));
        let own = watched.clone();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let of_printer =
                panic.location().is_some_and(|place| place.file().contains("libtest-mimic"));
            let mut watched = own.lock();
            if of_printer && watched.thread == Some(std::thread::current().id()) {
                let payload = panic.payload();
                let text = payload.downcast_ref::<String>().cloned();
                let text =
                    text.or_else(|| payload.downcast_ref().map(|text: &&str| (*text).into()));
                watched.text.get_or_insert(text.unwrap_or_default());
                return;
            }
            drop(watched);
            before(panic);
        }));
        watched
    }

    /// Stops hiding panics. The hook stays, as user code may have wrapped it.
    fn stop(&self) {
        self.lock().thread = None;
    }

    fn take(&self) -> Option<String> {
        self.lock().text.take()
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the arguments for libtest-mimic.
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

/// Prints names of tests, as cargo and nextest read them.
///
/// # Errors
/// When they cannot be printed: half a list would look like all tests.
pub(super) fn list<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    screen::list(names)
}

/// Makes the texts printable: libtest-mimic writes them to the terminal as they are.
fn printable(result: Result<Completion, Failed>) -> Result<Completion, Failed> {
    match result {
        Ok(Completion::Ignored { reason }) => Ok(Completion::Ignored {
            reason: reason.map(|reason| screen::for_libtest(&plain(&reason))),
        }),
        Ok(done) => Ok(done),
        Err(failed) => match failed.message() {
            Some(text) => Err(screen::for_libtest(text).into()),
            None => Err(failed),
        },
    }
}
