//! A program with its own `main` that runs experiments in code.

mod probe;

use std::process::ExitCode;

use honeyhive_harness::{
    Call, Datapoint, Dataset, Evaluators, ExperimentOptions, ExperimentResult, Function,
    run_experiment,
};

async fn run(function: fn(u32) -> u32) -> ExperimentResult {
    let rows = (1..=5_u32).map(|n| Datapoint::new().id(n.to_string()).input("n", n));
    let function = Function::blocking(move |call: &Call| {
        let n: u32 = call.input("n")?;
        Ok::<_, honeyhive_harness::Fault>(function(n))
    });
    let dataset = Dataset::from_datapoints("numbers", rows).unwrap();
    let options = ExperimentOptions::new().concurrency(1);
    run_experiment("numbers", dataset, function, Evaluators::new(), options).await.unwrap()
}

fn set_hook() {
    std::panic::set_hook(Box::new(|panic| probe::note("hook", panic)));
}

fn panic_in_thread(text: &'static str) {
    let thread = std::thread::Builder::new().name("mine".to_owned());
    let _ = thread.spawn(move || panic!("{text}")).unwrap().join();
}

fn panics(n: u32) -> u32 {
    panic_in_thread("beside the case: Broken pipe");
    assert!(n != 3, "within the case");
    n
}

fn note_errors(result: &ExperimentResult) {
    for attempt in result.datapoints.iter().flat_map(|one| &one.attempts) {
        if let Some(error) = &attempt.error {
            probe::note("errors", &error.message);
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("exit-within") => {
            run(|n| if n == 3 { std::process::exit(7) } else { n }).await;
        }
        Some("exit-after") => {
            run(|n| n).await;
            std::process::exit(3);
        }
        Some("exit-beside") => {
            std::thread::spawn(|| {
                probe::sleep(300);
                std::process::exit(0);
            });
            run(|n| {
                probe::sleep(60_000);
                n
            })
            .await;
        }
        Some("own-hook") => {
            set_hook();
            let (first, second) = tokio::join!(run(panics), run(panics));
            note_errors(&first);
            note_errors(&second);
            panic_in_thread("after the runs");
        }
        Some("default-hook") => {
            note_errors(&run(panics).await);
            panic_in_thread("after the run");
        }
        Some("hook-meanwhile") => {
            let result = run(|n| {
                if n == 1 {
                    set_hook();
                }
                panics(n)
            });
            note_errors(&result.await);
            panic_in_thread("after the run");
        }
        Some("chained-hook") => {
            let result = run(|n| {
                if n == 1 {
                    let before = std::panic::take_hook();
                    std::panic::set_hook(Box::new(move |panic| {
                        probe::note("hook", panic);
                        before(panic);
                    }));
                }
                panics(n)
            });
            note_errors(&result.await);
            note_errors(&run(panics).await);
            panic_in_thread("after the run");
        }
        other => panic!("{other:?}"),
    }
    ExitCode::SUCCESS
}
