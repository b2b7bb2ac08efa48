use std::io::Write as _;

use super::*;

fn scan(name: &str, content: &[u8]) -> Result<Dataset, DatasetFault> {
    let dir = std::env::temp_dir().join(format!("hh-dataset-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::File::create(dir.join(name)).unwrap().write_all(content).unwrap();
    let result = Dataset::scan(From::File { base: &dir, path: name }, None);
    std::fs::remove_dir_all(&dir).unwrap();
    result
}

fn ids(dataset: &Dataset) -> Vec<&str> {
    dataset.rows.iter().map(|row| row.id.as_str()).collect()
}

#[test]
fn json_lines() {
    let text = b"\xef\xbb\xbf{\"id\":\"a\",\"inputs\":{\"q\":\"1\"}}\r\n\n{\"q\":\"2\"}\n{\"q\":\"2\"}\n{\"id\":9,\"q\":\"3\"}";
    let dataset = scan("rows.jsonl", text).unwrap();
    assert_eq!(dataset.name, "rows");
    assert_eq!(dataset.rows.len(), 4);
    assert_eq!(ids(&dataset)[0], "a");
    assert_eq!(format!("{}~2", dataset.rows[1].id), dataset.rows[2].id);
    assert_eq!(dataset.rows[3].id, "9");
    assert_eq!(dataset.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [1, 3, 4, 5]);
    assert_eq!(dataset.datapoint(&dataset.rows[3]).unwrap().inputs["q"], "3");
}

#[test]
fn a_bad_row_stays_in_place_and_says_where() {
    let text =
        b"{\"id\":\"a\",\"q\":1}\n{\"id\":\"b\",\n[1]\n{\"id\":\"d\",\"inputs\":{},\"tag\":[]}\n";
    let dataset = scan("bad.jsonl", text).unwrap();
    assert_eq!(ids(&dataset), ["a", "line-2", "line-3", "line-4"]);
    let faults: Vec<String> =
        dataset.rows[1..].iter().map(|row| dataset.datapoint(row).unwrap_err()).collect();
    assert!(faults[0].starts_with("bad.jsonl:2: not valid JSON: EOF while parsing"), "{faults:?}");
    assert_eq!(faults[1], "bad.jsonl:3: a row is a JSON object, this is an array");
    assert_eq!(faults[2], "bad.jsonl:4: unknown key `tag`; did you mean `tags`?");
}

#[test]
fn json_arrays_know_their_lines() {
    let dataset =
        scan("rows.json", b"[\n {\"id\": \"a\", \"q\": 1},\n\n {\"id\": \"b\", \"q\": 2}, 7\n]")
            .unwrap();
    assert_eq!(dataset.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4, 4]);
    assert_eq!(ids(&dataset), ["a", "b", "line-4"]);
    let fault = scan("rows.json", b"{\"rows\": []}").unwrap_err();
    assert!(fault.0.contains("the file is no array of rows"), "{fault:?}");
    let fault = scan("rows.json", b"[\n{\"q\": 1},\n{\"q\"").unwrap_err();
    assert!(fault.0.starts_with("rows.json:3: not valid JSON"), "{fault:?}");
}

#[test]
fn an_array_is_not_taken_for_lines() {
    let fault = scan("rows.jsonl", b"[\n {\"q\": 1}\n]").unwrap_err();
    assert!(
        fault.0.starts_with("rows.jsonl: the file is a JSON array; name it .json"),
        "{fault:?}"
    );
}

#[test]
fn csv_rows() {
    let text = "id,question,ground_truth,tags,metadata\n\
                007,\"a, \"\"b\"\"\nc\",4,\"x, y\",\"{\"\"lang\"\":\"\"de\"\"}\"\n\
                8,z,,,\n\
                9,short\n";
    let dataset = scan("rows.csv", text.as_bytes()).unwrap();
    assert_eq!(ids(&dataset), ["007", "8", "line-5"]);
    let first = dataset.datapoint(&dataset.rows[0]).unwrap();
    assert_eq!(first.inputs["question"], "a, \"b\"\nc");
    assert!(first.in_slice("x") && first.in_slice("y") && first.in_slice("lang:de"));
    let second = dataset.datapoint(&dataset.rows[1]).unwrap();
    assert_eq!((second.ground_truth.clone(), second.inputs.len()), (None, 1));
    let fault = dataset.datapoint(&dataset.rows[2]).unwrap_err();
    assert_eq!(
        fault,
        "rows.csv:5: 2 cells, but the header has 5 columns; quote cells that contain commas"
    );
}

#[test]
fn csv_headers_are_checked() {
    assert_eq!(scan("a.csv", b"q,q\n1,2").unwrap_err().0, "a.csv:1: two columns are named `q`");
    assert_eq!(scan("a.csv", b"q,\n1,2").unwrap_err().0, "a.csv:1: column 2 has no name");
    assert!(scan("a.csv", b"\xef\xbb\xbfq\n1").unwrap().rows.len() == 1);
}

#[test]
fn faults_of_the_whole_file() {
    assert!(scan("none.jsonl", b"\n \n").unwrap_err().0.contains("has no rows"));
    assert!(scan("none.csv", b"").unwrap_err().0.contains("has no rows"));
    assert!(scan("none.csv", b"a,b\n").unwrap_err().0.contains("has no rows"));
    let fault = scan("latin.jsonl", b"{\"q\":\"ok\"}\n{\"q\":\"\xe9\"}").unwrap_err();
    assert_eq!(fault.0, "latin.jsonl:2: not UTF-8; save the file as UTF-8");
    let fault = scan("two.jsonl", b"{\"id\":\"x\",\"q\":1}\n{\"id\":\"x\",\"q\":2}").unwrap_err();
    assert_eq!(fault.0, "two.jsonl: ids must be unique, these are not: `x` (lines 1 and 2)");
}

#[test]
fn a_missing_file_suggests_its_neighbour() {
    let dir = std::env::temp_dir().join(format!("hh-dataset-{}-missing", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("sentences.jsonl"), "{}").unwrap();
    let fault = Dataset::scan(From::File { base: &dir, path: "sentnces.jsonl" }, None).unwrap_err();
    assert!(fault.0.ends_with("; did you mean sentences.jsonl?"), "{fault:?}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn functions_give_rows() {
    let rows = vec![Datapoint::new().id("a").input("q", 1), Datapoint::new().input("q", 2)];
    let dataset = Dataset::from_datapoints("cases", rows).unwrap();
    assert_eq!(dataset.name, "cases");
    assert_eq!(dataset.rows[0].slug, "a");
    assert_eq!(dataset.rows[1].slug.len(), 16);
}
