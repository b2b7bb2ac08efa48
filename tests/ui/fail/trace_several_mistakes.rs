use honeyhive_harness::trace;

#[trace(event_type = "llm", skip(quesion), nam = "x")]
#[trace]
const fn ask(question: &str) -> usize {
    question.len()
}

fn main() {
    // The function is still there.
    let _ = ask("why");
}
