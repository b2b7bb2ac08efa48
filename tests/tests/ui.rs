//! Tests which code the macros accept, and the messages of the macros and of rustc for other code.
//!
//! Some of the messages come from rustc and change with it: they are compared only with the version
//! that wrote them (`needs/rustc.txt`). To run one file:
//! `cargo test -p honeyhive-tests --test ui -- ui trybuild=gate_with_greater`; to write the
//! messages again, set `TRYBUILD=overwrite`. The crate in `ui/edition-2021` shows that the macros
//! work in another edition, under another name of the harness, and with clippy.

use honeyhive_tests::{fetch_crates, needs};

#[test]
fn ui() {
    // trybuild runs cargo with `--offline`.
    fetch_crates();
    let tests = trybuild::TestCases::new();
    tests.pass("ui/pass/*.rs");
    if needs::rustc_of_messages() {
        tests.compile_fail("ui/fail/*.rs");
    }
}
