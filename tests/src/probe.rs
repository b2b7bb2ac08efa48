//! Records what experiments do, for the test that runs them. Each project has this module.

#![allow(dead_code)]

use std::collections::HashMap;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Appends a line to a file in the run's scratch directory.
pub fn note(file: &str, line: impl Display) {
    let Some(directory) = std::env::var_os("SCRATCH") else { return };
    let path = PathBuf::from(directory).join(file);
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Returns the number of calls with this key so far, from 1.
pub fn nth(key: &str) -> usize {
    static CALLS: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);
    let mut calls = CALLS.lock().unwrap();
    let count = calls.get_or_insert_default().entry(key.to_owned()).or_default();
    *count += 1;
    *count
}

pub fn sleep(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}

/// A guard that counts itself while it exists, and records the count when it is created.
pub struct InFlight(&'static AtomicUsize);

impl InFlight {
    pub fn enter(counter: &'static AtomicUsize, file: &str) -> Self {
        note(file, counter.fetch_add(1, Ordering::SeqCst) + 1);
        Self(counter)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
