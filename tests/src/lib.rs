//! Only a home for the tests in `tests/`.
