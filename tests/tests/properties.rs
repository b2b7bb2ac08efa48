//! Tests properties of all inputs, over generated datasets, journals, baselines and JSON, and has a
//! small fuzzer with a corpus of files.
//!
//! All tests are seeded, so a failure can be repeated. `FUZZ_ITERATIONS` raises the number of
//! mutations of each format. An input that fails is written to `corpus/`, and every later run tries
//! it.

// A panic is the failure of a test.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use honeyhive_harness::__private::stats::SplitMix64;
use honeyhive_harness::__private::{Direction, python_json};
use honeyhive_harness::baseline::{
    self, CaseSnapshot, EvaluatorPrint, ScoreSnapshot, Snapshot, changed, collapses, compare,
};
use honeyhive_harness::journal::{
    AttemptRecord, CaseRecord, EndRecord, ExperimentRecord, InvocationRecord, Record, SCHEMA,
    read_invocation, to_lines,
};
use honeyhive_harness::{Datapoint, Dataset};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

fn config(cases: u32) -> Config {
    // With a fixed seed, failures come back without a file that lists them.
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..Config::default() }
}

// ---- what is generated ----

/// The cases of two runs: for each, the number of good attempts and of all attempts in both runs,
/// and whether its row has changed.
type Counts = Vec<((u32, u32), (u32, u32), bool)>;

fn counts(most: u32) -> impl Strategy<Value = Counts> {
    let one = move || (1..=most).prop_flat_map(|of| (0..=of, Just(of)));
    vec((one(), one(), prop::bool::weighted(0.1)), 0..8)
}

/// Creates the two runs, with an evaluator `e` of this direction.
fn two_runs(counts: &Counts, direction: Direction) -> (Snapshot, Snapshot) {
    let snapshot = |pick: &dyn Fn(usize) -> (u32, u32, bool)| Snapshot {
        schema: baseline::SCHEMA,
        evaluators: [("e".to_owned(), EvaluatorPrint { direction, ..Default::default() })].into(),
        cases: (0..counts.len())
            .map(|at| {
                let (good, attempts, other) = pick(at);
                let score = f64::from(good) / f64::from(attempts);
                // When minimizing, a good attempt of `counts` is a bad one.
                let less = direction == Direction::Minimize;
                let good = Some(if less { attempts - good } else { good });
                let score = ScoreSnapshot { score, attempts, good };
                let row = if other { "other" } else { "row" }.to_owned();
                let scores = [("e".to_owned(), score)].into();
                (format!("{at:03}"), CaseSnapshot { row, scores, ..Default::default() })
            })
            .collect(),
        ..Default::default()
    };
    let before = snapshot(&|at| (counts[at].0.0, counts[at].0.1, false));
    let after = snapshot(&|at| (counts[at].1.0, counts[at].1.1, counts[at].2));
    (before, after)
}

fn text() -> impl Strategy<Value = String> {
    let odd = ["", " ", "a", "\"", "\\", "\n", "\r\n", ",", "\u{feff}", "\u{1b}[0m", "null", "007"];
    prop_oneof![
        3 => "[a-z]{0,8}",
        2 => vec(any::<char>(), 0..8).prop_map(String::from_iter),
        1 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("JSON has no such number", |number| {
            number.is_finite().then(|| Value::from(number))
        }),
        text().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            object(inner).prop_map(Value::from),
        ]
    })
}

fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    btree_map(text(), inner, 0..4).prop_map(Map::from_iter)
}

fn row() -> impl Strategy<Value = Datapoint> {
    let id = option::of(text().prop_filter("an id is not empty", |id| !id.is_empty()));
    let parts =
        (id, object(value()), value(), object(value()), vec(text(), 0..3), vec(value(), 0..3));
    parts.prop_map(|(id, inputs, truth, metadata, tags, history)| {
        let mut row = Datapoint::new().ground_truth(truth);
        (row.id, row.inputs, row.metadata, row.tags, row.history) =
            (id, inputs, metadata, tags, history);
        row
    })
}

/// Generates rows whose own ids are unique.
fn rows() -> impl Strategy<Value = Vec<Datapoint>> {
    vec(row(), 1..8).prop_map(|mut rows| {
        let mut seen = BTreeSet::new();
        rows.retain(|row| row.id.as_ref().is_none_or(|id| seen.insert(id.clone())));
        rows
    })
}

fn as_json(row: &Datapoint) -> Value {
    let mut fields = json!({
        "inputs": row.inputs, "metadata": row.metadata, "tags": row.tags, "history": row.history,
        "ground_truth": row.ground_truth,
    });
    if let Some(id) = &row.id {
        fields["id"] = id.as_str().into();
    }
    fields
}

fn json_lines<T: serde::Serialize>(items: &[T]) -> String {
    items.iter().map(|item| serde_json::to_string(item).unwrap() + "\n").collect()
}

/// Writes a file and reads it as a dataset.
fn dataset(name: &str, content: impl AsRef<[u8]>) -> Result<Dataset, String> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, content).unwrap();
    Dataset::from_file(&path).map_err(|fault| fault.to_string())
}

/// Checks that everything but the id is read as it was written.
fn reads_back(dataset: &Dataset, rows: &[Datapoint]) -> Result<(), TestCaseError> {
    prop_assert_eq!(dataset.rows.len(), rows.len());
    for (read, row) in dataset.rows.iter().zip(rows) {
        let datapoint = dataset.datapoint(read).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&datapoint.inputs, &row.inputs);
        prop_assert_eq!(&datapoint.ground_truth, &row.ground_truth);
        prop_assert_eq!(&datapoint.metadata, &row.metadata);
        prop_assert_eq!(&datapoint.tags, &row.tags);
        prop_assert_eq!(&datapoint.history, &row.history);
        if let Some(id) = &row.id {
            prop_assert_eq!(&read.id, id);
        } else {
            let hash = read.id.split('~').next().unwrap_or_default();
            let is_hash = hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit());
            prop_assert!(is_hash, "{} is no hash", read.id);
        }
    }
    names_stay_apart(dataset).map_err(TestCaseError::fail)
}

/// Checks that slugs are unique and fit into the name of a test.
fn names_stay_apart(dataset: &Dataset) -> Result<(), String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "_.~-".contains(c);
    let mut seen = HashMap::new();
    for row in &dataset.rows {
        let slug = row.slug.as_str();
        let body = match slug.rsplit_once('~') {
            Some((body, count)) if count.parse::<u32>().is_ok() => body,
            _ => slug,
        };
        if slug.is_empty() || body.len() > 60 || !slug.chars().all(fine) {
            return Err(format!("`{slug}` is no name of a test"));
        }
        if let Some(other) = seen.insert(slug, &row.id) {
            return Err(format!("two rows are named `{slug}`: {other:?} and {:?}", row.id));
        }
    }
    Ok(())
}

/// Checks the lines of the rows, where each row of the content starts at one of these offsets.
fn lines_are(dataset: &Dataset, content: &str, starts: &[usize]) -> Result<(), TestCaseError> {
    let lines = starts.iter().map(|start| {
        // A single carriage return ends a line, too.
        let before = content[..*start].replace("\r\n", "\n");
        before.matches(['\n', '\r']).count() + 1
    });
    let read = dataset.rows.iter().map(|row| row.line);
    prop_assert_eq!(read.collect::<Vec<_>>(), lines.collect::<Vec<_>>());
    Ok(())
}

fn ids_stay_apart(dataset: &Dataset) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    match dataset.rows.iter().find(|row| !seen.insert(&row.id)) {
        Some(row) => Err(format!("two rows have the id `{}`", row.id)),
        None => Ok(()),
    }
}

// ---- datasets ----

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn json_is_read_as_it_was_written(
        rows in rows(),
        mark in any::<bool>(),
        pretty in any::<bool>(),
    ) {
        let mark = if mark { "\u{feff}" } else { "" };
        let values: Vec<Value> = rows.iter().map(as_json).collect();
        reads_back(&dataset("a.jsonl", format!("{mark}{}", json_lines(&values))).unwrap(), &rows)?;
        let array = Value::from(values);
        let array = if pretty { format!("{array:#}") } else { array.to_string() };
        reads_back(&dataset("a.json", format!("{mark}{array}")).unwrap(), &rows)?;
    }

    #[test]
    fn cells_are_read_as_they_were_written(
        columns in btree_map("[a-z]{1,3}[ /.]?[A-Z]", Just(()), 1..4),
        rows in vec(
            (option::of("[^ ]{1,9}"), vec(text(), 3), text(), object(value()), vec(text(), 0..3)),
            1..8,
        ),
        mark in any::<bool>(),
        windows in any::<bool>(),
        blanks in vec(any::<bool>(), 1..4),
    ) {
        // A NUL byte is a fault of the whole file.
        prop_assume!(!format!("{rows:?}").contains("\\0"));
        let columns: Vec<String> = columns.into_keys().collect();
        let quote = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let mut lines = vec![columns.clone()];
        lines[0].extend(["id", "ground_truth", "metadata", "tags"].map(str::to_owned));
        let mut wanted = Vec::new();
        let mut seen = BTreeSet::new();
        for (id, cells, truth, metadata, tags) in rows {
            // Blanks around an id are padding.
            let id = id.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
            let id = id.filter(|id| seen.insert(id.clone()));
            let mut row = Datapoint::new();
            let mut line = Vec::new();
            for (column, cell) in columns.iter().zip(cells) {
                if !cell.is_empty() {
                    row.inputs.insert(column.clone(), cell.as_str().into());
                }
                line.push(cell);
            }
            line.extend([
                id.clone().unwrap_or_default(),
                truth.clone(),
                Value::from(metadata.clone()).to_string(),
                Value::from(tags.clone()).to_string(),
            ]);
            (row.id, row.metadata, row.tags) = (id, metadata, tags);
            row.ground_truth = Some(Value::from(truth)).filter(|truth| truth != "");
            lines.push(line);
            wanted.push(row);
        }
        let end = if windows { "\r\n" } else { "\n" };
        let mut content = if mark { "\u{feff}".to_owned() } else { String::new() };
        let mut starts = Vec::new();
        for (line, blank) in lines.iter().zip(blanks.into_iter().cycle()) {
            if blank && !starts.is_empty() {
                content.push_str(end);
            }
            starts.push(content.len());
            let cells: Vec<String> = line.iter().map(|cell| quote(cell)).collect();
            content.extend([&cells.join(","), end]);
        }
        let dataset = dataset("a.csv", &content).unwrap();
        reads_back(&dataset, &wanted)?;
        lines_are(&dataset, &content, &starts[1..])?;
    }

    #[test]
    fn names_stay_apart_even_where_ids_look_like_names(
        ids in vec("[ab/ ~2-]{1,4}|[a/]{58,64}", 1..8),
    ) {
        let of = |ids: &BTreeSet<String>| {
            let rows = ids.iter().map(|id| Datapoint::new().id(id.as_str()));
            Dataset::from_datapoints("ids", rows).unwrap()
        };
        let mut ids: BTreeSet<String> = ids.into_iter().collect();
        for row in of(&ids).rows {
            ids.extend([format!("{}~2", row.slug), row.slug]);
        }
        let dataset = of(&ids);
        names_stay_apart(&dataset).map_err(TestCaseError::fail)?;
        ids_stay_apart(&dataset).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn ids_stay_apart_even_where_they_look_like_made_ones(
        rows in vec(prop_oneof![
            2 => (1..6_usize).prop_map(|line| json!({"id": format!("line-{line}")}).to_string()),
            1 => Just("{".to_owned()),
            1 => Just("{}".to_owned()),
            1 => Just(json!({"id": EMPTY_HASH}).to_string()),
            1 => Just(json!({"id": format!("{EMPTY_HASH}~2")}).to_string()),
        ], 1..8),
    ) {
        // Ids that collide are refused or kept distinct.
        if let Ok(dataset) = dataset("a.jsonl", rows.join("\n")) {
            ids_stay_apart(&dataset).map_err(TestCaseError::fail)?;
            names_stay_apart(&dataset).map_err(TestCaseError::fail)?;
        }
    }

    #[test]
    fn ids_made_of_inputs_do_not_change_with_anything_else(
        rows in vec(row(), 2..8),
        others in vec(row(), 0..4),
        truth in value(),
        seed in any::<u64>(),
    ) {
        let bare = |rows: Vec<Datapoint>| {
            let mut seen = BTreeSet::new();
            let mut rows = rows;
            rows.retain(|row| seen.insert(Value::from(row.inputs.clone()).to_string()));
            for row in &mut rows {
                row.id = None;
            }
            rows
        };
        let ids = |rows: &[Datapoint]| -> BTreeMap<String, String> {
            let values: Vec<Value> = rows.iter().map(as_json).collect();
            let dataset = dataset("a.jsonl", json_lines(&values)).unwrap();
            let inputs = rows.iter().map(|row| Value::from(row.inputs.clone()).to_string());
            inputs.zip(dataset.rows.into_iter().map(|row| row.id)).collect()
        };
        let rows = bare(rows);
        let before = ids(&rows);
        prop_assert_eq!(before.len(), rows.len());
        // Other rows are inserted anywhere, one is removed, and all other parts of the rows change.
        let mut random = SplitMix64::new(seed);
        let mut later = rows.clone();
        if later.len() > 1 {
            later.remove(random.index(later.len()));
        }
        for other in others {
            later.insert(random.index(later.len() + 1), other);
        }
        for end in (1..later.len()).rev() {
            later.swap(end, random.index(end + 1));
        }
        for row in &mut later {
            row.ground_truth = Some(truth.clone()).filter(|truth| !truth.is_null());
            row.metadata.clear();
            row.tags.push("new".to_owned());
            row.history.clear();
        }
        for (inputs, id) in ids(&bare(later)) {
            if let Some(old) = before.get(&inputs) {
                prop_assert_eq!(old, &id);
            }
        }
    }
}

/// Generates one of the pieces that CSV files are made of, including broken ones.
fn csv_piece() -> impl Strategy<Value = &'static str> {
    let pieces = [
        "a", "b", ",", ",", "\"", "\"\"", "\n", "\r\n", "\r", " ", "\"x,y\"", "\"x\ny\"",
        "\u{feff}", ";", "1.5", "é",
    ];
    prop::sample::select(pieces.to_vec())
}

/// Returns the records of a CSV text as the `csv` crate reads them, without those that have only
/// blanks and commas.
fn csv_records(content: &str) -> Vec<Vec<String>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(content.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().map(|record| record.unwrap()).collect();
    let start = |record: &csv::StringRecord| {
        record.position().and_then(|place| usize::try_from(place.byte()).ok())
    };
    let ends = records.iter().skip(1).map(start).chain([Some(content.len())]);
    let with_text = records.iter().zip(ends).filter(|(record, end)| {
        let raw = &content[start(record).unwrap()..end.unwrap()];
        raw.contains(|c: char| c != ',' && !c.is_whitespace())
    });
    with_text.map(|(record, _)| record.iter().map(str::to_owned).collect()).collect()
}

proptest! {
    #![proptest_config(config(2000))]

    /// Each record of a CSV file is a datapoint with exactly its cells, or a fault.
    #[test]
    fn no_record_of_a_table_is_lost(body in vec(csv_piece(), 0..24)) {
        let content = format!("p,q\n{}", body.concat());
        // A fault of the whole file accounts for all of it.
        if let Ok(dataset) = dataset("a.csv", &content) {
            let records = csv_records(&content);
            let mut rows = dataset.rows.iter();
            for cells in &records[1..] {
                let row = rows.next();
                prop_assert!(row.is_some(), "{cells:?} of {content:?} is lost");
                let Ok(datapoint) = dataset.datapoint(row.unwrap()) else { continue };
                let wanted = ["p", "q"].into_iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
                let wanted: Map<String, Value> =
                    wanted.map(|(name, cell)| (name.to_owned(), cell.as_str().into())).collect();
                prop_assert_eq!(&datapoint.inputs, &wanted, "{:?}", content);
            }
            prop_assert!(rows.next().is_none(), "{content:?} has a row too many");
        }
    }

    /// Each line that is not blank is a row, with the fields that `serde_json` reads, or a fault; a
    /// repeated key is always a fault.
    #[test]
    fn no_line_and_no_key_is_lost(
        lines in vec(vec((prop::sample::select(vec!["k", "\\u006b", "m", "n"]), 0..3_u8), 0..5), 1..6),
        ends in vec(prop::sample::select(vec!["\n", "\r\n", "\n\n", "\n \u{feff}\n", "x\n", ",\n"]), 6),
    ) {
        let mut content = String::new();
        let mut wanted = Vec::new();
        for (fields, end) in lines.iter().zip(&ends) {
            let parts: Vec<String> =
                fields.iter().map(|(key, value)| format!("\"{key}\":{{\"{key}\":{value}}}")).collect();
            let text = format!("{{{}}}", parts.join(","));
            let keys: BTreeSet<&str> =
                fields.iter().map(|(key, _)| if *key == "\\u006b" { "k" } else { key }).collect();
            let fine = keys.len() == fields.len() && !end.starts_with(['x', ',']);
            wanted.push(fine.then(|| serde_json::from_str::<Map<String, Value>>(&text).unwrap()));
            content.extend([&text, *end]);
        }
        let dataset = dataset("a.jsonl", &content).unwrap();
        prop_assert_eq!(dataset.rows.len(), wanted.len(), "{:?}", content);
        for (row, wanted) in dataset.rows.iter().zip(&wanted) {
            let read = dataset.datapoint(row).ok().map(|row| row.inputs.clone());
            prop_assert_eq!(&read, wanted, "{:?}", content);
        }
    }
}

/// The id of a row without inputs: the first 16 digits of `printf '{}' | sha256sum`.
const EMPTY_HASH: &str = "44136fa355b3678a";

// ---- journals ----

fn record() -> impl Strategy<Value = Record> {
    let attempt = (text(), object(value()), option::of(value()), vec(text(), 0..3), any::<u32>());
    prop_oneof![
        1 => (text(), object(value())).prop_map(|(experiment, metadata)| {
            Record::Experiment(Box::new(ExperimentRecord { experiment, metadata, ..Default::default() }))
        }),
        3 => attempt.prop_map(|(case, inputs, output, tags, millis)| {
            let duration_ms = f64::from(millis) / 1000.0;
            let mut attempt = AttemptRecord::default();
            (attempt.case, attempt.inputs, attempt.output) = (case, inputs, output);
            (attempt.tags, attempt.duration_ms) = (tags, duration_ms);
            Record::Attempt(Box::new(attempt))
        }),
        2 => (text(), vec(text(), 0..3)).prop_map(|(case, reasons)| {
            Record::Case(CaseRecord { case, reasons, ..Default::default() })
        }),
    ]
}

/// Generates the records of a file: it begins with an invocation, and may end with an end.
fn records() -> impl Strategy<Value = Vec<Record>> {
    (vec(record(), 0..8), any::<bool>()).prop_map(|(mut records, ended)| {
        let invocation = InvocationRecord { schema: SCHEMA, ..Default::default() };
        records.insert(0, Record::Invocation(invocation));
        records.extend(ended.then(|| Record::End(EndRecord::default())));
        records
    })
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn a_journal_that_was_cut_off_loses_its_torn_line_alone(
        records in records(),
        cuts in vec(any::<prop::sample::Index>(), 12),
    ) {
        let text = to_lines(&records);
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("a.jsonl");
        let cuts = cuts.into_iter().map(|cut| cut.index(text.len() + 1));
        for cut in cuts.chain([0, text.len() - 1, text.len()]) {
            let cut = &text[..cut];
            fs::write(&file, cut).unwrap();
            let journal = read_invocation(directory.path())
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            let whole = cut.iter().filter(|byte| **byte == b'\n').count();
            prop_assert_eq!(&journal.records[..], &records[..whole]);
            let torn = cut.last().is_some_and(|byte| *byte != b'\n');
            prop_assert_eq!(journal.torn.len(), usize::from(torn));
        }
    }
}

#[test]
fn a_journal_may_be_cut_off_at_any_byte() {
    for path in corpus("journal") {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("a.jsonl");
        let bytes = fs::read(path).unwrap();
        fs::write(&file, &bytes).unwrap();
        let Ok(whole) = read_invocation(directory.path()) else { continue };
        let blank = |line: &&[u8]| line.iter().all(u8::is_ascii_whitespace);
        for cut in (0..bytes.len().min(2000)).map(|cut| &bytes[..cut]) {
            fs::write(&file, cut).unwrap();
            let journal = read_invocation(directory.path()).unwrap();
            let ended = cut.split_inclusive(|byte| *byte == b'\n');
            let lines = ended.filter(|line| line.ends_with(b"\n") && !blank(line)).count();
            assert_eq!(journal.records, whole.records[..lines]);
        }
    }
}

// ---- JSON as Python prints it ----

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn json_as_python_prints_it_says_the_same(value in value(), pretty in any::<bool>()) {
        let source = if pretty { format!("{value:#}") } else { value.to_string() };
        let printed = python_json(&source).unwrap();
        prop_assert!(printed.is_ascii());
        let read: Value = serde_json::from_str(&printed).unwrap();
        prop_assert_eq!(read, serde_json::from_str::<Value>(&source).unwrap());
        prop_assert_eq!(python_json(&printed).unwrap(), printed);
    }
}

// ---- comparisons with a baseline ----

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn a_baseline_is_read_as_it_was_written(
        counts in counts(4),
        names in vec(text(), 5),
        metadata in object(value()),
        score in any::<f64>().prop_filter("JSON has no such number", |score| score.is_finite()),
    ) {
        let (mut snapshot, _) = two_runs(&counts, Direction::Minimize);
        let [experiment, commit, file, model, case] = &names[..] else { unreachable!() };
        snapshot.experiment.clone_from(experiment);
        snapshot.commit = Some(commit.clone());
        snapshot.files = [(file.clone(), commit.clone())].into();
        snapshot.models = [model.clone()].into();
        snapshot.metadata = metadata.into_iter().collect();
        let scores = [(file.clone(), ScoreSnapshot { score, attempts: 1, good: None })].into();
        snapshot.cases.insert(case.clone(), CaseSnapshot { scores, ..Default::default() });
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("not/there/yet/baseline.json");
        baseline::write(&path, &snapshot).unwrap();
        let first = fs::read(&path).unwrap();
        prop_assert_eq!(&baseline::read(&path, experiment).unwrap(), &snapshot);
        baseline::write(&path, &snapshot).unwrap();
        prop_assert_eq!(first, fs::read(&path).unwrap(), "the same bytes");
        prop_assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        if experiment != "another" {
            prop_assert!(baseline::read(&path, "another").is_err());
        }
    }

    #[test]
    fn a_comparison_seen_from_the_other_side_is_its_opposite(counts in counts(4)) {
        let (before, after) = two_runs(&counts, Direction::Maximize);
        let forth = compare(&before, &after, "e", &|_| true);
        let back = compare(&after, &before, "e", &|_| true);
        let same = counts.iter().filter(|(_, _, other)| !other).count();
        prop_assert_eq!(forth.pairs.len(), same);
        prop_assert_eq!((forth.better, forth.worse), (back.worse, back.better));
        // Where the numbers of attempts differ, attempts are dealt at random: 10,000 deals give p
        // within 4 times 0.005, and each direction has its own deals.
        let within = 0.03;
        prop_assert!((forth.p_worse - back.p_better).abs() < within);
        prop_assert!((forth.p_better - back.p_worse).abs() < within);
        for p in [forth.p_worse, forth.p_better, forth.p_two_sided()] {
            prop_assert!(p > 0.0 && p <= 1.0);
        }
        // The observed result counts on both sides.
        prop_assert!(forth.p_worse + forth.p_better > 1.0 - 1e-9);
        if same > 0 {
            prop_assert!((forth.gain + back.gain).abs() < 1e-12);
            prop_assert!((forth.after - forth.before - forth.gain).abs() < 1e-12);
        }
        let (before, after) = two_runs(&counts, Direction::Minimize);
        let less = compare(&before, &after, "e", &|_| true);
        prop_assert_eq!((less.better, less.worse), (forth.worse, forth.better));
        prop_assert!((less.p_worse - forth.p_better).abs() < within);
    }

    #[test]
    fn what_is_not_selected_is_not_compared(counts in counts(3), keep in vec(any::<bool>(), 8)) {
        let (before, after) = two_runs(&counts, Direction::Maximize);
        let kept = |id: &str| keep[id.parse::<usize>().unwrap()];
        let selected = compare(&before, &after, "e", &kept);
        let (mut less, mut now) = (before.clone(), after.clone());
        less.cases.retain(|id, _| kept(id));
        now.cases.retain(|id, _| kept(id));
        prop_assert_eq!(format!("{selected:?}"), format!("{:?}", compare(&less, &now, "e", &|_| true)));
        let found = collapses(&before, &after, "e", &kept).unwrap();
        prop_assert_eq!(found, collapses(&less, &now, "e", &|_| true).unwrap());
    }

    /// The p of collapses is the same as from dealing the attempts of both runs anew in all ways.
    #[test]
    fn collapses_are_as_likely_as_dealing_the_attempts_anew(counts in counts(3)) {
        let (before, after) = two_runs(&counts, Direction::Maximize);
        let found = collapses(&before, &after, "e", &|_| true).unwrap();
        let same = || counts.iter().filter(|(_, _, other)| !other);
        let collapsed = same().filter(|((good, of), (now, _), _)| good == of && *now == 0).count();
        prop_assert_eq!(found.collapsed.len(), collapsed);
        prop_assert_eq!(found.held, same().filter(|((good, of), ..)| good == of).count());
        // The probability of each number of collapses.
        let mut ways = vec![1.0];
        for ((good, of), (now, now_of), _) in same() {
            let (all, good) = (of + now_of, good + now);
            let deals = (0..1_u32 << all).filter(|deal| deal.count_ones() == *of);
            // The first `good` attempts are the good ones.
            let collapse = (1_u32 << good) - 1;
            let (mut hits, mut total) = (0.0, 0.0);
            for deal in deals {
                total += 1.0;
                hits += f64::from(u8::from(deal == collapse));
            }
            let p: f64 = hits / total;
            let mut next = vec![0.0; ways.len() + 1];
            for (number, way) in ways.iter().enumerate() {
                next[number] += way * (1.0 - p);
                next[number + 1] += way * p;
            }
            ways = next;
        }
        let tail: f64 = ways[collapsed..].iter().sum();
        prop_assert!((found.p - tail).abs() < 1e-9, "{} is not {tail}", found.p);
    }
}

// ---- the fuzzer ----

fn corpus_directory(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(format)
}

fn corpus(format: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(corpus_directory(format)).expect("a corpus");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "the corpus of {format} is there");
    files
}

/// Checks the properties of datasets for a file with any content.
fn dataset_holds(path: &Path) -> Result<(), String> {
    let name = path.display().to_string();
    let dataset = match Dataset::from_file(path) {
        Ok(dataset) => dataset,
        Err(fault) if fault.to_string().contains(&name) => return Ok(()),
        Err(fault) => return Err(format!("the file is not named: {fault}")),
    };
    if dataset.rows.is_empty() {
        return Err("no rows and no fault".to_owned());
    }
    for row in &dataset.rows {
        match dataset.datapoint(row) {
            Err(fault) if !fault.starts_with(&format!("{name}:{}: ", row.line)) => {
                return Err(format!("the place is not named: {fault}"));
            }
            Ok(datapoint) if datapoint.id.as_ref().is_some_and(|id| *id != row.id) => {
                return Err(format!("{:?} is read as {:?}", row.id, datapoint.id));
            }
            _ => {}
        }
    }
    ids_stay_apart(&dataset)?;
    names_stay_apart(&dataset)
}

/// Checks that a file is read or refused with its name, and that a baseline that was read can be
/// written and compared.
fn baseline_holds(path: &Path) -> Result<(), String> {
    let read = match baseline::read(path, "detect") {
        Ok(read) => read,
        Err(error) if error.to_string().contains(&path.display().to_string()) => return Ok(()),
        Err(error) => return Err(format!("the file is not named: {error}")),
    };
    let again = path.with_extension("again.json");
    baseline::write(&again, &read).map_err(|error| error.to_string())?;
    if baseline::read(&again, "detect").map_err(|error| error.to_string())? != read {
        return Err("another baseline was written than was read".to_owned());
    }
    if !changed(&read, &read).is_empty() {
        return Err("it has changed since itself".to_owned());
    }
    for evaluator in read.evaluators.keys() {
        let compared = compare(&read, &read, evaluator, &|_| true);
        let found = collapses(&read, &read, evaluator, &|_| true)?;
        if compared.worse > 0 || compared.p_worse < 1.0 || !found.collapsed.is_empty() {
            return Err(format!("it is worse than itself: {compared:?} {found:?}"));
        }
    }
    Ok(())
}

fn journal_holds(path: &Path) -> Result<(), String> {
    let directory = path.parent().expect("a directory");
    match read_invocation(directory).map_err(|error| error.to_string()) {
        Err(error) if error.contains(&path.display().to_string()) => Ok(()),
        Err(error) => Err(format!("the file is not named: {error}")),
        Ok(journal) => {
            let bytes = fs::read(path).map_err(|error| error.to_string())?;
            let blank = |line: &&[u8]| line.iter().all(u8::is_ascii_whitespace);
            let ended = bytes.split_inclusive(|byte| *byte == b'\n');
            let lines = ended.filter(|line| line.ends_with(b"\n") && !blank(line)).count();
            let torn = usize::from(bytes.last().is_some_and(|byte| *byte != b'\n'));
            if (journal.records.len(), journal.torn.len()) == (lines, torn) {
                Ok(())
            } else {
                Err(format!("{} records of {lines} lines", journal.records.len()))
            }
        }
    }
}

/// Returns a changed copy of one of these files.
fn mutated(files: &[Vec<u8>], tokens: &[&str], random: &mut SplitMix64) -> Vec<u8> {
    let mut bytes = files[random.index(files.len())].clone();
    for _ in 0..=random.index(4) {
        let mut range = |bytes: &[u8], most: usize| {
            let start = random.index(bytes.len() + 1);
            start..bytes.len().min(start + random.index(most))
        };
        let (part, at) = (range(&bytes, 40), range(&bytes, 1).start);
        match random.index(8) {
            0 | 1 if !bytes.is_empty() => {
                let at = random.index(bytes.len());
                bytes[at] ^= 1 << random.index(8);
            }
            2 => drop(bytes.drain(part)),
            3 => bytes.truncate(at),
            4 => {
                let copy = bytes[part].to_vec();
                bytes.splice(at..at, copy);
            }
            5 => {
                let other = &files[random.index(files.len())];
                let from = random.index(other.len() + 1);
                let to = other.len().min(from + random.index(200));
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                let token = tokens[random.index(tokens.len())];
                bytes.splice(at..at, token.bytes());
            }
        }
    }
    bytes
}

/// Tries the files of the corpus as they are, then changed copies of them.
fn fuzz(format: &'static str, tokens: &[&str], holds: fn(&Path) -> Result<(), String>) {
    /// The longest time for one input. Inputs of this size take less than a hundredth of it.
    const PATIENCE: Duration = Duration::from_secs(20);
    let iterations = std::env::var("FUZZ_ITERATIONS").ok().and_then(|text| text.parse().ok());
    let iterations: usize = iterations.unwrap_or(2500);
    let extension = match format {
        "journal" => "jsonl",
        "baseline" => "json",
        _ => format,
    };
    let directory = TempDir::new().unwrap();
    let path = directory.path().join(format!("input.{extension}"));

    // The check runs on its own thread, so that an endless loop is noticed.
    let (give, take) = mpsc::channel::<Vec<u8>>();
    let (say, hear) = mpsc::channel();
    std::thread::spawn(move || {
        for bytes in take {
            fs::write(&path, &bytes).unwrap();
            let held = catch_unwind(AssertUnwindSafe(|| holds(&path)));
            let _ = say.send(held.unwrap_or_else(|_| Err("it panics".to_owned())));
        }
    });
    let holds = |bytes: &[u8]| {
        give.send(bytes.to_owned()).unwrap();
        hear.recv_timeout(PATIENCE).unwrap_or_else(|_| Err("it does not end".to_owned()))
    };

    let paths = corpus(format);
    let files: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    let mut failures = Vec::new();
    for (path, bytes) in paths.iter().zip(&files) {
        if let Err(error) = holds(bytes) {
            let name = path.file_name().unwrap_or_default().display();
            failures.push(format!("corpus/{format}/{name}: {error}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));

    let mut random = SplitMix64::new(7);
    for iteration in 0..iterations {
        let bytes = mutated(&files, tokens, &mut random);
        if let Err(error) = holds(&bytes) {
            let name = format!("found-{iteration}.{extension}");
            fs::write(corpus_directory(format).join(&name), &bytes).unwrap();
            panic!(
                "{error}\nthe input is now kept as corpus/{format}/{name}; commit it with the fix"
            );
        }
    }
}

const JSON_TOKENS: [&str; 26] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "1e400",
    "-0",
    "18446744073709551616",
    "\"id\":",
    "\"inputs\":{",
    "\"tags\":[",
    "\"datapoint_id\":",
    "\"id\":\"line-2\"",
    "\n",
    "\r\n",
    "\u{feff}",
    "\u{2028}",
    "\"metadata\":",
    "[[[[[[[[[[[[[[[[",
];

#[test]
fn json_lines_of_any_content_are_read_or_told() {
    fuzz("jsonl", &JSON_TOKENS, dataset_holds);
}

#[test]
fn json_of_any_content_is_read_or_told() {
    fuzz("json", &JSON_TOKENS, dataset_holds);
}

#[test]
fn csv_of_any_content_is_read_or_told() {
    let tokens = [
        ",", "\"", "\"\"", "\n", "\r", "\r\n", "\n\n", "\u{feff}", "id", "inputs", "tags",
        "metadata", "{}", "[\"a\"]", " ", "\0", ";", "line-2", "日本",
    ];
    fuzz("csv", &tokens, dataset_holds);
}

#[test]
fn journals_of_any_content_are_read_or_told() {
    let tokens = [
        "{\"type\":\"",
        "\"type\":\"case\",",
        "\"schema\":2,",
        "\"schema\":4294967296,",
        "\n",
        "\r\n",
        "\n\n",
        "{",
        "}",
        "[",
        "]",
        "null",
        "1e400",
        "\\ud800",
        "\u{feff}",
        "\0",
        "{\"type\":\"case\",\"case\":\"x\"}\n",
        "{\"type\":\"weather\"}\n",
        "\"attempt\":-1,",
    ];
    fuzz("journal", &tokens, journal_holds);
}

#[test]
fn baselines_of_any_content_are_read_or_told() {
    let tokens = [
        "\"schema\":2,",
        "\"schema\":-1,",
        "\"cases\":{",
        "\"scores\":{",
        "\"row\":",
        "\"good\":4294967295,",
        "\"attempts\":0",
        "\"attempts\":4294967295",
        "\"direction\":\"minimize\"",
        "\"e\":{\"score\":0.1,\"attempts\":1},",
        "1e400",
        "-0.0",
        "5e-324",
        "0.1234567890123456789",
        "null",
        "{",
        "}",
        ",",
        "\"",
        "\\ud800",
        "\u{feff}",
        "=======\n",
    ];
    fuzz("baseline", &tokens, baseline_holds);
}
