use honeyhive_harness::trace;

#[trace(skip(quesion, client))]
fn ask(question: &str, limit: usize) -> usize {
    question.len() + limit
}

#[trace(skip(self))]
fn free() {}

#[trace(skip(limit, limit))]
fn again(limit: usize) -> usize {
    limit
}

#[trace(skip("limit", *))]
fn strings(limit: usize) -> usize {
    limit
}

fn main() {}
