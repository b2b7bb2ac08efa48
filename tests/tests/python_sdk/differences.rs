//! Lists every intended difference, with its reason.

/// A fact of the Python SDK and that of this crate: `*` stands for any text, `–` for no fact.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The place of the fact in a call or span.
    pub(crate) place: &'static str,
    pub(crate) theirs: &'static str,
    pub(crate) ours: &'static str,
    /// The reason, for the documentation.
    pub(crate) why: &'static str,
}

const fn row(
    place: &'static str,
    theirs: &'static str,
    ours: &'static str,
    why: &'static str,
) -> Difference {
    Difference { place, theirs, ours, why }
}

/// The differences; the first row that matches counts.
pub(crate) const DIFFERENCES: &[Difference] = &[
    row(
        "GET /v1/runs/{id}/result",
        "1 in all",
        "–",
        "Scores are judged here, so a build does not wait for a server that takes its time. `HH_RESULTS=average` asks for its figures, and waits for them as long as `HH_FLUSH_TIMEOUT` says.",
    ),
    row(
        "calls: order of a session",
        "start, traces*",
        "start, events, traces",
        "An attempt is sent as soon as it is on disk, and whole: what came out does not wait for the last datapoint.",
    ),
    row(
        "PUT /events",
        "–",
        "is sent",
        "An output that is no object is wrapped as `{\"result\": ..}`. The Python SDK refuses it, and loses output and ground truth.",
    ),
    row("*: header user-agent", "python-*", "honeyhive-harness/<version>", "Another client."),
    row("*: header hh-client-language", "python", "rust", "Another client."),
    row("*: header hh-client-package", "honeyhive", "honeyhive-harness", "Another client."),
    row("*: header hh-client-version", "1.7.0", "*", "Another client."),
    row("*: header accept-encoding", "*", "–", "Answers are small."),
    row(
        "*: header connection",
        "keep-alive",
        "–",
        "HTTP/1.1 keeps connections without being asked, and here they are used again.",
    ),
    row("*/traces: header accept", "*/*", "application/json", "One client sends everything."),
    row(
        "*/traces: header content-type",
        "application/json",
        "application/x-protobuf",
        "Smaller. `HH_OTLP_PROTOCOL=http/json` is Python's.",
    ),
    row("POST /v1/runs: configuration.repeats", "–", "1", "Datapoints can be run several times."),
    row(
        "POST /v1/runs: metadata.git.remote_url",
        "https://somebody:secret@*",
        "https://git.example/evals.git",
        "Passwords stay here.",
    ),
    row(
        "PUT /v1/runs/{id}: metadata.git.*",
        "–",
        "*",
        "An update may replace the metadata as a whole.",
    ),
    row(
        "POST /session/start: session_id",
        "–",
        "<session of *>",
        "The id is known before the server is asked, so a session can be sent again, and later, without being there twice.",
    ),
    row(
        "POST /session/start: session_name",
        "capital",
        "capital-*",
        "Sessions of one run can be told apart.",
    ),
    row("POST /session/start: metadata.attempt", "–", "1", "Which one, where there are several."),
    row(
        "POST /session/start: metadata.*",
        "–",
        "*",
        "The row's own metadata and its `tags`. They never replace the ids of run, dataset and datapoint.",
    ),
    row(
        "POST /session/start: inputs.history.*",
        "–",
        "*",
        "A row's `history`, which the Python SDK does not send. Where an input has this name, it is in the metadata.",
    ),
    row(
        "POST /session/start: start_time",
        "–",
        "<time>",
        "It began when it ran, not when it was sent.",
    ),
    row("PUT /events: duration", "–", "<time>", "The same."),
    row("PUT /events: end_time", "–", "<time>", "The same."),
    row(
        "PUT /events: metrics.*",
        "–",
        "*",
        "The scores are on the session, too, not only on its first span.",
    ),
    row(
        "PUT /events: metadata.error*",
        "–",
        "*",
        "A session that failed says so, and why: `returned` an error, `panic`, `timeout`.",
    ),
    row(
        "PUT /events: metadata.*",
        "–",
        "*",
        "All of the session's metadata, as it was started with: an update may replace it as a whole.",
    ),
    row(
        "span *: honeyhive.*_id",
        "–",
        "*",
        "The names of HoneyHive's specification, beside `honeyhive_metadata.*_id`, which both have.",
    ),
    row(
        "span *: traceloop.association.properties.*_id",
        "–",
        "*",
        "The same for all ids, not for the session's alone.",
    ),
    row("span *: session.id", "–", "<session of *>", "OpenInference's name."),
    row("span *: openinference.span.kind", "–", "*", "OpenInference's word for the event type."),
    row(
        "span *: honeyhive_metadata.event_*",
        "*",
        "–",
        "Copies of `honeyhive_event_type` and `honeyhive_event_name`, which both have.",
    ),
    row(
        "span *: scope",
        "honeyhive.*",
        "honeyhive-harness *",
        "The address of an object in memory is no name.",
    ),
    row(
        "span capital: honeyhive_inputs.dp",
        "{*",
        "–",
        "The function takes the inputs one by one, not the datapoint with its ground truth.",
    ),
    row("span capital: honeyhive_inputs.*", "–", "*", "The same."),
    row(
        "span capital: honeyhive_feedback.ground_truth",
        "–",
        "*",
        "What was wanted beside what came out.",
    ),
    row("span *: input.*", "–", "*", "OpenInference's names."),
    row("span *: output.*", "–", "*", "OpenInference's names."),
    row(
        "span capital: gen_ai.operation.name",
        "–",
        "invoke_workflow",
        "OpenTelemetry's name for it.",
    ),
    row(
        "span capital: honeyhive_metadata.attempt",
        "–",
        "1",
        "Which one, where there are several.",
    ),
    row(
        "span capital: honeyhive_metadata.*",
        "–",
        "*",
        "The row's own metadata, on the root span as on the session.",
    ),
    row("span capital: test.case.name", "–", "capital::*", "What to give to `cargo test`."),
    row(
        "span evaluator.*",
        "–",
        "is there",
        "Evaluators are called and fail like anything else; each has a span below the function's.",
    ),
    row(
        "span *: status message",
        "ValueError: no such country",
        "no such country",
        "An error in Rust says what it is by itself. Its type is in `error.type`.",
    ),
    row(
        "span *: error.type",
        "–",
        "*",
        "OpenTelemetry's name: the type of the error; on the function's span how it ended.",
    ),
    row(
        "span *: honeyhive_error",
        "–",
        "no such country",
        "On the span that failed. In Python it is on a span of its own.",
    ),
    row("span capital: honeyhive_error_type", "–", "returned", "The same."),
    row("span *: honeyhive_duration_ms", "–", "<time>", "A call that failed took time, too."),
    row("span *_error", "is there", "–", "A second span, in a trace of its own, for each error."),
    row("span *: events", "exception, exception", "exception", "An error is recorded once."),
    row(
        "span *: event exception.type",
        "ValueError",
        "*",
        "The type in Rust; on the function's span how it ended.",
    ),
    row("span *: event exception.escaped", "False", "–", "Out of use in OpenTelemetry."),
    row(
        "span *: event exception.stacktrace",
        "<stack>",
        "–",
        "Errors in Rust have none, unless they bring one in their text.",
    ),
    row(
        "resource: service.name",
        "*",
        "python-sdk",
        "The name of the crate, or `OTEL_SERVICE_NAME`; in Python it depends on the datapoint.",
    ),
    row("resource: telemetry.sdk.language", "python", "rust", "Another language."),
    row("resource: telemetry.sdk.version", "*", "*", "That of the language's OpenTelemetry."),
    row("resource: openinference.project.name", "–", "python-sdk", "OpenInference's name."),
    row(
        "resource: *",
        "*",
        "–",
        "About the machine and the process; in Python it depends on the datapoint.",
    ),
];

/// Returns the table for the documentation.
pub(crate) fn markdown() -> String {
    let code = |text: &str| if text == "–" { "–".to_owned() } else { format!("`{text}`") };
    let mut table = "| where | Python | Rust | why |\n|---|---|---|---|\n".to_owned();
    for Difference { place, theirs, ours, why } in DIFFERENCES {
        let cells = [code(place), code(theirs), code(ours), (*why).to_owned()];
        table.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    table
}
