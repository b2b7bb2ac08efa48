//! Renders `::error` lines, which GitHub Actions shows beside the `#[experiment]` in the changed files.

use std::fmt::Write as _;
use std::path::Path;

use crate::outcome::{Document, Outcome};
use crate::text::one_line;

/// The most lines that are written: GitHub shows ten per step.
const MOST: usize = 10;

/// The most columns of a line of a message.
const LONGEST: usize = 500;

/// Returns one line per failing experiment. `package` is the directory of the package under test,
/// `workspace` that of the checked-out repository.
pub(crate) fn render(document: &Document<'_>, package: &Path, workspace: &Path) -> String {
    let mut text = String::new();
    let failing = document.experiments.iter().filter(|one| one.outcome == Outcome::Fail);
    for experiment in failing.take(MOST) {
        let causes = experiment.causes.iter().take(5).map(|cause| one_line(cause, LONGEST));
        let message = causes.chain([experiment.rerun.clone()]).collect::<Vec<_>>().join("\n");
        let place = match experiment.place {
            Some((file, line)) => {
                format!("file={},line={line},", property(&located(file, package, workspace)))
            }
            None => String::new(),
        };
        let title = property(&format!("{} failed", one_line(experiment.name, LONGEST)));
        let _ = writeln!(text, "::error {place}title={title}::{}", data(&message));
    }
    text
}

/// Returns the path of a file from the root of the repository. rustc saw it from the root of the cargo
/// workspace, which is the package's directory or one above.
fn located(file: &str, package: &Path, workspace: &Path) -> String {
    let found = package.ancestors().map(|above| above.join(file)).find(|path| path.is_file());
    let path = found.unwrap_or_else(|| file.into());
    path.strip_prefix(workspace).unwrap_or(&path).to_string_lossy().replace('\\', "/")
}

/// Escapes the message of a command, which stands behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command, which stands before the second `::`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::samples::{failing, results};

    #[test]
    fn a_failing_gate_is_shown_where_the_experiment_is() {
        let results = results(failing());
        let document = Document::new(&results, &[]);
        let shown = render(&document, Path::new("/nowhere"), Path::new("/nowhere"));
        assert_eq!(
            shown,
            "::error file=evals/main.rs,line=12,title=detect failed::mean(correct) >= 0.9: 0.667, \
             n = 3, 95 %25 0.208 to 0.939; worst: b 0%0A2 of 4 cases failed%0A\
             cargo test -p app --test evals -- --exact detect\n"
        );
    }

    #[test]
    fn at_most_ten_and_none_for_what_is_good() {
        let mut records = failing();
        for index in 0..20 {
            for mut record in failing().into_iter().skip(1) {
                if record.get("experiment").is_some() {
                    record["experiment"] = format!("detect{index}").into();
                    records.insert(records.len() - 1, record);
                }
            }
        }
        let many = results(records);
        let document = Document::new(&many, &[]);
        assert_eq!(document.experiments.len(), 21);
        assert_eq!(render(&document, Path::new("/"), Path::new("/")).lines().count(), 10);
        let good: Vec<_> = failing().drain(..2).collect();
        let good = results(good);
        assert_eq!(render(&Document::new(&good, &[]), Path::new("/"), Path::new("/")), "");
    }

    #[test]
    fn nothing_in_a_message_is_a_command() {
        assert_eq!(data("a\r\n::add-mask::x 100%"), "a%0D%0A::add-mask::x 100%25");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }

    #[test]
    fn a_file_is_found_from_the_root_of_the_repository() {
        // The package is below the cargo workspace, which is below the repository.
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = package.parent().expect("a workspace");
        let file = "honeyhive-harness/src/report/annotations.rs";
        assert_eq!(located(file, package, root), file);
        let above = root.parent().expect("a directory above");
        let name = root.file_name().expect("a name").to_string_lossy();
        assert_eq!(located(file, package, above), format!("{name}/{file}"));
    }
}
