//! Implements `cargo honeyhive`, the commands that run experiments and read their journals.
//!
//! There is one module per subcommand: its arguments, and a `run` that returns the text to print.

mod accept;
mod attempts;
mod cargo;
mod compare;
mod gate;
mod merge;
mod pick;
mod place;
mod plan;
mod push;
mod rejudge;
mod report;
mod review;
mod run;
mod runs;
mod targets;
mod trend;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::report as output;

/// The exit code for an invalid command line (`EX_USAGE`).
const USAGE: u8 = 64;

const AFTER_HELP: &str = "\
Examples, from the first run to a pull request:
  cargo honeyhive plan --test evals     how many calls a run makes, what it can detect
  cargo honeyhive run --sample 20       a quick look at always the same 20 cases
  cargo test --test evals               all of it
  cargo honeyhive accept                this is the baseline from now on; commit the file
  cargo honeyhive compare               later: what changed since, and whether it is significant
  cargo honeyhive review                the cases that need a look, one by one
  cargo honeyhive report --open         all of it as a page
  cargo honeyhive gate                  judges the recorded run by today's limits

Each subcommand has a --help with examples, and --json. A run is named as `runs` names it, by its
directory, or as `latest`, `latest~1` (the one before) and so on.

Journals are looked for in --dir, then in HH_DIR, then in `honeyhive` in the target directory
that cargo has for this workspace, and where the last run of one of its packages was recorded.
`latest` is the run of a package of this workspace that was made last, whatever the clock says.

Exit codes:
  0   done
  1   not done, or a gate fails; standard error says why
  2   inconclusive: a gate could not decide, nothing was run (run --rerun), or the journal is
      damaged
  64  the command line cannot be understood";

/// Inspects, compares and judges recorded experiment runs.
///
/// `cargo test` runs experiments and keeps a journal of each run. These commands read journals;
/// only `run`, which wraps `cargo test`, and `rejudge`, which runs evaluators, run code of yours.
#[derive(Debug, Parser)]
#[command(name = "cargo-honeyhive", bin_name = "cargo honeyhive", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Accept(accept::Args),
    Compare(compare::Args),
    Gate(gate::Args),
    Merge(merge::Args),
    Plan(plan::Args),
    Push(push::Args),
    Rejudge(rejudge::Args),
    Report(report::Args),
    Review(review::Args),
    Run(run::Args),
    Runs(runs::Args),
}

/// The result of a subcommand.
struct Done {
    /// The text to print.
    text: String,
    /// The exit code.
    code: u8,
}

type Outcome = Result<Done, String>;

/// Runs `cargo-honeyhive` with the arguments of the process and returns its exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(arguments(std::env::args_os().collect())) {
        Ok(cli) => cli,
        Err(answer) => {
            // Clap returns help and the version as errors, but they are not.
            let is_error = answer.use_stderr();
            let text = format!("{}{}", answer.render().ansi(), nearest_option(&answer));
            let printed = output::usage(text, is_error);
            return if is_error { ExitCode::from(USAGE) } else { ended(printed, 0) };
        }
    };
    let is_push = matches!(cli.command, Command::Push(_));
    let config = Config::from_env();
    for warning in config.iter().flat_map(|config| config.misspelt.iter().chain(&config.warnings)) {
        output::note(warning);
    }
    let done = config.and_then(|config| match cli.command {
        Command::Accept(args) => accept::run(&args, &config),
        Command::Compare(args) => compare::run(&args, &config),
        Command::Gate(args) => gate::run(&args, &config),
        Command::Merge(args) => merge::run(&args),
        Command::Plan(args) => plan::run(&args, &config),
        Command::Rejudge(args) => rejudge::run(&args, &config),
        Command::Review(args) => review::run(&args, &config),
        Command::Run(args) => run::run(&args, &config),
        Command::Report(args) => report::run(&args, &config),
        Command::Push(args) => push::run(&args, &config),
        Command::Runs(args) => runs::run(&args, &config).map(|text| Done { text, code: 0 }),
    });
    match done {
        Ok(Done { text, code }) => {
            // The report about a failed push goes to standard error, unless it is JSON for a script.
            let complaint = is_push && code != 0 && !text.starts_with('[');
            ended(output::styled(&text, complaint), code)
        }
        Err(text) => {
            output::error(&text);
            ExitCode::FAILURE
        }
    }
}

/// Returns a tip with the option most similar to an unknown one, where clap gives none, as for short
/// names.
fn nearest_option(error: &clap::Error) -> String {
    use clap::CommandFactory as _;
    use clap::error::{ContextKind, ContextValue};
    let told = error.get(ContextKind::SuggestedArg).is_some();
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else {
        return String::new();
    };
    let command = Cli::command();
    let options = command.get_subcommands().flat_map(clap::Command::get_arguments);
    let names = options.filter_map(clap::Arg::get_long);
    match crate::text::closest(unknown.trim_start_matches('-'), names) {
        Some(near) if !told => format!("\ntip: a similar option exists: '--{near}'\n"),
        _ => String::new(),
    }
}

/// Returns the exit code, or that of a failure where the text could not be printed.
fn ended(printed: Result<(), String>, code: u8) -> ExitCode {
    match printed {
        Ok(()) => ExitCode::from(code),
        Err(text) => {
            output::error(&text);
            ExitCode::FAILURE
        }
    }
}

/// Returns the arguments without the name of the subcommand, which cargo passes on.
fn arguments(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|first| first == "honeyhive") {
        arguments.remove(1);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_in_order() {
        Cli::command().debug_assert();
    }

    /// Returns the name with each of its letters left out in turn.
    fn typos(name: &str) -> impl Iterator<Item = String> {
        (1..name.len()).map(|at| format!("{}{}", &name[..at], &name[at + 1..]))
    }

    #[test]
    fn a_typo_in_a_subcommand_or_an_option_names_what_was_meant() {
        let mut untold = Vec::new();
        let subcommands: Vec<clap::Command> = Cli::command().get_subcommands().cloned().collect();
        let is_subcommand = |word: &str| subcommands.iter().any(|one| one.get_name() == word);
        for subcommand in &subcommands {
            let name = subcommand.get_name();
            for typo in typos(name).filter(|typo| !is_subcommand(typo)) {
                let error = Cli::try_parse_from(["x", &typo]).expect_err(&typo).to_string();
                // `rn` may be `run` or `runs`.
                if !error.contains(&format!("'{name}")) {
                    untold.push(typo);
                }
            }
            let options: Vec<&str> =
                subcommand.get_arguments().filter_map(clap::Arg::get_long).collect();
            for option in &options {
                for typo in typos(option).filter(|typo| !options.contains(&typo.as_str())) {
                    let typo = format!("--{typo}");
                    let error = Cli::try_parse_from(["x", name, &typo]).expect_err(&typo);
                    let error = format!("{error}{}", nearest_option(&error));
                    if !error.contains(&format!("'--{option}")) {
                        untold.push(format!("{name} {typo}"));
                    }
                }
            }
        }
        assert_eq!(untold, [""; 0]);
    }

    #[test]
    fn a_typo_in_a_value_names_the_values() {
        for (words, told) in [
            (&["run", "--rerun", "faild"][..], "'failed'"),
            (&["run", "--rerun", "mising"], "'missing'"),
            (&["report", "--format", "htlm"], "'html'"),
        ] {
            let error = Cli::try_parse_from(["x"].iter().chain(words)).expect_err("a typo");
            assert!(error.to_string().contains(told), "{error}");
        }
    }

    #[test]
    fn cargo_passes_its_own_name_for_it() {
        let of = |words: &[&str]| arguments(words.iter().map(OsString::from).collect());
        assert_eq!(of(&["x", "honeyhive", "runs"]), ["x", "runs"]);
        assert_eq!(of(&["x", "runs"]), ["x", "runs"]);
        assert_eq!(of(&["x"]), ["x"]);
    }
}
