//! Implements `cargo honeyhive report`, which writes the reports of a run again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::pick::Which;
use super::{Done, Outcome};
use crate::config::{Config, Format};
use crate::gate::checked;
use crate::journal::Keep;
use crate::outcome::DocumentSource;
use crate::report::{self, files};
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

/// Writes the reports and returns the text to print.
pub(super) fn run(args: &Args, config: &Config) -> Outcome {
    let text = write(args, &args.which.find(config)?)?;
    Ok(Done { text, code: 0 })
}

fn write(args: &Args, invocation: &Path) -> Result<String, String> {
    let written = match args.format {
        None => {
            let loaded = DocumentSource::read(invocation)?;
            let document = loaded.document();
            let write =
                |format: &Format| files::write(&document, *format, &in_place(invocation, *format));
            Format::AFTER_RUN.iter().map(write).collect::<Result<Vec<_>, _>>()?
        }
        Some(Format::Otlp) => {
            let path = args.output.clone();
            let path = path.unwrap_or_else(|| in_place(invocation, Format::Otlp));
            // A report of a damaged journal would be incomplete, so none is written.
            checked::read_sound(invocation, Keep::Scores)?;
            vec![files::replace(&path, |to| write_otlp(invocation, to))?]
        }
        Some(format) => {
            let path = match &args.output {
                None if args.open || format == Format::Html => Some(in_place(invocation, format)),
                output => output.clone(),
            };
            match one(&DocumentSource::read(invocation)?, format, path.as_deref())? {
                Printed(text) => return Ok(text),
                Written(path) => vec![path],
            }
        }
    };
    if args.open
        && let Some(path) = written.first()
    {
        open(path);
    }
    let paths: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    Ok(paths.join("\n") + "\n")
}

/// Returns the path to which a run writes its report in this format.
fn in_place(invocation: &Path, format: Format) -> PathBuf {
    files::directory(invocation).join(format.file())
}

/// A rendered report.
pub(super) enum Report {
    /// The text to print.
    Printed(String),
    /// The file that the report was written to.
    Written(PathBuf),
}
use Report::{Printed, Written};

/// Writes one report to a file where there is a path, and returns its text otherwise.
pub(super) fn one(
    loaded: &DocumentSource,
    format: Format,
    path: Option<&Path>,
) -> Result<Report, String> {
    let document = loaded.document();
    if let Some(path) = path {
        return files::write(&document, format, path).map(Written);
    }
    let mut text = Vec::new();
    files::render(&document, format, &mut text).map_err(|error| error.to_string())?;
    String::from_utf8(text).map(Printed).map_err(|error| error.to_string())
}

/// Opens a file with the system's program for it; a failure is a note, since the path is printed.
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
    // The program is not waited for, since some of them run until the browser is closed.
    if let Err(error) = command.spawn() {
        report::note(&format!("{program} cannot be started ({error}); the report is here:"));
    }
}
