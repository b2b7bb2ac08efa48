//! Draws small SVG images of the distribution of scores, and of their mean and its interval.
//!
//! Sizes and places are attributes, since the page's content security policy forbids inline styles.

use std::fmt::Write as _;

use super::{data, escape};
use crate::outcome::{Case, Evaluated};
use crate::text::{count, number};

/// The number of bins of a histogram.
const BINS: usize = 10;

/// The height of the tallest bar, in pixels.
const HEIGHT: f64 = 40.0;

/// The width of the interval's image, in its own units.
const WIDTH: f64 = 240.0;

/// The most scored cases for which each case is drawn as a dot.
const FEW: usize = 9;

/// The scale of a histogram and its bins.
pub(super) struct Scale {
    low: f64,
    high: f64,
    /// The lower and upper ends of the bins; the last upper end is `high`.
    bins: Vec<(f64, f64)>,
}

/// Returns the scale of an evaluator: its range, else from 0 to 1 where all scores are within it, else
/// from the lowest score to the highest.
pub(super) fn scale(row: &Evaluated<'_>, cases: &[Case<'_>]) -> Option<Scale> {
    let values = || {
        cases
            .iter()
            .filter_map(|case| case.scores.get(row.index))
            .flat_map(|score| score.value().into_iter().chain(score.before))
    };
    let least = values().reduce(f64::min)?;
    let most = values().reduce(f64::max)?;
    let (low, high) = match row.range {
        Some((low, high)) => (low.min(least), high.max(most)),
        None if least >= 0.0 && most <= 1.0 => (0.0, 1.0),
        None if least < most => (least, most),
        None => (least - 0.5, least + 0.5),
    };
    if data::all_are_bools(row, cases) && values().all(|value| is(value, 0.0) || is(value, 1.0)) {
        return Some(Scale { low: 0.0, high: 1.0, bins: vec![(0.0, 0.0), (1.0, 1.0)] });
    }
    let edge = |index: usize| low + (high - low) * index as f64 / BINS as f64;
    let bins = (0..BINS).map(|index| (edge(index), edge(index + 1))).collect();
    Some(Scale { low, high, bins })
}

/// Returns whether two scores are equal; a mean of yes and no may differ by rounding.
fn is(value: f64, other: f64) -> bool {
    (value - other).abs() < 1e-12
}

impl Scale {
    fn bin(&self, value: f64) -> usize {
        if self.bins.len() == 2 {
            return usize::from(value >= 0.5);
        }
        // The bins of the script's filter are half open, too: only the last includes its upper end.
        let found = self.bins.iter().position(|(_, high)| value < *high);
        found.unwrap_or(self.bins.len() - 1)
    }

    fn place(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0) * WIDTH
    }
}

/// Returns the histogram: a button per bin, which sets the score filter.
pub(super) fn histogram(row: &Evaluated<'_>, cases: &[Case<'_>], scale: &Scale) -> String {
    let mut now = vec![0_usize; scale.bins.len()];
    let mut before = vec![0_usize; scale.bins.len()];
    for score in cases.iter().filter_map(|case| case.scores.get(row.index)) {
        if let Some(value) = score.value() {
            now[scale.bin(value)] += 1;
        }
        if let Some(value) = score.before {
            before[scale.bin(value)] += 1;
        }
    }
    let most = now.iter().chain(&before).copied().max().unwrap_or(0).max(1);
    let few = now.iter().sum::<usize>() <= FEW;
    let pairs: usize = before.iter().sum();
    let name = escape::text(&row.record.name);
    let mut html = format!(
        "<div class=\"hist{}\" role=\"group\" aria-label=\"Distribution of {name}\">",
        if scale.bins.len() == 2 { " two" } else { "" }
    );
    for (index, (low, high)) in scale.bins.iter().enumerate() {
        let what = match (scale.bins.len(), index) {
            (2, 0) => "no".to_owned(),
            (2, _) => "yes".to_owned(),
            _ => format!("{} to {}", number(*low), number(*high)),
        };
        let label = count(now[index], "case");
        let label = match pairs {
            0 => format!("{what}: {label}"),
            _ => format!("{what}: {label}, {} before", before[index]),
        };
        let _ = write!(
            html,
            "<button type=\"button\" data-e=\"{}\" data-bin=\"{low}:{high}{}\" \
             aria-pressed=\"false\" title=\"{label}\" aria-label=\"{name} {label}\">",
            row.index,
            if index + 1 == scale.bins.len() { ":last" } else { "" },
        );
        html.push_str(&bar(now[index], (pairs > 0).then_some(before[index]), most, few));
        if scale.bins.len() == 2 {
            let _ = write!(html, "<span>{what}</span>");
        }
        html.push_str("</button>");
    }
    html.push_str("</div>");
    html
}

/// Returns a bar, or a dot per case, with the baseline's bar as an outline.
fn bar(now: usize, before: Option<usize>, most: usize, few: bool) -> String {
    let height = |n: usize| if n == 0 { 0.0 } else { (n as f64 / most as f64 * HEIGHT).max(2.0) };
    let mut svg = format!("<svg viewBox=\"0 0 22 {}\" aria-hidden=\"true\">", HEIGHT + 2.0);
    if few {
        let step = (HEIGHT / most as f64).min(10.0);
        for dot in 0..now {
            let y = HEIGHT + 1.0 - step * (dot as f64 + 0.5);
            let _ = write!(svg, "<circle cx=\"11\" cy=\"{y:.1}\" r=\"{:.1}\"/>", step * 0.45);
        }
    } else {
        let tall = height(now);
        let y = HEIGHT + 1.0 - tall;
        let _ = write!(svg, "<rect x=\"2\" y=\"{y:.1}\" width=\"18\" height=\"{tall:.1}\"/>");
    }
    if let Some(before) = before.filter(|before| *before > 0) {
        let y = HEIGHT + 1.0 - height(before);
        let end = HEIGHT + 1.0;
        let _ = write!(svg, "<path class=\"ghost\" d=\"M1 {end}V{y:.1}H21V{end}\"/>");
    }
    svg.push_str("</svg>");
    svg
}

/// Returns the image of the mean and its interval on the scale of the histogram, with the mean before
/// and the limits of the gate.
pub(super) fn whisker(row: &Evaluated<'_>, scale: &Scale, limits: &[f64]) -> String {
    let Some(measured) = &row.measured else { return String::new() };
    let mut svg = format!(
        "<svg class=\"whisker\" viewBox=\"0 0 {WIDTH} 14\" aria-hidden=\"true\">\
         <path class=\"axis\" d=\"M0 7H{WIDTH}\"/>"
    );
    for limit in limits {
        let x = scale.place(*limit);
        let _ = write!(svg, "<path class=\"limit\" d=\"M{x:.1} 0V14\"/>");
    }
    if let Some(comparison) = row.comparison.as_ref().filter(|one| !one.pairs.is_empty()) {
        let x = scale.place(comparison.before);
        let _ = write!(svg, "<path class=\"before\" d=\"M{x:.1} 2V12\"/>");
    }
    if let Some((low, high)) = measured.interval() {
        let (low, high) = (scale.place(low), scale.place(high));
        let _ = write!(svg, "<path class=\"range\" d=\"M{low:.1} 7H{high:.1}\"/>");
    }
    let x = scale.place(measured.mean);
    let _ = write!(svg, "<circle cx=\"{x:.1}\" cy=\"7\" r=\"3.5\"/></svg>");
    svg
}

/// Returns the ends of the scale, and the legend of the coloured ticks.
pub(super) fn legend(scale: &Scale, limits: &[f64]) -> String {
    let (low, high) = (number(scale.low), number(scale.high));
    let mut html = format!("<p class=\"ends\"><span>{low}</span>");
    if !limits.is_empty() {
        let limits: Vec<String> = limits.iter().map(|limit| number(*limit)).collect();
        let _ = write!(
            html,
            "<span><svg class=\"tick\" viewBox=\"0 0 8 10\" aria-hidden=\"true\"><path \
             d=\"M4 0V10\"/></svg> gate: {}</span>",
            limits.join(", ")
        );
    }
    let _ = write!(html, "<span>{high}</span></p>");
    html
}
