//! A headless Chromium, and what drives it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use honeyhive_tests::python::finish;

/// Drives the browser; axe-core looks for what some people cannot use.
const PACKAGES: [&str; 2] = ["puppeteer-core@24.43.1", "axe-core@4.14.1"];

/// A slow network and a slow machine need less.
const INSTALL: Duration = Duration::from_secs(300);

/// A slow machine needs less.
const PATIENCE: Duration = Duration::from_secs(180);

/// Where a browser and its driver are.
pub(crate) struct Browser {
    chromium: PathBuf,
    modules: PathBuf,
}

/// The browser, installed when it is not there yet.
pub(crate) fn find() -> Result<&'static Browser, String> {
    static FOUND: OnceLock<Result<Browser, String>> = OnceLock::new();
    FOUND.get_or_init(install).as_ref().map_err(Clone::clone)
}

fn scratch() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report-html")
}

fn install() -> Result<Browser, String> {
    let deadline = Instant::now() + INSTALL;
    finish(Command::new("node").arg("--version"), deadline)?;
    if chromium().is_none() {
        let apt = |arguments: &[&str]| {
            let mut apt = Command::new("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
            finish(&mut apt, deadline)
        };
        apt(&["update"])?;
        apt(&["install", "--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core"])?;
    }
    let chromium = chromium().ok_or("apt-get installed no chromium")?;
    let home = scratch().join("npm");
    let modules = home.join("node_modules");
    if !modules.join("axe-core/axe.min.js").exists() {
        fs::create_dir_all(&home).map_err(|error| error.to_string())?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
        finish(npm.arg(&home).args(PACKAGES), deadline)?;
    }
    Ok(Browser { chromium, modules })
}

fn chromium() -> Option<PathBuf> {
    let directories = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut all = std::env::split_paths(&directories)
        .flat_map(|directory| names.map(|name| directory.join(name)));
    all.find(|path| path.is_file())
}

impl Browser {
    /// Opens the pages and does with them what the scenario says.
    ///
    /// # Panics
    /// When something is not as it should be.
    pub(crate) fn drive(&self, scenario: &str, pages: &[(&str, String)]) {
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
        node.env("CHROMIUM", &self.chromium).env("PROFILE", profile.path());
        node.env("NODE_PATH", &self.modules);
        if let Err(why) = finish(&mut node, Instant::now() + PATIENCE) {
            panic!("{scenario}: {why}");
        }
        // Past the test runner, which swallows what passing tests print.
        let figures = fs::read_to_string(figures).unwrap();
        if !figures.is_empty() {
            let _ = writeln!(std::io::stderr(), "\n{figures}");
        }
    }
}
