//! Tests the HTML report in a real browser: every control works by mouse and keyboard, no server is
//! contacted, no output of a model is executed, axe-core finds no fault, and large runs stay
//! usable.

// A panic is the failure of a test.
#![allow(clippy::unwrap_used)]

mod browser;
mod pages;

use honeyhive_harness::__private::report_html;
use honeyhive_tests::needs;

/// The largest size in bytes of a page with 1,000 cases without traces.
const THOUSAND: usize = 300_000;

fn drive(scenario: &str, pages: &[(&str, String)]) {
    if let Some(browser) = needs::browser() {
        browser::drive(&browser, scenario, pages);
    }
}

fn small() -> String {
    report_html(&pages::small(true), Some(&pages::small(false)))
}

#[test]
fn a_thousand_cases_are_a_small_file() {
    let page = report_html(&pages::many(1_000), None);
    assert!(page.len() < THOUSAND, "{} bytes", page.len());
    assert!(page.contains("This is sentence 993, and"), "the last case that failed is not there");
}

#[test]
fn every_control_works_by_mouse_and_by_keys() {
    drive("controls", &[("small", small())]);
}

#[test]
fn an_address_opens_the_same_view() {
    drive("addresses", &[("small", small())]);
}

#[test]
fn each_experiment_has_a_tab() {
    let several = report_html(&pages::several(), None);
    drive(
        "experiments",
        &[("several", several), ("nothing", report_html(&pages::nothing(), None))],
    );
}

#[test]
fn everybody_can_use_it() {
    let several = report_html(&pages::several(), None);
    drive("accessibility", &[("small", small()), ("several", several)]);
}

#[test]
fn it_reads_without_its_script_and_on_paper() {
    drive("plain", &[("small", small())]);
}

#[test]
fn hostile_content_stays_inert() {
    let hostile = pages::hostile();
    drive("hostile", &[("hostile", report_html(&hostile, Some(&hostile)))]);
}

#[test]
fn ten_thousand_cases_stay_usable() {
    drive("many", &[("many", report_html(&pages::many(10_000), None))]);
}
