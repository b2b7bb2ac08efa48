//! Measures the cost of the harness: `cargo bench -p honeyhive-tests --bench overhead`.
//!
//! Every figure is the median of several runs, each in its own process, which alternate with those
//! that they are compared with, so that a busy machine slows both sides. Only the ratios can be
//! compared between machines; absolute times are those of this machine.
//!
//! This binary is all sides of the comparison: without an argument it measures; with one it is the
//! bare loop, or a test binary with experiments.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unused_async,
    clippy::unwrap_used
)]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use honeyhive_harness::{Datapoint, Tracer, evaluator, experiment};
use honeyhive_tests::{Fake, needs};

/// The time that the server takes for each answer.
const ANSWER_AFTER: Duration = Duration::from_millis(50);

/// The number of concurrent calls, in the bare loop and in the experiment.
const CONCURRENCY: usize = 256;

const CALLS: usize = 10_000;

/// The number of concurrent uploads, the same as in the harness.
const UPLOADS: usize = 32;

/// The number of runs per figure.
const ROUNDS: usize = 5;

fn rows(count: usize) -> impl Iterator<Item = Datapoint> {
    (0..count).map(|n| {
        Datapoint::new()
            .id(format!("row-{n:06}"))
            .input("text", format!("sentence number {n} of the benchmark"))
            .ground_truth("ok")
            .metadata("even", n % 2 == 0)
    })
}

fn calls() -> impl Iterator<Item = Datapoint> {
    rows(CALLS)
}

fn thousand() -> impl Iterator<Item = Datapoint> {
    rows(1_000)
}

fn hundred_thousand() -> impl Iterator<Item = Datapoint> {
    rows(100_000)
}

#[evaluator]
fn same(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

fn url() -> String {
    std::env::var("BENCH_URL").unwrap_or_default()
}

async fn call() -> Result<String, reqwest::Error> {
    CLIENT.get(url()).send().await?.text().await
}

#[experiment(dataset = calls, evaluators(same), concurrency = 256)]
async fn http(_text: &str, tracer: &Tracer) -> Result<String, reqwest::Error> {
    let span = tracer.start_span("request");
    span.instrument(call()).await
}

#[experiment(dataset = thousand, evaluators(same), concurrency = 256)]
async fn noop_1_000(_text: &str, tracer: &Tracer) -> &'static str {
    drop(tracer.start_span("work"));
    "ok"
}

#[experiment(dataset = hundred_thousand, evaluators(same), concurrency = 256)]
async fn noop_100_000(_text: &str, tracer: &Tracer) -> &'static str {
    drop(tracer.start_span("work"));
    "ok"
}

#[experiment(dataset = hundred_thousand, evaluators(same), concurrency = 256)]
fn sync_100_000(_text: &str, tracer: &Tracer) -> &'static str {
    drop(tracer.start_span("work"));
    "ok"
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("bare") => bare(),
        Some("bare-requests") => bare_requests(&arguments[1]),
        // `cargo bench` and `cargo test` pass these flags.
        None | Some("--bench" | "--test") => measure(&arguments),
        Some(_) => {
            let code = honeyhive_harness::__private::run(&honeyhive_harness::__private::Built {
                file: file!(),
                crate_name: module_path!(),
                package: option_env!("CARGO_PKG_NAME"),
                manifest_dir: option_env!("CARGO_MANIFEST_DIR"),
                target_tmpdir: option_env!("CARGO_TARGET_TMPDIR"),
                never_run: &[],
            });
            report_usage();
            code
        }
    }
}

/// Runs the loop that the harness is compared with: the same calls and nothing else.
fn bare() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let right = runtime.block_on(async {
        let places = Arc::new(tokio::sync::Semaphore::new(CONCURRENCY));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..CALLS {
            let place = Arc::clone(&places).acquire_owned().await.unwrap();
            tasks.spawn(async move {
                let answer = call().await.unwrap();
                drop(place);
                answer == "ok"
            });
        }
        tasks.join_all().await.into_iter().filter(|right| *right).count()
    });
    assert_eq!(right, CALLS);
    report_usage();
    ExitCode::SUCCESS
}

/// Sends the requests of an upload, recorded in a file, with reqwest alone.
fn bare_requests(file: &str) -> ExitCode {
    let requests: Vec<Request> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let places = Arc::new(tokio::sync::Semaphore::new(UPLOADS));
        let mut tasks = tokio::task::JoinSet::new();
        for Request { method, path, headers, body } in requests {
            let place = Arc::clone(&places).acquire_owned().await.unwrap();
            tasks.spawn(async move {
                let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
                let mut request = CLIENT.request(method, format!("{}{path}", url())).body(body);
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                let answer = request.send().await.unwrap().bytes().await.unwrap();
                drop(place);
                assert_eq!(answer, "{}");
            });
        }
        tasks.join_all().await;
    });
    report_usage();
    ExitCode::SUCCESS
}

/// Prints the processor time and peak memory of this process, for the measuring process.
fn report_usage() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.split_whitespace().next()).unwrap_or("0");
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().collect())
        .unwrap_or_default();
    let ticks: u64 =
        fields.iter().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    eprintln!("usage {} {peak}", ticks * 10);
}

/// The time and memory that a process took.
#[derive(Clone, Copy, Default)]
struct Took {
    wall: f64,
    cpu: f64,
    peak_mb: f64,
}

/// The reports that are written by default.
const REPORTS: (&str, &str) = ("HH_REPORT", "html,md,junit,json");

fn run(arguments: &[&str], url: &str) -> Took {
    run_with(arguments, &[("BENCH_URL", url)])
}

/// Runs this binary without reports, whose cost is measured separately.
fn run_with(arguments: &[&str], variables: &[(&str, &str)]) -> Took {
    let journal = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("HH_DIR", journal.path()).env("HH_REPORT", "none").env_remove("CI");
    took(command.args(arguments).envs(variables.iter().copied()))
}

/// Runs a program that prints its usage at the end.
fn took(command: &mut Command) -> Took {
    let started = Instant::now();
    let output = command.stdout(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    let wall = started.elapsed().as_secs_f64();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let usage = text.lines().find_map(|line| line.strip_prefix("usage ")).unwrap();
    let mut numbers = usage.split_whitespace().filter_map(|number| number.parse::<f64>().ok());
    let cpu = numbers.next().unwrap() / 1000.0;
    Took { wall, cpu, peak_mb: numbers.next().unwrap() / 1024.0 }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn medians(runs: &[Took]) -> Took {
    Took {
        wall: median(runs.iter().map(|took| took.wall).collect()),
        cpu: median(runs.iter().map(|took| took.cpu).collect()),
        peak_mb: median(runs.iter().map(|took| took.peak_mb).collect()),
    }
}

fn measure(arguments: &[String]) -> ExitCode {
    if arguments.iter().any(|argument| argument == "--test") {
        return ExitCode::SUCCESS;
    }
    let url = serve();
    let (mut bare, mut harness, mut reporting) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(run(&["bare"], &url));
        harness.push(run(&["http::", "-q"], &url));
        reporting.push(run_with(&["http::", "-q"], &[("BENCH_URL", &url), REPORTS]));
    }
    let ratios =
        bare.iter().zip(&harness).map(|(bare, harness)| harness.wall / bare.wall).collect();
    println!("{CALLS} calls of {ANSWER_AFTER:?}, {CONCURRENCY} at once, medians of {ROUNDS}");
    println!("  bare loop   {:.2} s", medians(&bare).wall);
    println!("  harness     {:.2} s, {:.0} MB", medians(&harness).wall, medians(&harness).peak_mb);
    println!("  ratio       {:.3}", median(ratios));
    let reports =
        reporting.iter().zip(&harness).map(|(with, without)| with.wall - without.wall).collect();
    println!("  its reports {:.2} s more", median(reports));
    println!("no-op cases, one evaluator, three spans, journal on, medians of {ROUNDS}");
    for (name, count) in
        [("noop_1_000::", 1_000.0), ("noop_100_000::", 100_000.0), ("sync_100_000::", 100_000.0)]
    {
        let runs: Vec<Took> = (0..ROUNDS).map(|_| run(&[name, "-q"], &url)).collect();
        // The cost of a run of one case, which reads the same dataset, is subtracted. A name that no
        // case has would make the harness read all datasets, to say that it is unknown.
        let first = format!("{name}row-000000");
        let one: Vec<Took> = (0..ROUNDS).map(|_| run(&["--exact", &first, "-q"], &url)).collect();
        let (took, one) = (medians(&runs), medians(&one));
        println!(
            "  {name:<16} {:>5.0} µs CPU per case, {:.2} s wall, {:.0} MB",
            (took.cpu - one.cpu) * 1e6 / (count - 1.0),
            took.wall,
            took.peak_mb
        );
    }
    measure_upload(&url);
    measure_python();
    ExitCode::SUCCESS
}

/// Measures the cost of uploading the same cases to a server on this machine.
fn measure_upload(url: &str) {
    let (server, recorded) = serve_json();
    let sending = [("HH_API_KEY", "hh_bench_key_0123456789"), ("HH_API_URL", server.as_str())];
    run_with(&["noop_1_000::", "-q"], &sending);
    let requests = recorded.lock().unwrap().take().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    serde_json::to_writer(&file, &requests).unwrap();
    let nothing = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&nothing, "[]").unwrap();
    let bare = |file: &tempfile::NamedTempFile| {
        run(&["bare-requests", &file.path().to_string_lossy()], &server).cpu
    };
    let (mut local, mut sent, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        local.push(run(&["noop_1_000::", "-q"], url));
        sent.push(run_with(&["noop_1_000::", "-q"], &sending));
        alone.push((bare(&file) - bare(&nothing)) * 1e3);
    }
    let more = local.iter().zip(&sent).map(|(local, sent)| (sent.cpu - local.cpu) * 1e3).collect();
    println!("1,000 no-op cases, sent to a server on this machine, medians of {ROUNDS}");
    println!("  local       {:.3} s wall", medians(&local).wall);
    println!("  sent        {:.3} s wall", medians(&sent).wall);
    println!("  more CPU    {:.0} µs per attempt", median(more));
    println!(
        "  the same {:.2} requests per attempt by reqwest alone: {:.0} µs CPU",
        requests.len() as f64 / 1e3,
        median(alone)
    );
}

/// Measures the same cases with HoneyHive's Python SDK, if it can be installed.
fn measure_python() {
    let Some(python) = needs::python_package(needs::PYTHON_SDK) else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/overhead.py");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let fake = Fake::builder().lenient().start();
        let address = fake.url();
        let sending = [
            ("HH_API_KEY", fake.key()),
            ("HH_API_URL", address.as_str()),
            ("HH_FLUSH_TIMEOUT", "120"),
        ];
        ours.push(run_with(&["noop_1_000::", "-q"], &sending));
        drop(fake);
        let fake = Fake::builder().lenient().start();
        let mut command = Command::new(&python);
        command.arg(script).arg("1000").env("HH_API_KEY", fake.key());
        theirs.push(took(command.env("HH_API_URL", fake.url())));
    }
    println!("1,000 no-op cases, sent to the HoneyHive of the tests, medians of {ROUNDS}");
    for (name, runs) in [("harness", &ours), ("Python SDK", &theirs)] {
        let Took { wall, cpu, peak_mb } = medians(runs);
        println!("  {name:<12} {wall:>6.2} s wall, {cpu:>6.2} s CPU, {peak_mb:.0} MB");
    }
}

/// A request in the form in which the server received it.
#[derive(serde::Serialize, serde::Deserialize)]
struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// The requests of the first run, until they are taken out.
type Recorded = Arc<Mutex<Option<Vec<Request>>>>;

/// Starts a server that answers `{}` to all requests at once, with a thread per connection.
fn serve_json() -> (String, Recorded) {
    let recorded: Recorded = Arc::new(Mutex::new(Some(Vec::new())));
    let all = Arc::clone(&recorded);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let all = Arc::clone(&all);
            std::thread::spawn(move || answer_json(stream, &all));
        }
    });
    (url, recorded)
}

/// The headers that a client sets by itself.
const OWN: [&str; 3] = ["host", "content-length", "accept"];

fn read_request(head: &str, body: &[u8]) -> Request {
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .filter(|(name, _)| !OWN.contains(&name.as_str()))
        .collect();
    Request { method, path, headers, body: body.to_owned() }
}

fn answer_json(mut stream: TcpStream, all: &Recorded) {
    let mut request = Vec::new();
    let mut chunk = vec![0; 1 << 16];
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        request.extend_from_slice(&chunk[..read]);
        while let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).into_owned();
            let lower = head.to_ascii_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
            if request.len() < end + 4 + length {
                break;
            }
            if let Some(all) = &mut *all.lock().unwrap() {
                all.push(read_request(&head, &request[end + 4..end + 4 + length]));
            }
            request.drain(..end + 4 + length);
            let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
            if stream.write_all(response).is_err() {
                return;
            }
        }
    }
}

/// Starts a server that answers `ok` to all requests after a delay; it has its own thread and
/// runtime.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream));
            }
        });
    });
    // The first connection waits until the server listens.
    let mut probe =
        TcpStream::connect(url.trim_start_matches("http://").trim_end_matches('/')).unwrap();
    probe.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let _ = probe.read(&mut [0; 16]).unwrap();
    url
}

async fn answer(mut stream: tokio::net::TcpStream) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut request = Vec::new();
    let mut chunk = [0; 1024];
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        request.extend_from_slice(&chunk[..read]);
        while let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            request.drain(..end + 4);
            tokio::time::sleep(ANSWER_AFTER).await;
            let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            if stream.write_all(response).await.is_err() {
                return;
            }
        }
    }
}
