//! Tests the attributes in an editor: rust-analyzer renames, finds, explains and runs the names in
//! them.

// A panic is the failure of a test.
#![allow(clippy::unwrap_used)]

mod lsp;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use honeyhive_tests::{Project, fetch_crates, needs};
use lsp::{Place, Range, Server, list, range};
use serde_json::{Value, json};

const EVALS: &str = include_str!("evals.rs");
const LIBRARY: &str = include_str!("library.rs");

/// The files of the project that an editor has open.
const FILES: [(&str, &str); 2] = [("tests/evals.rs", EVALS), ("src/lib.rs", LIBRARY)];

const MANIFEST: &str = "
[dependencies]
honeyhive-harness = { path = 'HARNESS' }
";

fn project() -> Project {
    Project::with_evals("editors", EVALS).file("src/lib.rs", LIBRARY).manifest(MANIFEST)
}

/// Returns the place in the code with a `|`: `at("mean(|correct")` is before `correct`.
fn at(text: &str) -> (&'static str, Place) {
    let needle = text.replacen('|', "", 1);
    let mut found = FILES.into_iter().flat_map(|(file, source)| {
        source.match_indices(&needle).map(move |(offset, _)| (file, source, offset))
    });
    let (Some((file, source, offset)), None) = (found.next(), found.next()) else {
        panic!("not exactly once in the files: {needle}");
    };
    let before = &source[..offset + text.find('|').expect("a mark")];
    let line = before.matches('\n').count();
    (file, (line, before.len() - before.rfind('\n').map_or(0, |end| end + 1)))
}

/// Returns the name at a place.
fn word(source: &str, (line, column): Place) -> &str {
    let rest = &source.lines().nth(line).unwrap()[column..];
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap()
}

fn source(file: &str) -> &'static str {
    FILES.iter().find(|(name, _)| *name == file).map(|(_, source)| *source).unwrap()
}

/// Returns the places of a word in the files.
fn occurrences(name: &str) -> BTreeMap<&'static str, Vec<Range>> {
    let mut places: BTreeMap<&'static str, Vec<Range>> = BTreeMap::new();
    for (file, source) in FILES {
        for (line, text) in source.lines().enumerate() {
            for (column, _) in text.match_indices(name) {
                let starts = !text[..column].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                if starts && word(source, (line, column)) == name {
                    let place = ((line, column), (line, column + name.len()));
                    places.entry(file).or_default().push(place);
                }
            }
        }
    }
    places
}

struct Editor(Server);

impl Editor {
    /// Returns the places that a rename changes, all to the new name.
    fn rename(&mut self, text: &str) -> BTreeMap<&'static str, Vec<Range>> {
        let (file, place) = at(text);
        let answer =
            self.0.ask("textDocument/rename", file, place, &json!({"newName": "another_name"}));
        let mut places: BTreeMap<&'static str, Vec<Range>> = BTreeMap::new();
        for change in list(&answer["documentChanges"]) {
            let uri = &change["textDocument"]["uri"];
            let (file, _) =
                FILES.into_iter().find(|(name, _)| self.0.address(name) == *uri).unwrap();
            for edit in list(&change["edits"]) {
                assert_eq!(edit["newText"], "another_name", "rename at {text}");
                places.entry(file).or_default().push(range(&edit["range"]));
            }
        }
        for places in places.values_mut() {
            places.sort_unstable();
        }
        places
    }

    /// Returns the definitions of the name at a place: the file, and its text from there to the end
    /// of the line.
    fn definitions(&mut self, text: &str) -> Vec<String> {
        let (file, place) = at(text);
        let answer = self.0.ask("textDocument/definition", file, place, &json!({}));
        list(&answer)
            .map(|link| {
                let uri = link["targetUri"].as_str().unwrap();
                let (start, _) = range(&link["targetSelectionRange"]);
                let found = FILES.into_iter().find(|(name, _)| self.0.address(name) == uri);
                let Some((file, source)) = found else { return uri.to_owned() };
                let line = source.lines().nth(start.0).unwrap();
                format!("{file}: {}|{}", &line[..start.1], &line[start.1..]).replace("    ", "")
            })
            .collect()
    }

    fn hover(&mut self, text: &str) -> String {
        let (file, place) = at(text);
        let answer = self.0.ask("textDocument/hover", file, place, &json!({}));
        answer["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    /// Returns the runnables of a file: the function, and the arguments for cargo and for the
    /// binary.
    fn runnables(&mut self, file: &str) -> String {
        let answer = self.0.ask_about("experimental/runnables", file);
        let words =
            |value: &Value| list(value).filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
        let mut text = String::new();
        for runnable in list(&answer) {
            let Some(place) = runnable.get("location") else { continue };
            let (start, _) = range(&place["targetSelectionRange"]);
            let args = &runnable["args"];
            let _ = writeln!(
                text,
                "{} at `{}`: {} -- {}",
                runnable["label"].as_str().unwrap(),
                word(source(file), start),
                words(&args["cargoArgs"]),
                words(&args["executableArgs"]),
            );
        }
        text
    }
}

fn start() -> Option<Editor> {
    let program = needs::rust_analyzer()?;
    fetch_crates();
    let project = project();
    project.write();
    let mut server = Server::start(project.command(program), &project.directory());
    for (file, text) in FILES {
        server.open(file, text);
    }
    Some(Editor(server))
}

#[test]
fn rust_analyzer_finds_its_way_through_the_attributes() {
    let Some(mut editor) = start() else { return };
    for (file, _) in FILES {
        assert_eq!(editor.0.diagnostics(file), [Value::Null; 0], "{file}");
    }
    renames(&mut editor);
    definitions(&mut editor);
    hovers(&mut editor);
    insta::assert_snapshot!(editor.runnables("tests/evals.rs"), @"
    test-mod  at ``: test --package editors --test evals --  --nocapture
    test detect_language at `detect_language`: test --package editors --test evals -- detect_language --exact --nocapture
    test-mod nested at `nested`: test --package editors --test evals -- nested --nocapture
    test nested::detect_later at `detect_later`: test --package editors --test evals -- nested::detect_later --exact --nocapture
    run evals at `honeyhive_harness`: test --package editors --test evals --
    ");
    assert_eq!(editor.runnables("src/lib.rs"), "");

    // The arguments are those that an editor's buttons use.
    let project = project();
    for (filter, experiment) in [
        (&["detect_language", "--exact"][..], "detect_language"),
        (&["nested::detect_later", "--exact"], "detect_later"),
        (&["nested"], "detect_later"),
    ] {
        let run = project.evals(filter.iter().copied()).arguments(["--nocapture"]).run();
        assert_eq!(run.code, Some(0), "{}", run.output());
        let mut tests: Vec<String> = run.cases().into_iter().map(|case| case.test).collect();
        // The journal has the tests in the order in which they ended.
        tests.sort();
        let wanted: Vec<String> = (1..=3).map(|n| format!("{experiment}::row-{n}")).collect();
        assert_eq!((tests, run.gates().len()), (wanted, 1), "{}", run.output());
    }

    // The same request finds the error in wrong code.
    let wrong = EVALS.replacen("mean(correct)", "mean(corect)", 1);
    editor.0.change("tests/evals.rs", &wrong);
    let found = editor.0.diagnostics("tests/evals.rs");
    let text = found.iter().filter_map(|one| one["message"].as_str()).collect::<String>();
    assert!(
        text.contains("`corect` is not in `evaluators(..)`; did you mean `correct`?"),
        "{text}"
    );
}

/// Checks that a rename from any place changes all places of the name, and nothing else. (In an
/// import, rust-analyzer gives every name an alias instead.)
fn renames(editor: &mut Editor) {
    for (name, places) in [
        ("detect_language", &["fn |detect_language", "correct, |detect_language, rows"][..]),
        ("detect_later", &["fn |detect_later"]),
        (
            "correct",
            &[
                "fn |correct",
                "evaluators(|correct, strict",
                "require(|correct, brief",
                "reduce(|correct",
                "mean(|correct) >= 0.9,\n        pass_rate",
                "no_regression(|correct",
                "evaluators(|correct), gate",
                ".with(|correct {}",
            ],
        ),
        (
            "brief",
            &[
                "fn |brief",
                "checks::|brief(most",
                "correct, |brief)",
                "pass_rate(checks::|brief",
                "checks::|brief {",
            ],
        ),
        ("long_enough", &["fn |long_enough", "strict = |long_enough", "with(|long_enough"]),
        ("strict", &["|strict = long", "pass_rate(|strict"]),
        ("most", &["|most: usize", "brief(|most", "{ |most: 80"]),
        ("least", &["|least: usize", "settings(|least", "(|least = 2", "{ |least: 2"]),
        ("rows", &["fn |rows", "dataset = |rows,\n"]),
        ("checks", &["mod |checks", "2), |checks::brief", "pass_rate(|checks"]),
    ] {
        let wanted = occurrences(name);
        for place in places {
            assert_eq!(editor.rename(place), wanted, "rename at {place}");
        }
    }
}

/// Checks that each name leads to one definition.
fn definitions(editor: &mut Editor) {
    for (place, definition) in [
        ("evaluators(|correct, strict", "tests/evals.rs: fn |correct("),
        ("require(|correct, brief", "tests/evals.rs: fn |correct("),
        ("reduce(|correct", "tests/evals.rs: fn |correct("),
        ("no_regression(|correct", "tests/evals.rs: fn |correct("),
        ("{|correct, detect_language", "tests/evals.rs: fn |correct("),
        ("fn |correct", "tests/evals.rs: fn |correct("),
        ("checks::|brief(most", "tests/evals.rs: pub(crate) async fn |brief("),
        ("correct, |brief)", "tests/evals.rs: pub(crate) async fn |brief("),
        ("pass_rate(checks::|brief", "tests/evals.rs: pub(crate) async fn |brief("),
        ("strict = |long_enough", "src/lib.rs: pub fn |long_enough("),
        ("pass_rate(|strict", "tests/evals.rs: evaluators(correct, |strict = "),
        (
            "brief(|most",
            "tests/evals.rs: pub(crate) async fn brief(output: &str, #[setting] |most: ",
        ),
        ("(|least = 2", "src/lib.rs: pub fn long_enough(output: &str, |least: "),
        ("settings(|least", "src/lib.rs: pub fn long_enough(output: &str, |least: "),
        ("dataset = |rows,\n", "tests/evals.rs: fn |rows("),
        ("fn |detect_language", "tests/evals.rs: fn |detect_language("),
        ("fn |detect_later", "tests/evals.rs: async fn |detect_later("),
        ("|detect_language(text).unwrap", "tests/evals.rs: fn |detect_language("),
    ] {
        let found = editor.definitions(place);
        assert!(
            matches!(&found[..], [one] if one.starts_with(definition)),
            "{place} leads to {found:#?} instead of {definition}"
        );
    }
}

/// Checks that each name shows the signature and the documentation of its definition.
fn hovers(editor: &mut Editor) {
    let correct = "fn correct(output: &str, ground_truth: &str) -> bool";
    let brief = "async fn brief(output: &str, most: usize) -> bool";
    let detect = "fn detect_language(text: &str) -> Result<String, String>";
    for (place, signature, doc) in [
        ("fn |correct", correct, "Returns whether it named the right language."),
        ("evaluators(|correct, strict", correct, "Returns whether it named the right language."),
        (
            "mean(|correct) >= 0.9,\n        pass_rate",
            correct,
            "Returns whether it named the right",
        ),
        ("require(|correct, brief", correct, "Returns whether it named the right language."),
        ("correct, |brief)", brief, "Returns whether the answer is short."),
        ("strict = |long_enough", "pub fn long_enough(", "enough characters."),
        ("fn |detect_language", detect, "Names the language."),
        ("(|least = 2", "least: usize", ""),
        ("pass_rate(|strict", "long_enough", ""),
    ] {
        let text = editor.hover(place);
        assert!(text.contains(signature) && text.contains(doc), "{place} shows:\n{text}");
        assert!(!text.contains("__"), "{place} shows what the macros made:\n{text}");
    }
}
