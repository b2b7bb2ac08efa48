//! Runs whose reports are tested: a failing one, a good one, and one with output that tries to
//! break the format of the reports.

mod probe;

use honeyhive_harness::{Datapoint, Score, evaluator, experiment};

fn numbers() -> impl Iterator<Item = Datapoint> {
    (0..4).map(|n| {
        Datapoint::new().id(format!("n{n}")).input("n", n).ground_truth(n).tag("small")
    })
}

#[evaluator]
fn right(output: u32, ground_truth: u32) -> bool {
    output == ground_truth
}

#[evaluator]
fn distance(output: u32, ground_truth: u32) -> f64 {
    f64::from(output.abs_diff(ground_truth))
}

#[experiment(
    dataset = numbers,
    evaluators(right, distance),
    gate(mean(right) >= 0.9, error_rate <= 0.1),
    baseline = "data/fails.json",
)]
fn fails(n: u32) -> Result<u32, String> {
    match n {
        0 => Err("nothing".to_owned()),
        1 => Ok(7),
        n => Ok(n),
    }
}

/// An experiment like the one above, with a baseline that a test writes.
#[experiment(
    dataset = numbers,
    evaluators(right),
    gate(mean(right) >= 0.1, error_rate <= 0.5),
    baseline = "data/accepted.json",
)]
fn moved(n: u32) -> Result<u32, String> {
    match n {
        0 => Err("nothing".to_owned()),
        3 => Ok(n),
        _ => Ok(7),
    }
}

#[experiment(dataset = numbers, evaluators(right))]
fn good(n: u32) -> u32 {
    n
}

/// Texts that may end an element, a code block or a line, or disturb a terminal.
const HOSTILE: [&str; 8] = [
    "</failure></testcase>]]><testcase name=\"forged\"/>",
    "``` \n````\n# heading ![x](http://evil.example/a.png) <img src=x onerror=alert(1)>",
    "\u{0}\u{1}\u{b}\u{1b}[31mred\u{1b}]0;title\u{7}",
    "\u{202e}gnp.exe\u{2066}\u{200f}",
    "-->\n::error file=a,line=1::forged\n::set-output name=a::b",
    "| a | b |\n|---|---|\n@everyone #1 GH-1",
    "\u{fffe}\u{ffff}&amp;&#0;%0A%25",
    "<!-- honeyhive: other/target -->",
];

fn texts() -> impl Iterator<Item = Datapoint> {
    let long = std::iter::once("`<\u{1b}x".repeat(1 << 18));
    HOSTILE.iter().map(|text| (*text).to_owned()).chain(long).map(|text| {
        Datapoint::new().id(text.chars().take(40).collect::<String>()).input("text", text)
    })
}

#[evaluator]
fn sane(output: &str) -> Score {
    Score::new(false).label(output).explanation(output)
}

#[experiment(dataset = texts, evaluators(sane), tags("<b>"), metadata(model = "</script>"))]
fn hostile(text: &str) -> String {
    text.to_owned()
}

#[experiment(dataset = texts, evaluators(sane))]
fn hostile_error(text: &str) -> Result<String, String> {
    Err(text.to_owned())
}

fn one() -> [Datapoint; 1] {
    [Datapoint::new().id("one").ground_truth(1)]
}

/// Puts a file in the place of the directory for reports.
#[experiment(dataset = one, evaluators(right))]
fn in_the_way() -> std::io::Result<u32> {
    let root = std::env::var("HH_DIR").unwrap_or_default();
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            std::fs::write(entry.path().join("report"), "a file")?;
        }
    }
    Ok(1)
}

honeyhive_harness::main!();
