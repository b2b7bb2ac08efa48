use honeyhive_harness::trace;

#[trace]
fn number(text: &str) -> u8 {
    text.len()
}

#[trace]
fn nothing(n: u8) -> String {
    let _ = n;
}

#[trace]
async fn awaited(text: &str) -> Result<u8, std::num::ParseIntError> {
    let number: u8 = text.parse()?;
    number
}

fn main() {}
