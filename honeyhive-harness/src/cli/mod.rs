//! `cargo honeyhive`: what experiments left behind, seen from a shell.
//!
//! One module per subcommand: its arguments, and a `run` that gives back what is to be printed.

mod accept;
mod cargo;
mod compare;
mod gate;
mod merge;
mod pick;
mod place;
mod plan;
mod push;
mod rejudge;
mod review;
mod run;
mod runs;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::report;

/// The command line cannot be understood (`EX_USAGE`).
const USAGE: u8 = 64;

const AFTER_HELP: &str = "\
Examples:
  cargo honeyhive runs                  what was run here, the newest first
  cargo honeyhive runs --limit 1 --json the last one, for scripts
  cargo honeyhive push                  sends what no server has taken yet

Journals are looked for in --dir, then in HH_DIR, then in `honeyhive` in the target
directory (CARGO_TARGET_DIR, or the nearest `target` that has one, from here upwards).

Exit codes:
  0   done
  1   not done; standard error says why
  64  the command line cannot be understood";

/// Looks at what experiments left behind.
///
/// `cargo test` runs experiments and keeps a journal of each run; this command shows what is in
/// them, and sends what did not get through.
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
    Review(review::Args),
    Run(run::Args),
    Runs(runs::Args),
}

/// What a subcommand did.
struct Done {
    /// To be printed.
    text: String,
    /// The exit code.
    code: u8,
}

type Outcome = Result<Done, String>;

/// The `main` of `cargo-honeyhive`.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(arguments(std::env::args_os().collect())) {
        Ok(cli) => cli,
        Err(answer) => {
            // Help and the version are no errors, though clap hands them over as such.
            let is_error = answer.use_stderr();
            report::styled(&answer.render().ansi().to_string(), is_error);
            return if is_error { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let is_push = matches!(cli.command, Command::Push(_));
    let done = Config::from_env().and_then(|config| match cli.command {
        Command::Accept(args) => accept::run(&args, &config),
        Command::Compare(args) => compare::run(&args, &config),
        Command::Gate(args) => gate::run(&args, &config),
        Command::Merge(args) => merge::run(&args),
        Command::Plan(args) => plan::run(&args, &config),
        Command::Rejudge(args) => rejudge::run(&args, &config),
        Command::Review(args) => review::run(&args, &config),
        Command::Run(args) => run::run(&args, &config),
        Command::Push(args) => push::run(&args, &config),
        Command::Runs(args) => runs::run(&args, &config).map(|text| Done { text, code: 0 }),
    });
    match done {
        Ok(Done { text, code }) => {
            // What could not be sent belongs to people, unless it is JSON for a script.
            let complaint = is_push && code != 0 && !text.starts_with('[');
            report::styled(&text, complaint);
            ExitCode::from(code)
        }
        Err(text) => {
            report::error(&text);
            ExitCode::FAILURE
        }
    }
}

/// The arguments without the name of the subcommand, which cargo passes on.
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

    #[test]
    fn cargo_passes_its_own_name_for_it() {
        let of = |words: &[&str]| arguments(words.iter().map(OsString::from).collect());
        assert_eq!(of(&["x", "honeyhive", "runs"]), ["x", "runs"]);
        assert_eq!(of(&["x", "runs"]), ["x", "runs"]);
        assert_eq!(of(&["x"]), ["x"]);
    }
}
