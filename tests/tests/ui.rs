//! What the macros accept, and what they and rustc say about the rest.
//!
//! The texts are in part rustc's and change with it: they are compared by the version that wrote
//! them (`needs/rustc.txt`). To run one file:
//! `cargo test -p honeyhive-tests --test ui -- ui trybuild=gate_with_greater`; to write the texts
//! anew, set `TRYBUILD=overwrite`. How the macros fare in another edition, under another name of the
//! harness, and with clippy, shows the crate in `ui/edition-2021`.

use honeyhive_tests::{fetch_crates, needs};

#[test]
fn ui() {
    // trybuild gives cargo `--offline`.
    fetch_crates();
    let tests = trybuild::TestCases::new();
    tests.pass("ui/pass/*.rs");
    if needs::rustc_of_messages() {
        tests.compile_fail("ui/fail/*.rs");
    }
}
