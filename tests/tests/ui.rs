//! What the macros accept, and what they and rustc say about the rest.
//!
//! The texts are in part rustc's and change with it: they are compared with the version that wrote
//! them, and elsewhere the test says that it compared nothing. To run one file:
//! `cargo test -p honeyhive-tests --test ui -- ui trybuild=gate_with_greater`; to write the texts
//! anew, set `TRYBUILD=overwrite`. How the macros fare in another edition, under another name of the
//! harness, and with clippy, shows the crate in `ui/edition-2021`.

use std::io::Write;
use std::process::Command;

/// The compiler that wrote the `.stderr` files.
const WRITTEN_BY: &str = "rustc 1.95.";

#[test]
fn ui() {
    let tests = trybuild::TestCases::new();
    tests.pass("ui/pass/*.rs");
    let version = rustc_version();
    if version.starts_with(WRITTEN_BY) {
        tests.compile_fail("ui/fail/*.rs");
    } else {
        // Not a print macro: those are captured, and a test that passes says nothing then.
        writeln!(
            std::io::stderr(),
            "\nSKIPPED: ui/fail/*.stderr was written by {WRITTEN_BY}*, and this is {version}\n"
        )
        .expect("stderr is open");
    }
}

fn rustc_version() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("rustc runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
