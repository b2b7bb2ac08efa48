//! Shows the slices of an experiment against the baseline: first whether they differ at all, then each.

use std::fmt::Write as _;

use super::lines::{line, wrapped};
use super::words::signed;
use super::{COLUMNS, DIM};
use crate::gate::correct::p_value;
use crate::journal::{SliceRecord, SlicesRecord};
use crate::text::{number, one_line, pad, thousands, width};

/// The most slices of one comparison that are shown.
pub(super) const MOST: usize = 20;

/// Returns the sentence:
/// `correct by lang: slices differ by no more than chance (Q = 6.1, 7 df, p = 0.53)`
pub(super) fn sentence(one: &SlicesRecord) -> String {
    let how = if one.differ() { "more" } else { "no more" };
    let mut text = format!(
        "{} by {}: slices differ by {how} than chance (Q = {:.1}, {} df, {}",
        one.evaluator,
        one.by,
        one.q,
        thousands(one.df),
        p_value(one.p, SlicesRecord::ALPHA)
    );
    if one.tests > 1 {
        let _ = write!(text, ", corrected for {} tests", one.tests);
    }
    text.push(')');
    text
}

/// Returns the cells of a slice: its name, its number of cases, its gain, and its shrunken gain.
pub(super) fn cells(slice: &SliceRecord) -> [String; 4] {
    [
        slice.slice.clone(),
        thousands(slice.n),
        signed(slice.gain, &number),
        signed(slice.shrunken, &number),
    ]
}

/// The heads of [`cells`].
pub(super) const HEADS: [&str; 4] = ["slice", "n", "gain", "shrunken"];

/// Describes how many slices there are beyond those that are shown; `None` where all are.
pub(super) fn more(one: &SlicesRecord) -> Option<String> {
    let more = one.slices.len().saturating_sub(MOST);
    (more > 0).then(|| format!("and {} more, which gained more", thousands(more)))
}

/// Adds the comparisons to a text for the terminal.
pub(super) fn render(text: &mut String, all: &[SlicesRecord]) {
    for one in all {
        text.push('\n');
        wrapped(text, &sentence(one), 2);
        let rows: Vec<[String; 4]> = one.slices.iter().take(MOST).map(cells).collect();
        let names = rows.iter().map(|row| width(&row[0]));
        let widest = names.max().unwrap_or(0).clamp(5, COLUMNS - 40);
        let [slice, n, gain, shrunken] = HEADS;
        let head = format!("{}  {n:>6}  {gain:>8}  {shrunken:>8}", pad(slice, widest));
        line(text, &format!("    {DIM}{head}{DIM:#}"));
        for [slice, n, gain, shrunken] in &rows {
            let slice = pad(&one_line(slice, widest), widest);
            line(text, &format!("    {slice}  {n:>6}  {gain:>8}  {shrunken:>8}"));
        }
        if let Some(more) = more(one) {
            line(text, &format!("    {DIM}… {more}{DIM:#}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(p: f64, tests: usize) -> SlicesRecord {
        let slice = |name: &str, gain, shrunken| SliceRecord {
            slice: name.to_owned(),
            n: 12,
            gain,
            shrunken,
        };
        SlicesRecord {
            evaluator: "correct".to_owned(),
            by: "lang".to_owned(),
            q: 6.08,
            df: 7,
            p,
            tests,
            slices: vec![slice("lang:de", -0.25, -0.0313), slice("lang:fr", 0.0, 0.01)],
        }
    }

    #[test]
    fn the_sentence_comes_before_any_slice() {
        let mut text = String::new();
        render(&mut text, &[one(0.53, 1)]);
        let lines: Vec<String> = text.lines().map(super::super::screen::unstyled).collect();
        assert_eq!(
            lines,
            [
                "",
                "  correct by lang: slices differ by no more than chance (Q = 6.1, 7 df, p =",
                "  0.53)",
                "    slice         n      gain  shrunken",
                "    lang:de      12     -0.25    -0.031",
                "    lang:fr      12         0     +0.01",
            ]
        );
    }

    #[test]
    fn p_is_on_its_side_of_alpha_and_says_its_tests() {
        let said = |p, tests| sentence(&one(p, tests)).split_once(" by ").expect("by").1.to_owned();
        assert_eq!(
            said(0.0504, 2),
            "lang: slices differ by no more than chance (Q = 6.1, 7 df, p = 0.0504, corrected for 2 tests)"
        );
        assert_eq!(
            said(0.0005, 1),
            "lang: slices differ by more than chance (Q = 6.1, 7 df, p < 0.001)"
        );
    }
}
