//! `cargo honeyhive report`: the reports of a run, written again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::pick::Which;
use super::{Done, Outcome};
use crate::config::{Config, Format};
use crate::journal::read_invocation;
use crate::report;
use crate::report::files::{self, Loaded};
use crate::upload::write_otlp;

/// Writes the reports of a run.
///
/// Without --format, all that a run writes by itself, into `report` beside its journal. They say
/// what the journal says, compared with the baselines as they are now.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo honeyhive report --open                      the newest run, in a browser
  cargo honeyhive report --format md                 as a comment for a pull request, printed
  cargo honeyhive report --format junit --output junit.xml
  cargo honeyhive report --format otlp               the traces, one OTLP/JSON request per line
  cargo honeyhive report 20261122T170151-2782ad --format json | jq .

Exit codes: 0 written, 1 not written (standard error says why), 64 usage.")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Only this report: md, junit and json are printed, html and otlp written to their files
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Writes the report to this file instead
    #[arg(long, value_name = "FILE", requires = "format")]
    output: Option<PathBuf>,
    /// Shows the report with the program that the system has for it
    #[arg(long)]
    open: bool,
}

/// What is to be printed.
pub(super) fn run(args: &Args, config: &Config) -> Outcome {
    let text = write(args, &args.which.find(config)?)?;
    Ok(Done { text, code: 0 })
}

fn write(args: &Args, invocation: &Path) -> Result<String, String> {
    let in_place = |format: Format| files::directory(invocation).join(format.file());
    let written = match (args.format, &args.output) {
        (None, _) => {
            let loaded = Loaded::read(invocation)?;
            let document = loaded.document();
            let write = |format: &Format| files::write(&document, *format, &in_place(*format));
            Format::AFTER_RUN.iter().map(write).collect::<Result<Vec<_>, _>>()?
        }
        (Some(Format::Otlp), output) => {
            let path = output.clone().unwrap_or_else(|| in_place(Format::Otlp));
            let journal = read_invocation(invocation).map_err(|error| error.to_string())?;
            vec![files::replace(&path, |to| write_otlp(journal.records, to))?]
        }
        (Some(format), Some(path)) => {
            vec![files::write(&Loaded::read(invocation)?.document(), format, path)?]
        }
        (Some(format), None) if args.open || !is_printed(format) => {
            vec![files::write(&Loaded::read(invocation)?.document(), format, &in_place(format))?]
        }
        (Some(format), None) => {
            let mut text = Vec::new();
            files::render(&Loaded::read(invocation)?.document(), format, &mut text)
                .map_err(|error| error.to_string())?;
            return String::from_utf8(text).map_err(|error| error.to_string());
        }
    };
    if args.open
        && let Some(path) = written.first()
    {
        open(path);
    }
    Ok(written.iter().map(|path| format!("{}\n", path.display())).collect())
}

/// A page for a browser and traces are of no use in a terminal.
const fn is_printed(format: Format) -> bool {
    matches!(format, Format::Md | Format::Junit | Format::Json)
}

/// Shows a file; where that cannot be done, its path is printed all the same.
fn open(path: &Path) {
    let (program, first): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(first).arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Not waited for: some of these programs end with the browser.
    if let Err(error) = command.spawn() {
        report::note(&format!("{program} cannot be started ({error}); the report is here:"));
    }
}
