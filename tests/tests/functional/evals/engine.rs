//! Experiments that block, panic, never end or misuse the runtime.

mod probe;

use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use honeyhive_harness::{Datapoint, evaluator, experiment};
use serde_json::Value;

fn numbered(count: usize) -> Vec<Datapoint> {
    (1..=count).map(|n| Datapoint::new().id(format!("{n:03}")).input("n", n)).collect()
}

fn ten() -> Vec<Datapoint> {
    numbered(10)
}

/// Returns 24 rows, half of them even.
fn twenty_four() -> Vec<Datapoint> {
    numbered(24)
}

#[evaluator]
fn fine(output: Value) -> bool {
    !output.is_null()
}

// ---- runtimes ----

#[experiment(dataset = ten, evaluators(fine))]
fn runtime_in_sync(n: u32) -> u32 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        n
    })
}

/// Does what a blocking HTTP client does: drops a runtime on its own thread at the end.
fn blocking_client(n: u32) -> u32 {
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.unwrap().block_on(async { tokio::spawn(async move { n }).await.unwrap() })
    })
    .join()
    .unwrap()
}

#[experiment(dataset = ten, evaluators(fine))]
fn client_in_sync(n: u32) -> u32 {
    blocking_client(n)
}

#[experiment(dataset = ten, evaluators(fine))]
async fn client_in_async(n: u32) -> u32 {
    tokio::task::spawn_blocking(move || blocking_client(n)).await.unwrap()
}

#[evaluator]
fn judged_with_runtime(output: u32) -> bool {
    blocking_client(output) == output
}

#[experiment(dataset = ten, evaluators(judged_with_runtime))]
fn client_in_evaluator(n: u32) -> u32 {
    n
}

/// Starts a runtime within a runtime in one case, which is a panic of tokio.
#[experiment(dataset = ten, evaluators(fine))]
async fn runtime_in_async(n: u32) -> u32 {
    if n == 3 {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {});
    }
    n
}

// ---- code that never ends ----

#[experiment(dataset = twenty_four, evaluators(fine), timeout = "1s")]
async fn never_ready(n: u32) -> u32 {
    if n % 2 == 0 {
        std::future::pending::<()>().await;
    }
    n
}

#[experiment(dataset = twenty_four, evaluators(fine), timeout = "1s")]
fn never_returns(n: u32) -> u32 {
    if n % 2 == 0 {
        probe::sleep(3_600_000);
    }
    n
}

#[experiment(dataset = twenty_four, evaluators(fine), timeout = "1s")]
async fn blocks_its_thread(n: u32) -> u32 {
    if n % 2 == 0 {
        probe::sleep(3_600_000);
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    n
}

#[evaluator]
async fn never_judges(output: u32) -> bool {
    if output % 2 == 0 {
        std::future::pending::<()>().await;
    }
    true
}

#[experiment(dataset = ten, evaluators(never_judges), timeout = "1s")]
fn endless_evaluator(n: u32) -> u32 {
    n
}

#[evaluator]
fn never_returns_a_score(output: u32) -> bool {
    if output % 2 == 0 {
        probe::sleep(3_600_000);
    }
    true
}

#[evaluator]
fn panics_at_times(output: u32) -> bool {
    assert!(output % 2 == 0, "cannot judge");
    true
}

#[experiment(
    dataset = ten,
    evaluators(first = fine, never_returns_a_score, panics_at_times, last = fine),
    timeout = "1s",
)]
fn badly_judged(n: u32) -> u32 {
    n
}

#[evaluator]
fn takes_700_ms(output: u32) -> bool {
    probe::sleep(700);
    output > 0
}

#[experiment(
    dataset = ten,
    evaluators(a = takes_700_ms, b = takes_700_ms, c = takes_700_ms),
    timeout = "2s",
)]
fn slowly_judged(n: u32) -> u32 {
    probe::sleep(700);
    n
}

// ---- panics ----

struct LoudDrop;

impl Drop for LoudDrop {
    fn drop(&mut self) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[experiment(dataset = ten, evaluators(fine))]
fn panics(n: u32) -> u32 {
    let _held = LoudDrop;
    match n {
        2 => panic!("text"),
        4 => panic!("{}", format!("number {n}")),
        6 => std::panic::panic_any(n),
        8 => None.expect("a value"),
        _ => n,
    }
}

/// Panics in a task of one case, and returns 0 for it.
#[experiment(dataset = ten, evaluators(fine))]
async fn panics_in_task(n: u32) -> u32 {
    tokio::spawn(async move {
        assert!(n != 5, "in a task");
        n
    })
    .await
    .unwrap_or(0)
}

// ---- tries and repeats ----

#[experiment(dataset = ten, evaluators(fine), retries = 2)]
fn heals(n: u32) -> anyhow::Result<u32> {
    let nth = probe::nth(&format!("heals {n}"));
    match n {
        1 if nth < 3 => anyhow::bail!("too many requests"),
        2 if nth < 2 => panic!("lost"),
        3 => anyhow::bail!("gone for good, {nth}"),
        _ => Ok(n),
    }
}

#[evaluator]
fn never_good(output: u32) -> bool {
    output > 1000
}

#[experiment(dataset = ten, evaluators(never_good), retries = 2)]
fn scores_do_not_heal(n: u32) -> u32 {
    probe::note("scores_do_not_heal", n);
    n
}

#[experiment(dataset = ten, evaluators(fine), repeats = 3)]
fn repeated(n: u32) -> usize {
    probe::nth(&format!("repeated {n}"))
}

/// Is slow in its first try; the latency is that of the last try.
#[experiment(dataset = ten, evaluators(fine), retries = 1)]
fn slow_first_try(n: u32) -> anyhow::Result<u32> {
    if probe::nth(&format!("slow {n}")) == 1 {
        probe::sleep(300);
        anyhow::bail!("too slow");
    }
    Ok(n)
}

// ---- how many at once ----

#[experiment(dataset = twenty_four, evaluators(fine), concurrency = 3)]
fn three_at_once(n: u32) -> u32 {
    static ALIVE: AtomicUsize = AtomicUsize::new(0);
    let _alive = probe::InFlight::enter(&ALIVE, "three_at_once");
    probe::sleep(20);
    n
}

#[experiment(dataset = twenty_four, evaluators(fine), repeats = 2)]
async fn many_at_once(n: u32) -> u32 {
    static ALIVE: AtomicUsize = AtomicUsize::new(0);
    let _alive = probe::InFlight::enter(&ALIVE, "many_at_once");
    tokio::time::sleep(Duration::from_millis(30)).await;
    n
}

#[experiment(dataset = twenty_four, evaluators(fine))]
fn in_order(n: u32) -> u32 {
    probe::note("in_order", n);
    probe::sleep(u64::from(24 - n));
    n
}

// ---- signals ----

fn hundreds() -> Vec<Datapoint> {
    numbered(400)
}

#[experiment(dataset = hundreds, evaluators(fine), concurrency = 4, gate(mean(fine) >= 1.0))]
fn takes_its_time(n: u32) -> u32 {
    probe::note("takes_its_time", n);
    probe::sleep(10);
    n
}

#[experiment(dataset = hundreds, evaluators(fine), concurrency = 4)]
async fn stuck(n: u32) -> u32 {
    probe::note("stuck", n);
    if n > 6 {
        probe::sleep(3_600_000);
    }
    n
}

honeyhive_harness::main!();
