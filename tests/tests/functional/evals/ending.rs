//! Experiments that take long, end the process, or do not answer.

mod probe;

use std::sync::LazyLock;
use std::time::Duration;

use honeyhive_harness::{Datapoint, evaluator, experiment};

fn numbered(count: u32) -> impl Iterator<Item = Datapoint> {
    (1..=count).map(|n| Datapoint::new().id(format!("{n:03}")).input("n", n))
}

fn fifty() -> impl Iterator<Item = Datapoint> {
    numbered(50)
}

fn ten() -> impl Iterator<Item = Datapoint> {
    numbered(10)
}

#[evaluator]
fn positive(output: u32) -> bool {
    output > 0
}

// ---- calls that outlast a signal ----

/// Waits for ten seconds, except in the first three cases.
async fn ten_seconds(n: u32) {
    if n > 3 {
        probe::note("calls", n);
        tokio::time::sleep(Duration::from_secs(10)).await;
        probe::note("ended", n);
    }
}

fn ten_blocking_seconds(n: u32) {
    if n > 3 {
        probe::note("calls", n);
        probe::sleep(10_000);
        probe::note("ended", n);
    }
}

#[experiment(dataset = fifty, evaluators(positive))]
async fn slow_async(n: u32) -> u32 {
    ten_seconds(n).await;
    n
}

#[experiment(dataset = fifty, evaluators(positive))]
fn slow_sync(n: u32) -> u32 {
    ten_blocking_seconds(n);
    n
}

#[experiment(dataset = fifty, evaluators(positive))]
async fn blocks_its_worker(n: u32) -> u32 {
    ten_blocking_seconds(n);
    n
}

#[evaluator]
fn slow_judge(output: u32) -> bool {
    ten_blocking_seconds(output);
    true
}

#[evaluator]
async fn slow_async_judge(output: u32) -> bool {
    ten_seconds(output).await;
    true
}

#[experiment(dataset = fifty, evaluators(slow_judge))]
fn slowly_judged(n: u32) -> u32 {
    n
}

#[experiment(dataset = fifty, evaluators(positive, slow_async_judge))]
fn slowly_judged_async(n: u32) -> u32 {
    n
}

/// Fails from the fourth case on with an error that is retried after a pause.
#[experiment(dataset = fifty, evaluators(positive), retries = 9)]
fn retried(n: u32) -> Result<u32, String> {
    if n > 3 {
        probe::note("calls", n);
        return Err("429 Too Many Requests".to_owned());
    }
    Ok(n)
}

/// Takes long in the second attempt of a case.
#[experiment(dataset = fifty, evaluators(positive), repeats = 3, gate(mean(positive) >= 0.5))]
fn slow_attempts(n: u32) -> u32 {
    if probe::nth(&n.to_string()) > 1 {
        ten_blocking_seconds(n);
    }
    n
}

/// Starts child processes, which get the signal, too.
#[experiment(dataset = fifty, evaluators(positive))]
fn has_children(n: u32) -> Result<u32, String> {
    if n > 3 {
        probe::note("calls", n);
        let status = std::process::Command::new("sleep").arg("10").status();
        let status = status.map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(status.to_string());
        }
    }
    Ok(n)
}

fn slow_rows() -> impl Iterator<Item = Datapoint> {
    probe::note("calls", "rows");
    probe::sleep(if std::env::var_os("WAIT").is_some() { 60_000 } else { 0 });
    numbered(3)
}

#[experiment(dataset = slow_rows, evaluators(positive))]
fn slow_dataset(n: u32) -> u32 {
    n
}

static SET_UP: LazyLock<u32> = LazyLock::new(|| {
    probe::note("calls", "set-up");
    probe::sleep(if std::env::var_os("WAIT").is_some() { 60_000 } else { 0 });
    3
});

#[experiment(dataset = needs_a_set_up, evaluators(positive))]
fn slow_set_up(n: u32) -> u32 {
    n
}

fn needs_a_set_up() -> impl Iterator<Item = Datapoint> {
    numbered(*SET_UP)
}

/// Does not answer for a text that the environment sets.
fn mask(text: &str) -> Option<String> {
    let stuck = std::env::var("STUCK_AT").is_ok_and(|word| text.contains(&word));
    if stuck {
        probe::note("calls", "hook");
        probe::sleep(60_000);
    }
    None
}

honeyhive_harness::redact!(mask);

fn words() -> impl Iterator<Item = Datapoint> {
    numbered(10).map(|row| row.input("word", "banana"))
}

#[experiment(dataset = words, evaluators(positive))]
fn masked(n: u32) -> u32 {
    n
}

#[experiment(dataset = "data/pipe.jsonl", evaluators(positive))]
fn reads_a_pipe(n: u32) -> u32 {
    n
}

fn endless_rows() -> impl Iterator<Item = Datapoint> {
    (1_u32..).map(|n| Datapoint::new().id(n.to_string()).input("n", n))
}

#[experiment(dataset = endless_rows, evaluators(positive))]
fn endless(n: u32) -> u32 {
    n
}

fn ever_larger_rows() -> impl Iterator<Item = Datapoint> {
    (1_u32..).map(|n| Datapoint::new().id(n.to_string()).input("n", n).input("text", "x".repeat(1 << 20)))
}

#[experiment(dataset = ever_larger_rows, evaluators(positive))]
fn endless_in_bytes(n: u32) -> u32 {
    n
}

// ---- code that ends the process ----

#[allow(clippy::exit)]
fn exit(on: &str) {
    if std::env::var("EXIT").is_ok_and(|at| at == on) {
        std::process::exit(0);
    }
}

#[experiment(dataset = ten, evaluators(positive))]
fn exits(n: u32) -> u32 {
    if n == 3 {
        exit("function");
    }
    n
}

#[experiment(dataset = ten, evaluators(positive))]
async fn exits_async(n: u32) -> u32 {
    tokio::task::yield_now().await;
    if n == 3 {
        exit("async");
    }
    n
}

#[evaluator]
fn exiting(output: u32) -> bool {
    if output == 3 {
        exit("evaluator");
    }
    true
}

#[experiment(dataset = ten, evaluators(exiting))]
fn exits_in_evaluator(n: u32) -> u32 {
    n
}

#[experiment(dataset = ten, evaluators(positive))]
fn exits_in_thread(n: u32) -> u32 {
    if n == 3 {
        std::thread::spawn(|| exit("thread")).join().unwrap();
    }
    n
}

fn exiting_rows() -> impl Iterator<Item = Datapoint> {
    exit("rows");
    numbered(3)
}

#[experiment(dataset = exiting_rows, evaluators(positive))]
fn exits_in_rows(n: u32) -> u32 {
    n
}

// ---- panics ----

/// A panic hook of the program, which does not call that of the harness.
static HOOK: LazyLock<()> = LazyLock::new(|| {
    std::panic::set_hook(Box::new(|panic| probe::note("hook", panic)));
});

#[experiment(dataset = ten, evaluators(positive), concurrency = 1)]
fn sets_a_hook(n: u32) -> u32 {
    LazyLock::force(&HOOK);
    assert!(n != 3, "no place for three");
    n
}

/// Panics on a thread of its own, with the text of a closed pipe.
#[experiment(dataset = ten, evaluators(positive))]
fn panics_in_a_thread(n: u32) -> u32 {
    if n == 3 {
        let work = || panic!("Broken pipe (os error 32)");
        let thread = std::thread::Builder::new().name("mine".to_owned()).spawn(work);
        assert!(thread.unwrap().join().is_err());
    }
    n
}

fn panicking_rows() -> impl Iterator<Item = Datapoint> {
    assert!(std::env::var_os("NO_SUCH_KEY").is_some(), "NO_SUCH_KEY is not set for the rows");
    numbered(3)
}

#[experiment(dataset = panicking_rows, evaluators(positive))]
fn panics_in_rows(n: u32) -> u32 {
    n
}

// ---- threads, rows ----

#[experiment(dataset = ten, evaluators(positive))]
fn counts_threads(n: u32) -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:"));
    probe::note("threads", threads.unwrap_or("0").trim());
    n
}

fn broken_rows() -> impl Iterator<Item = serde_json::Value> {
    (1..=200_000).map(|n| serde_json::json!({"inputs": {"n": n}, "grund_truth": n}))
}

#[experiment(dataset = broken_rows, evaluators(positive))]
fn broken(n: u32) -> u32 {
    n
}

fn rows_without_input() -> impl Iterator<Item = Datapoint> {
    (1..=20_000).map(|n| {
        let row = Datapoint::new().id(n.to_string());
        if n == 7 { row.input("n", n) } else { row.input("m", n) }
    })
}

#[experiment(dataset = rows_without_input, evaluators(positive))]
fn without_input(n: u32) -> u32 {
    n
}

fn twins() -> impl Iterator<Item = Datapoint> {
    (1..=200_000).map(|n: u32| Datapoint::new().id("same").input("n", n))
}

#[experiment(dataset = twins, evaluators(positive))]
fn all_of_one_id(n: u32) -> u32 {
    n
}

// ---- set-ups that fail ----

static KEY: LazyLock<String> =
    LazyLock::new(|| std::env::var("NO_SUCH_KEY").expect("NO_SUCH_KEY is not set"));

/// Fails for the second case with its own error, before the set-up.
#[experiment(dataset = ten, evaluators(positive), concurrency = 1)]
fn needs_a_key(n: u32) -> u32 {
    assert!(n != 2, "an odd number was expected");
    u32::try_from(KEY.len()).unwrap() + n
}

static COUNTS: std::sync::Mutex<u32> = std::sync::Mutex::new(0);

#[experiment(dataset = ten, evaluators(positive), concurrency = 1)]
fn shares_a_lock(n: u32) -> u32 {
    let mut counts = COUNTS.lock().unwrap();
    *counts += n;
    assert!(*counts < 6, "the counter is full");
    *counts
}

honeyhive_harness::main!();
