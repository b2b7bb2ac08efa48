//! Runs a headless Chromium and the script that controls it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use honeyhive_tests::finish;
use honeyhive_tests::needs::Browser;

/// The time limit of a scenario, chosen for a slow machine.
const PATIENCE: Duration = Duration::from_secs(600);

fn scratch() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report-html")
}

/// Opens the pages and performs the steps of the scenario.
///
/// # Panics
/// Panics when a check of the scenario fails.
pub(crate) fn drive(browser: &Browser, scenario: &str, pages: &[(&str, String)]) {
    let home = scratch().join(scenario);
    fs::create_dir_all(&home).unwrap();
    let paths: Vec<PathBuf> = pages
        .iter()
        .map(|(name, page)| {
            let path = home.join(format!("{name}.html"));
            fs::write(&path, page).unwrap();
            path
        })
        .collect();
    let profile = tempfile::tempdir_in(&home).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report_html/drive.js");
    let figures = home.join("figures.txt");
    let mut node = Command::new("node");
    node.arg(script).arg(scenario).arg(&figures).args(paths);
    node.env("CHROMIUM", &browser.chromium).env("PROFILE", profile.path());
    node.env("NODE_PATH", &browser.modules);
    if let Err(why) = finish(&mut node, PATIENCE) {
        panic!("{scenario}: {why}");
    }
    // Written to stderr directly, since the test runner captures the output of print macros.
    let figures = fs::read_to_string(figures).unwrap();
    if !figures.is_empty() {
        let _ = writeln!(std::io::stderr(), "\n{figures}");
    }
}
