//! Reads `JUnit` XML strictly: only elements and attributes of Jenkins' schema in their places, and
//! with correct counts. Properties of a test case are the only extension of that schema; pytest and
//! quick-junit write them in the same way.

use std::fmt::Write as _;

use roxmltree::{Document, Node};

/// The outcome of a test.
#[derive(Debug)]
pub(crate) struct Test {
    name: String,
    /// The element with the outcome: `failure`, `error`, `skipped`, or empty.
    outcome: String,
    message: String,
    properties: Vec<(String, String)>,
}

/// A test suite.
#[derive(Debug)]
pub(crate) struct Suite {
    name: String,
    tests: Vec<Test>,
}

/// The suites of a file.
#[derive(Debug)]
pub(crate) struct Suites {
    pub(crate) suites: Vec<Suite>,
}

/// The known elements: name, parents, and attributes (`!` for required ones).
const ELEMENTS: [(&str, &[&str], &[&str]); 8] = [
    ("testsuites", &[""], &["name", "time", "tests", "failures", "errors"]),
    (
        "testsuite",
        &["testsuites"],
        &["name!", "tests!", "failures!", "errors!", "skipped", "time", "timestamp"],
    ),
    ("properties", &["testsuite", "testcase"], &[]),
    ("property", &["properties"], &["name!", "value!"]),
    ("testcase", &["testsuite"], &["name!", "time", "classname"]),
    ("failure", &["testcase"], &["type", "message"]),
    ("error", &["testcase"], &["type", "message"]),
    ("skipped", &["testcase"], &["type", "message"]),
];

fn check(node: Node<'_, '_>) {
    let name = node.tag_name().name();
    let (_, parents, attributes) =
        ELEMENTS.iter().find(|(known, ..)| *known == name).unwrap_or_else(|| panic!("<{name}>"));
    let parent = node.parent_element().map_or("", |parent| parent.tag_name().name());
    assert!(parents.contains(&parent), "<{name}> in <{parent}>");
    for attribute in node.attributes() {
        let known = attributes.iter().any(|known| known.trim_end_matches('!') == attribute.name());
        assert!(known, "<{name} {}>", attribute.name());
    }
    for needed in attributes.iter().filter_map(|name| name.strip_suffix('!')) {
        assert!(node.has_attribute(needed), "<{name}> without {needed}");
    }
    if let Some(time) = node.attribute("time") {
        // Jenkins' schema accepts digits and a point, and no exponent.
        assert!(time.chars().all(|c| c.is_ascii_digit() || c == '.'), "time=\"{time}\"");
    }
    let texts = ["failure", "error", "skipped"];
    for child in node.children() {
        if child.is_element() {
            check(child);
        } else if !texts.contains(&name) {
            let text = child.text().unwrap_or_default();
            assert!(text.trim().is_empty(), "<{name}> has the text {text:?}");
        }
    }
}

fn number(node: Node<'_, '_>, attribute: &str) -> usize {
    node.attribute(attribute).and_then(|text| text.parse().ok()).expect("a count")
}

fn attribute(node: Node<'_, '_>, name: &str) -> String {
    node.attribute(name).unwrap_or_default().to_owned()
}

fn properties(node: Node<'_, '_>) -> Vec<(String, String)> {
    let of = node.children().filter(|child| child.has_tag_name("properties"));
    let properties = of.flat_map(|child| child.children()).filter(Node::is_element);
    properties.map(|one| (attribute(one, "name"), attribute(one, "value"))).collect()
}

impl Suites {
    /// Reads a file, and checks it against the schema.
    pub(crate) fn read(text: &str) -> Self {
        let document = Document::parse(text).unwrap_or_else(|error| panic!("{error}"));
        check(document.root_element());
        let elements = |node: Node<'_, '_>, name: &'static str| {
            node.children()
                .filter(|child| child.has_tag_name(name))
                .map(|c| c.id())
                .collect::<Vec<_>>()
        };
        let root = document.root_element();
        let mut sums = (0, 0, 0);
        let mut suites = Vec::new();
        for id in elements(root, "testsuite") {
            let suite = document.get_node(id).expect("a node");
            let tests: Vec<Test> = elements(suite, "testcase")
                .into_iter()
                .map(|id| test(document.get_node(id).expect("a node")))
                .collect();
            let of = |outcome: &str| tests.iter().filter(|test| test.outcome == outcome).count();
            let counted = (tests.len(), of("failure"), of("error"), of("skipped"));
            let said = (
                number(suite, "tests"),
                number(suite, "failures"),
                number(suite, "errors"),
                number(suite, "skipped"),
            );
            assert_eq!(counted, said);
            sums = (sums.0 + said.0, sums.1 + said.1, sums.2 + said.2);
            suites.push(Suite { name: attribute(suite, "name"), tests });
        }
        let said = (number(root, "tests"), number(root, "failures"), number(root, "errors"));
        assert_eq!(sums, said);
        Self { suites }
    }

    /// Returns the number of tests.
    pub(crate) fn tests(&self) -> usize {
        self.suites.iter().map(|suite| suite.tests.len()).sum()
    }

    /// Returns the names of the tests, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let tests = self.suites.iter().flat_map(|suite| &suite.tests);
        let mut names: Vec<String> = tests.map(|test| test.name.clone()).collect();
        names.sort_unstable();
        names
    }

    /// Formats the suites, their tests, and the outcome of each.
    pub(crate) fn outline(&self) -> String {
        let mut text = String::new();
        for suite in &self.suites {
            let _ = writeln!(text, "{}", suite.name);
            for Test { name, outcome, message, properties } in &suite.tests {
                let properties: Vec<String> =
                    properties.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let line = format!("  {name} [{}] {outcome} {message}", properties.join(" "));
                let _ = writeln!(text, "{}", line.trim_end());
            }
        }
        text
    }
}

fn test(node: Node<'_, '_>) -> Test {
    let problem: Vec<Node<'_, '_>> = node
        .children()
        .filter(|child| child.is_element() && !child.has_tag_name("properties"))
        .collect();
    assert!(problem.len() <= 1, "one outcome per test");
    Test {
        name: attribute(node, "name"),
        outcome: problem.first().map_or("", |one| one.tag_name().name()).to_owned(),
        message: problem.first().map(|one| attribute(*one, "message")).unwrap_or_default(),
        properties: properties(node),
    }
}
