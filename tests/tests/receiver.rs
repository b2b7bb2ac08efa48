//! Sends spans to an independent receiver: Datadog's test agent, which takes OTLP over HTTP.

// A panic is the failure of a test.
#![allow(clippy::unwrap_used)]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use honeyhive_tests::{Project, needs};
use serde_json::Value;

/// The longest wait for the agent, chosen for a slow machine.
const PATIENCE: Duration = Duration::from_secs(180);

const EVALS: &str = r#"
use honeyhive_harness::{Datapoint, Tracer, evaluator, experiment};

fn rows() -> Vec<Datapoint> {
    (1..=3).map(|n| Datapoint::new().id(format!("n{n}")).input("n", n).ground_truth(n)).collect()
}

#[evaluator]
fn right(output: u32, ground_truth: u32) -> bool {
    output == ground_truth
}

#[experiment(dataset = rows, evaluators(right))]
fn same(n: u32, tracer: &Tracer) -> u32 {
    let span = tracer.start_span("look up");
    span.set_attribute("half", f64::from(n) / 2.0);
    n
}

honeyhive_harness::main!();
"#;

struct Agent {
    child: Child,
    otlp: u16,
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn start(python: &Path) -> Agent {
    let home = python.ancestors().nth(2).unwrap();
    let otlp = free_port();
    // The script of the agent contains the path of a Python that may have moved.
    let mut command = Command::new(python);
    command.arg(home.join("bin/ddapm-test-agent")).args([
        "--host",
        "127.0.0.1",
        "-p",
        &free_port().to_string(),
    ]);
    command.args(["--otlp-http-port", &otlp.to_string()]);
    command.args(["--otlp-grpc-port", &free_port().to_string()]);
    command.args(["--web-ui-port", &free_port().to_string()]);
    command.current_dir(home).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    let mut agent = Agent { child, otlp };
    let begin = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", otlp)).is_err() {
        assert!(begin.elapsed() < PATIENCE, "the test agent does not listen");
        let ended = agent.child.try_wait().unwrap();
        assert!(ended.is_none(), "the test agent ended with {ended:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    agent
}

async fn traces(agent: &Agent) -> Value {
    let url = format!("http://127.0.0.1:{}/test/session/traces", agent.otlp);
    let answer = reqwest::get(url).await.unwrap().bytes().await.unwrap();
    serde_json::from_slice(&answer).unwrap()
}

/// Returns a field by its `snake_case` or `camelCase` name: the agent returns protobuf with one
/// spelling, and JSON as it came.
fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    let camel = parts.fold(first, |mut all, part| {
        all.push_str(&part[..1].to_uppercase());
        all + &part[1..]
    });
    value.get(name).or_else(|| value.get(&camel)).unwrap_or(&Value::Null)
}

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    field(value, name).as_array().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn spans(traces: &Value) -> Vec<&Value> {
    let requests = traces.as_array().unwrap().iter();
    requests
        .flat_map(|request| list(request, "resource_spans"))
        .flat_map(|resource| list(resource, "scope_spans"))
        .flat_map(|scope| list(scope, "spans"))
        .collect()
}

fn attribute<'a>(span: &'a Value, key: &str, kind: &str) -> &'a Value {
    let found = list(span, "attributes").iter().find(|one| one["key"] == key);
    field(&found.unwrap_or_else(|| panic!("no {key} in {span}"))["value"], kind)
}

#[tokio::test]
async fn spans_arrive_with_their_tree_and_types() {
    let Some(python) = needs::python_package(needs::PYTHON_RECEIVER) else { return };
    let agent = start(&python);
    let project = Project::with_evals("receiver", EVALS);
    for protocol in ["http/protobuf", "http/json"] {
        let base = format!("http://127.0.0.1:{}", agent.otlp);
        reqwest::get(format!("{base}/test/session/clear")).await.unwrap();
        let run = project
            .evals([""])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &base)
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
            .env("OTEL_SERVICE_NAME", "languages")
            .run();
        assert_eq!(run.code, Some(0), "{}", run.output());
        assert!(run.stderr.contains("sent 3 attempts to "), "{}", run.output());

        let traces = traces(&agent).await;
        let resource = &list(&traces[0], "resource_spans")[0]["resource"];
        assert_eq!(attribute(resource, "service.name", "string_value"), "languages");
        let spans = spans(&traces);
        assert_eq!(spans.len(), 9, "{protocol}: {traces}");
        for root in spans.iter().filter(|span| span["name"] == "same") {
            let parent = field(root, "parent_span_id").as_str();
            assert!(parent.unwrap_or_default().is_empty(), "{protocol}: {root}");
            let id = field(root, "span_id");
            let below = |span: &&&Value| field(span, "parent_span_id") == id;
            let children: Vec<&&Value> = spans.iter().filter(below).collect();
            assert_eq!(children.len(), 2, "{protocol}");
            let trace = field(root, "trace_id");
            assert!(children.iter().all(|child| field(child, "trace_id") == trace));
            assert_eq!(attribute(root, "honeyhive_metrics.right", "bool_value"), true);
            assert_eq!(attribute(root, "openinference.span.kind", "string_value"), "CHAIN");
            let lookup = children.iter().find(|child| child["name"] == "look up").unwrap();
            assert!(attribute(lookup, "half", "double_value").is_number());
        }
    }
}
