//! Experiments that put a secret into every place.

mod probe;

use honeyhive_harness::opentelemetry::trace::{Status, TraceContextExt as _};
use honeyhive_harness::{Datapoint, Score, Tracer, evaluator, experiment};

fn secret() -> String {
    std::env::var("SERVICE_API_KEY").unwrap()
}

fn rows() -> impl Iterator<Item = Datapoint> {
    ["output", "error", "panic", "judge"].into_iter().map(|how| {
        Datapoint::new()
            .id(how)
            .input("how", how)
            .input("text", format!("the key is {}", secret()))
            .input(secret(), 1)
            .ground_truth(serde_json::json!({"deep": [{"key": secret()}]}))
            .metadata("note", secret())
            .tag(secret())
    })
}

#[evaluator]
fn explains(output: &str) -> Result<Score, String> {
    probe::note("seen", output.contains(&secret()));
    if output.starts_with("judge") {
        return Err(format!("no judge takes {}", secret()));
    }
    Ok(Score::new(false).label(secret()).explanation(output).metadata("raw", output))
}

#[experiment(dataset = rows, evaluators(explains))]
fn leaks(how: &str, text: &str, tracer: &Tracer) -> anyhow::Result<String> {
    let span = tracer.start_span("call");
    span.set_attribute("authorization", format!("Bearer {}", secret()));
    span.set_attribute("honeyhive_inputs.text", text.to_owned());
    span.add_event(format!("sent {}", secret()), Vec::new());
    span.context().span().set_status(Status::error(secret()));
    match how {
        "error" => anyhow::bail!("denied: {text}"),
        "panic" => panic!("cannot use {:?}", secret()),
        _ => Ok(format!("{how}: {text}")),
    }
}

fn no_rows() -> Result<Vec<Datapoint>, String> {
    Err(format!("cannot log in with {}", secret()))
}

#[experiment(dataset = no_rows, smoke)]
fn unread(text: &str) -> String {
    text.to_owned()
}

honeyhive_harness::main!();
