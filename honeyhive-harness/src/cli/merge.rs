//! Implements `cargo honeyhive merge`, which copies the journals of shards into one run.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::pick;
use super::{Done, Outcome};
use crate::files;
use crate::gate::checked;
use crate::journal::{Keep, invocations};
use crate::text::count;

/// Puts the journals of several directories together, as of the shards of one run.
///
/// An invocation is the union of the files in its directory, so this copies them into one. Files
/// that are there already, with the same content, are left alone; nothing is overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo honeyhive merge shard-1/honeyhive/* shard-2/honeyhive/* --into target/honeyhive/all
  cargo honeyhive gate target/honeyhive/all

Exit codes: 0 merged, 1 not (standard error says why), 64 usage.")]
pub(super) struct Args {
    /// Directories with journals: those of single runs
    #[arg(required = true, value_name = "DIR")]
    from: Vec<PathBuf>,
    /// The directory of the merged run; made if there is none
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
    /// Prints JSON with the same facts, for scripts
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    let there = Some(&args.into).filter(|into| into.is_dir() && !is_empty(into));
    let all: Vec<PathBuf> = args.from.iter().chain(there).cloned().collect();
    missing(&args.from, &args.into)?;
    // Merges into a temporary directory first, so that a failure leaves `into` unchanged.
    pick::read(temporary(&all)?.directory(), Keep::Scores)?;
    let copied = copy(&args.from, &args.into)?;
    let results = pick::read(&args.into, Keep::Scores)?;
    let cases: Vec<(String, usize, usize)> = results
        .experiments
        .iter()
        .map(|one| (one.record.experiment.clone(), one.cases.len(), one.record.rows))
        .collect();
    let text = if args.json {
        let experiments: Vec<_> = cases
            .iter()
            .map(|(name, cases, rows)| json!({"experiment": name, "cases": cases, "rows": rows}))
            .collect();
        let all = json!({"into": args.into, "files": copied, "experiments": experiments});
        serde_json::to_string_pretty(&all).map_err(|error| error.to_string())? + "\n"
    } else {
        let mut text = format!("{} copied into {}\n", count(copied, "file"), args.into.display());
        for (name, cases, rows) in &cases {
            let missing = rows.saturating_sub(*cases);
            let missing = match missing {
                0 => String::new(),
                missing => format!(", {} missing", count(missing, "case")),
            };
            text.push_str(&format!("  {name}: {}{missing}\n", count(*cases, "case")));
        }
        text
    };
    Ok(Done { text, code: 0 })
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none())
}

/// The temporary directory of merged journals, which is removed when this is dropped.
pub(super) struct Merged(PathBuf);

impl Merged {
    pub(super) fn directory(&self) -> &Path {
        &self.0
    }
}

impl Drop for Merged {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn temporary(from: &[PathBuf]) -> Result<Merged, String> {
    let name = format!("honeyhive-merge-{}-{}", std::process::id(), uuid::Uuid::new_v4());
    let merged = Merged(std::env::temp_dir().join(name));
    copy(from, &merged.0)?;
    check(&merged.0)?;
    Ok(merged)
}

/// Returns the message that a directory has no journal, and whether there are runs below it.
fn no_journal(directory: &Path) -> String {
    let here = directory.display();
    match invocations(directory) {
        Ok(runs) if !runs.is_empty() => {
            let runs = count(runs.len(), "run");
            format!("no journal in {here}, but {runs} below it: say which, or {here}/*")
        }
        _ => format!("no journal in {here}"),
    }
}

/// Checks that the journals are shards of one run: of two results of a case it is not known which counts.
/// Damage is reported by the commands that judge a journal.
fn check(directory: &Path) -> Result<(), String> {
    let results = checked::read(directory, Keep::Scores).map_err(|error| error.to_string())?;
    let twice = results.twice;
    let Some((experiment, case)) = twice.first() else { return Ok(()) };
    Err(format!(
        "{} in more than one of these, such as `{case}` of `{experiment}`: merge puts the shards of \
         one run together; `cargo honeyhive compare` sets two runs beside each other",
        match twice.len() {
            1 => "one case is".to_owned(),
            more => format!("{} are", count(more, "case")),
        }
    ))
}

/// Returns the journals that are not in a directory yet, each with its new path.
fn missing(from: &[PathBuf], into: &Path) -> Result<Vec<(PathBuf, PathBuf)>, String> {
    let of = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let mut missing: Vec<(PathBuf, PathBuf)> = Vec::new();
    for directory in from {
        let mut any = false;
        for entry in fs::read_dir(directory).map_err(|error| of(directory, error))? {
            let path = entry.map_err(|error| of(directory, error))?.path();
            // The `.sent` file beside each journal records which attempts were sent.
            let kind = path.extension().unwrap_or_default();
            if kind != "jsonl" && kind != "sent" {
                continue;
            }
            any = true;
            let to = into.join(path.file_name().unwrap_or_default());
            let bytes = files::read_regular(&path).map_err(|error| of(&path, error))?;
            let planned = missing.iter().find(|(_, other)| *other == to).map(|(from, _)| from);
            match files::read_regular(planned.map_or(to.as_path(), PathBuf::as_path)) {
                Ok(there) if there == bytes => {}
                Ok(_) => {
                    return Err(format!(
                        "{} is there already with another content than {}; merge into a new \
                         directory",
                        to.display(),
                        path.display()
                    ));
                }
                Err(_) => missing.push((path, to)),
            }
        }
        if !any {
            return Err(no_journal(directory));
        }
    }
    Ok(missing)
}

/// Copies the missing files and returns their number.
fn copy(from: &[PathBuf], into: &Path) -> Result<usize, String> {
    let of = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let files = missing(from, into)?;
    files::private_dir_all(into).map_err(|error| of(into, error))?;
    for (from, to) in &files {
        fs::copy(from, to).map_err(|error| of(to, error))?;
    }
    Ok(files.len())
}
