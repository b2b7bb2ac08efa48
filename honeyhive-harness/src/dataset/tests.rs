use std::io::Write as _;

use super::*;

fn scan(name: &str, content: &[u8]) -> Result<Dataset, DatasetFault> {
    // Tests that run at the same time use the same names of files.
    let dir = std::env::temp_dir().join(format!("hh-dataset-{}", uuid::Uuid::new_v4()));
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
    assert_eq!(ids(&dataset), ["a", "b", "row-3"]);
    let dataset = scan("rows.json", b"[{\"id\": \"a\"}, 7, 8,\n9]").unwrap();
    assert_eq!(ids(&dataset), ["a", "row-2", "row-3", "line-2"]);
    let fault = scan("rows.json", b"[{\"id\": \"a\"}, {\"id\": \"a\"}]").unwrap_err();
    assert!(fault.0.ends_with("these are not: `a` (twice on line 1)"), "{fault:?}");
    let fault = scan("rows.json", b"{\"rows\": []}").unwrap_err();
    assert!(fault.0.contains("the file is not an array of rows"), "{fault:?}");
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
        "rows.csv:5: 2 cells, but the header has 5 columns; quote cells that contain separators"
    );
}

#[test]
fn csv_headers_are_checked() {
    assert_eq!(
        scan("a.csv", b"q,q\n1,2").unwrap_err().0,
        "a.csv:1: two columns are named `q`; rename one of them"
    );
    let fault = scan("a.csv", b"q,\n1,2").unwrap_err().0;
    assert!(
        fault.starts_with("a.csv:2: column 2 has no name in the header, but here it has \"2\""),
        "{fault}"
    );
    let fault = scan("a.csv", b",q\n0,x").unwrap_err().0;
    assert!(fault.contains("pandas writes its index so"), "{fault}");
    let fault = scan("a.csv", b"ID,q\n0,x").unwrap_err().0;
    assert!(fault.starts_with("a.csv:1: the key `ID` is nearly `id`"), "{fault}");
    assert!(scan("a.csv", b"\xef\xbb\xbfq\n1").unwrap().rows.len() == 1);
}

#[test]
fn a_header_that_no_row_belongs_to_is_one_fault() {
    let fault = scan("a.csv", b"# our rows\n\nid,q,a\n1,x,y\n2,x,y\n").unwrap_err().0;
    assert_eq!(
        fault,
        "a.csv:1: the header is `# our rows`, with 1 column, but all rows have 3 cells; is line 3 the \
         header? Then remove what is above it (a CSV file has no titles and no comments), else quote \
         cells that contain separators"
    );
    let fault = scan("a.csv", b"Rows; of May\nid;q;a\n1;x;y\n").unwrap_err().0;
    assert!(fault.contains("with 2 columns, but all rows have 3 cells; is line 2"), "{fault}");
    let rows = "1,x\n".repeat(18);
    let fault = scan("a.csv", format!("id,q,a\n{rows}2,x,y\n3\n").as_bytes()).unwrap_err().0;
    assert!(
        fault.ends_with(
            "but 18 of 20 rows have 2 cells; name each column in the first line, and quote cells \
             that contain separators"
        ),
        "{fault}"
    );
    // Some bad rows stay in place.
    let rows = "1,x,y\n".repeat(8);
    let dataset = scan("a.csv", format!("q,a\n{rows}x,y\n").as_bytes()).unwrap();
    assert_eq!(dataset.rows.len(), 9);
    assert_eq!(scan("a.csv", b"q\na, b\n").unwrap().rows.len(), 1);
}

#[test]
fn faults_of_the_whole_file() {
    assert!(scan("none.jsonl", b"\n \n").unwrap_err().0.contains("has no rows"));
    assert!(scan("none.csv", b"").unwrap_err().0.contains("has no rows"));
    assert!(scan("none.csv", b"a,b\n").unwrap_err().0.contains("has no rows"));
    let fault = scan("latin.jsonl", b"{\"q\":\"ok\"}\n{\"q\":\"\xe9\"}").unwrap_err();
    assert_eq!(
        fault.0,
        "latin.jsonl:2: not UTF-8: byte 0xE9 at column 7, which is `é` in Latin-1 and Windows-1252; save the \
         file as UTF-8"
    );
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
    // The path is relative to the workspace.
    let inside = format!("{}/sentences.jsonl", dir.file_name().unwrap().to_string_lossy());
    let fault = Dataset::scan(From::File { base: &dir, path: &inside }, None).unwrap_err();
    assert!(fault.0.ends_with("; did you mean sentences.jsonl?"), "{fault:?}");
    assert!(fault.0.contains("(the path is relative to its Cargo.toml)"), "{fault:?}");
    let deep = dir.join("deep");
    std::fs::create_dir_all(&deep).unwrap();
    let fault =
        Dataset::scan(From::File { base: &deep, path: "sentences.jsonl" }, None).unwrap_err();
    assert!(fault.0.ends_with("; did you mean ../sentences.jsonl?"), "{fault:?}");
    for path in ["deep", "rows.yaml"] {
        let fault = Dataset::scan(From::File { base: &dir, path }, None).unwrap_err();
        assert!(fault.0.ends_with("name that: `dataset = my_rows`"), "{fault:?}");
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_key_that_is_repeated_is_a_bad_row() {
    let text = b"{\"id\":\"a\",\"inputs\":{\"q\":1,\"q\":2}}\n{\"id\":\"b\",\"q\":1,\"id\":\"c\"}\n\
        {\"id\":\"c\",\"q\":1,\"\\u0071\":2}\n{\"q\":{\"x\":[{\"y\":1,\"y\":1}]}}\n{\"id\":\"e\",\"q\":1}\n";
    let dataset = scan("rows.jsonl", text).unwrap();
    assert_eq!(ids(&dataset), ["line-1", "line-2", "line-3", "line-4", "e"]);
    for (row, key) in dataset.rows.iter().zip(["q", "id", "q", "y"]) {
        let fault = dataset.datapoint(row).unwrap_err();
        assert!(fault.contains(&format!("the key `{key}` is repeated in one object")), "{fault}");
    }
    let dataset =
        scan("rows.json", b"[{\"id\":\"a\",\"tags\":[],\"tags\":[\"x\"]},{\"id\":\"b\"}]");
    assert_eq!(ids(&dataset.unwrap()), ["row-1", "b"]);
}

#[test]
fn ids_keep_their_digits() {
    let text = b"{\"id\":12345678901234567890123,\"q\":1}\n{\"id\":12345678901234567890124,\"q\":1}\n\
        {\"datapoint_id\":18446744073709551616,\"q\":1}\n{\"id\":1.50,\"q\":1}\n{\"id\":-7,\"q\":1}";
    let dataset = scan("rows.jsonl", text).unwrap();
    assert_eq!(
        ids(&dataset),
        [
            "12345678901234567890123",
            "12345678901234567890124",
            "18446744073709551616",
            "1.50",
            "-7"
        ]
    );
    let dataset = scan("rows.csv", b"id,q\n12345678901234567890123,x\n 7 ,x\n").unwrap();
    assert_eq!(ids(&dataset), ["12345678901234567890123", "7"]);
}

#[test]
fn integers_beyond_64_bits_are_noted_once() {
    let text = b"{\"id\":\"a\",\"q\":1}\n\n{\"id\":\"b\",\"q\":12345678901234567890123}\n\
        {\"id\":\"c\",\"q\":12345678901234567890124}\n";
    let dataset = scan("rows.jsonl", text).unwrap();
    assert_eq!(
        dataset.note(),
        Some(
            "rows.jsonl:3: 12345678901234567890123 is beyond 64 bits and is read as the nearest \
             float, so that it is equal to others near it; write such numbers as texts, in quotes"
        )
    );
    let dataset = scan("rows.json", b"[{\"q\": 1,\n\"r\": 18446744073709551616}]").unwrap();
    assert!(dataset.note().unwrap().starts_with("rows.json:2: 18446744073709551616 is"));
    assert_eq!(scan("rows.json", b"[{\"q\": 18446744073709551615}]").unwrap().note(), None);
    assert_eq!(scan("rows.csv", b"q\n12345678901234567890123\n").unwrap().note(), None);
}

#[test]
fn lines_of_joined_and_foreign_files_are_rows() {
    let dataset =
        scan("rows.jsonl", "\u{feff}{\"id\":\"a\"}\n\u{feff}{\"id\":\"b\"}\n\u{feff}\n".as_bytes());
    assert_eq!(ids(&dataset.unwrap()), ["a", "b"]);
    let dataset = scan("rows.jsonl", b"{\"id\":\"a\"}\r{\"id\":\"b\"}\r\r{\"id\":\"c\"}").unwrap();
    assert_eq!(ids(&dataset), ["a", "b", "c"]);
    assert_eq!(dataset.rows[2].line, 4);
    let dataset = scan("rows.jsonl", b"{\"id\":\"a\"}\n{\"id\":\"b\"}\r{\"id\":\"c\"}\n").unwrap();
    assert_eq!(ids(&dataset), ["a", "line-2"]);
    let fault = dataset.datapoint(&dataset.rows[1]).unwrap_err();
    assert!(fault.contains("each row on a line of its own"), "{fault}");
    let dataset = scan("rows.csv", b"id,q\ra,1\r\rb,\"x\ry\"\rc,2\r").unwrap();
    assert_eq!(dataset.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4, 6]);
    let fault = scan("rows.jsonl", b"{\n  \"q\": 1\n}\n{\n  \"q\": 2\n}\n").unwrap_err();
    assert!(fault.0.contains("a row stands on several lines"), "{fault}");
    let fault = scan("rows.json", b"{\"q\": 1}\n{\"q\": 2}\n").unwrap_err();
    assert!(fault.0.contains("the file has one row per line; name it .jsonl"), "{fault}");
}

#[test]
fn a_quote_that_never_closes_takes_no_rows_with_it() {
    let fault =
        scan("a.csv", b"id,text,note\nfirst,one,\"said so\nsecond,two,plain\nthird,three,x\n")
            .unwrap_err();
    assert!(
        fault.0.starts_with("a.csv:2: the quote before \"said so\" is never closed"),
        "{fault}"
    );
    let fault = scan("a.csv", b"id,text\na,x\n\nb,\"said so\nc,\"quoted\"\n").unwrap_err();
    assert!(
        fault.0.starts_with("a.csv:4: the quote that opens here is closed one line below"),
        "{fault}"
    );
    let fault = scan("a.csv", b"id,text\na, \"x, y\"\n").unwrap_err();
    assert!(fault.0.starts_with("a.csv:2: a blank stands between"), "{fault}");
    let dataset = scan("a.csv", b"id,text\na,5\" disk\n").unwrap();
    assert_eq!(dataset.datapoint(&dataset.rows[0]).unwrap().inputs["text"], "5\" disk");
}

#[test]
fn records_of_spreadsheets_are_read() {
    let text = b"\xef\xbb\xbfid, text ,,\r\na,x,,\r\n   \r\n,,,\r\nb,y,,,,\r\n";
    let dataset = scan("a.csv", text).unwrap();
    assert_eq!(ids(&dataset), ["a", "b"]);
    assert_eq!(dataset.rows[1].line, 5);
    let text = b"id,text\na,x\n\xef\xbb\xbfid,text\nid,text\nb,y,z\nc\n";
    let dataset = scan("a.csv", text).unwrap();
    let faults: Vec<String> =
        dataset.rows[1..].iter().map(|row| dataset.datapoint(row).unwrap_err()).collect();
    for (fault, says) in
        faults.iter().zip(["byte order mark", "repeats the header", "3 cells", "1 cell,"])
    {
        assert!(fault.contains(says), "{fault}");
    }
    for text in ["id;text\na;x, y\n", "sep=;\nid;text\na;x, y\n", "id\ttext\na\tx, y\n"] {
        let dataset = scan("a.csv", text.as_bytes()).unwrap();
        let row = &dataset.rows[0];
        assert_eq!((row.id.as_str(), row.line), ("a", text.lines().count()), "{text}");
        assert_eq!(dataset.datapoint(row).unwrap().inputs["text"], "x, y");
    }
    let fault = scan("a.csv", b"id;text, long\na;x\n").unwrap_err();
    assert!(
        fault.0.starts_with("a.csv:1: the header may be separated by commas or by semicolons"),
        "{fault}"
    );
}

#[test]
fn rows_of_one_id_in_honeyhive_are_refused() {
    let of = |ids: &[&str]| {
        let rows = ids.iter().map(|id| Datapoint::new().id(*id));
        Dataset::from_datapoints("one", rows)
    };
    let fault = of(&["EXT-one-y", "x", "y"]).unwrap_err();
    assert_eq!(
        fault.0,
        "one: two rows have one id in HoneyHive: `EXT-one-y` (one row 1) and `y` (one row 3) are both \
         `EXT-one-y`; rename one of them (an id that begins with `EXT-` stays as it is)"
    );
    let dataset = of(&["y", "EXT-y", "one-y"]).unwrap();
    let fault = dataset.check_external_ids(true).unwrap_err();
    assert!(
        fault.0.contains("`y` (one row 1) and `EXT-y` (one row 2) are both `EXT-y`"),
        "{fault}"
    );
    assert_eq!(of(&["y", "one-y"]).unwrap().check_external_ids(true), Ok(()));
}

#[test]
fn a_row_of_a_function_may_say_where_it_stands() {
    let rows = [Datapoint::new().id("a").place("rows.yaml:17"), Datapoint::new().id("b")];
    let dataset = Dataset::from_datapoints("rows", rows).unwrap();
    let places: Vec<String> = dataset.rows.iter().map(|row| dataset.place(row)).collect();
    assert_eq!(places, ["rows.yaml:17 (rows row 1)", "rows row 2"]);
}

#[test]
fn functions_give_rows() {
    let rows = vec![Datapoint::new().id("a").input("q", 1), Datapoint::new().input("q", 2)];
    let dataset = Dataset::from_datapoints("cases", rows).unwrap();
    assert_eq!(dataset.name, "cases");
    assert_eq!(dataset.rows[0].slug, "a");
    assert_eq!(dataset.rows[1].slug.len(), 16);
}
