//! Runs the experiments of the library.

honeyhive_harness::main!(annotate_library);
