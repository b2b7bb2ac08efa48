//! Renders the report for a browser: one file, which loads nothing from anywhere.
//!
//! The page can be read without its script: it has the verdict, what changed, every evaluator, and the
//! cases that need attention. The script (`report.js` and its neighbours) adds filters, sorting, the
//! drawer of a case and keys. It gets the cases as JSON, and makes elements and text of them, never
//! markup.
//!
//! The content security policy allows only the script and the styles of this page, by their hashes, and
//! no loading from anywhere. In addition all text of others is escaped ([`escape`]).

mod cases;
mod chart;
mod data;
mod escape;
mod evaluators;
mod footer;
mod head;
mod limits;
mod traces;

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use crate::outcome::{Document, Experiment};

const STYLE: &str = concat!(
    include_str!("page.css"),
    include_str!("table.css"),
    include_str!("drawer.css"),
    include_str!("narrow.css"),
);

const SCRIPT: &str = concat!(
    "'use strict';\n(() => {\n",
    include_str!("text.js"),
    include_str!("diff.js"),
    include_str!("state.js"),
    include_str!("table.js"),
    include_str!("spans.js"),
    include_str!("drawer.js"),
    include_str!("keys.js"),
    "})();\n",
);

/// The elements that the script fills: the drawer of a case, and the list of keys.
const DIALOGS: &str = include_str!("dialogs.html");

/// Returns the report of an invocation, as a whole page.
pub(crate) fn render(document: &Document<'_>) -> Vec<u8> {
    let longest = limits::longest(document);
    let (style, script) = (compact(STYLE), compact(SCRIPT));
    let traces = traces::write(document);
    let title = escape::text(&head::title(document));
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{} {title}</title>\n<style>{style}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#cases0\">Skip to the cases</a>\n",
        policy(&style, &script),
        document.outcome.word(),
    );
    page.push_str(&head::render(document));
    page.push_str("<main>\n");
    for (index, experiment) in document.experiments.iter().enumerate() {
        page.push_str(&section(document, experiment, index));
    }
    page.push_str("</main>\n");
    page.push_str(&footer::render(document, longest, traces.left_out));
    page.push_str(DIALOGS);
    page.push_str("<script type=\"application/json\" id=\"data\">");
    let mut page = page.into_bytes();
    data::push(&mut page, document, longest);
    page.extend_from_slice(b"</script>\n");
    page.extend_from_slice(&traces.html);
    page.extend_from_slice(format!("<script>{script}</script>\n</body>\n</html>\n").as_bytes());
    page
}

/// Returns the content security policy: nothing is loaded, and only this style and script are allowed.
fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| {
        let digest = Sha256::digest(text.as_bytes());
        format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest))
    };
    format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'",
        hash(style),
        hash(script)
    )
}

/// Removes indentation, empty lines, and lines that are comments.
fn compact(source: &str) -> String {
    let lines = source.lines().map(str::trim_start);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn section(document: &Document<'_>, experiment: &Experiment<'_>, index: usize) -> String {
    let mut html = format!("<section class=\"experiment\" id=\"x{index}\">\n");
    // The heading of the page has the name where there is one experiment.
    html.push_str(&head::experiment(experiment, document.experiments.len() > 1));
    html.push_str(&evaluators::render(experiment));
    html.push_str(&cases::render(experiment, index));
    html.push_str("</section>\n");
    html
}

/// Returns a text as it stands in the page.
#[cfg(all(test, feature = "cli"))]
pub(super) fn escaped(text: &str) -> String {
    escape::text(text)
}

/// Returns the sign of a state, since not everyone can tell colours apart.
fn sign(name: &str) -> &'static str {
    match name {
        "pass" => "✔",
        "miss" => "–",
        "fail" => "✘",
        "error" => "!",
        "unscored" => "?",
        _ => "⊘",
    }
}

#[cfg(test)]
mod tests;
