//! Tests datasets written by other programs, and values that are equal except for their form: a
//! value is read where it has one meaning only, and is an error elsewhere.

use std::sync::LazyLock;

use honeyhive_tests::{Project, Run};

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    let utf16: Vec<u8> =
        "\u{feff}{\"text\": \"a\"}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    Project::with_evals("values", include_str!("evals/values.rs"))
        .file(
            "data/open_quote.csv",
            "id,text,note\nfirst,one,\"said so\nsecond,two,plain\nthird,three,plain\n",
        )
        .file(
            "data/repeated.jsonl",
            "{\"id\":\"a\",\"inputs\":{\"text\":\"1\",\"text\":\"2\"}}\n\
             {\"id\":\"b\",\"inputs\":{\"text\":\"1\"},\"inputs\":{\"text\":\"2\"}}\n\
             {\"id\":\"c\",\"text\":\"1\",\"\\u0074ext\":\"2\"}\n\
             {\"id\":\"d\",\"text\":\"1\",\"metadata\":{\"deep\":[{\"x\":1,\"x\":2}]}}\n\
             {\"id\":\"e\",\"text\":\"1\"}\n",
        )
        .file("data/repeated.json", "[\n{\"id\":\"a\",\"text\":\"1\",\"text\":\"2\"},\n{\"id\":\"b\",\"text\":\"1\"}\n]")
        .file("data/repeated.csv", "id,text,text\na,1,2\n")
        .file("data/nearly_id.jsonl", "{\"ID\":\"a\",\"text\":\"1\"}\n{\"id\":\"b\",\"text\":\"1\",\"Ground Truth\":\"x\"}\n")
        .file("data/semicolons.csv", "id;text;ground_truth\na;Grüße, Welt;de\nb;hello;en\n")
        .file("data/first_line.csv", "sep=;\r\nid;text;ground_truth\r\na;eins;de\r\n")
        .file("data/pasted.csv", "id\ttext\tground_truth\na\tone\ten\n")
        .file(
            "data/not_json.jsonl",
            "{\"id\":\"ok\",\"text\":\"NaN // True\"}\n{\"text\":\"b\",\"w\":NaN}\n\
             {'text': 'it is', 'flag': True}\n{\"text\":\"c\",}\n{\"text\":\"d\"} // why\n\
             {\"text\":\"e\",\"w\":-Infinity}\n",
        )
        .file("data/marks.jsonl", "\u{feff}{\"id\":\"a\",\"text\":\"1\"}\n\u{feff}{\"id\":\"b\",\"text\":\"2\"}\n")
        .file(
            "data/long_ids.jsonl",
            "{\"id\":12345678901234567890123,\"text\":\"a\"}\n{\"id\":12345678901234567890124,\"text\":\"b\"}\n\
             {\"id\":18446744073709551615,\"text\":\"c\"}\n",
        )
        .file("data/empty_text.csv", "id,text\nempty,\"\"\nfull,why?\n")
        .file("data/no_header.csv", "Danke,de\nMerci,fr\nGrazie,it\n")
        .file("data/input_key.jsonl", "{\"id\":\"a\",\"input\":{\"text\":\"1\"}}\n")
        .file("data/skipped.jsonl", "{\"id\":\"a\",\"inputs\":{\"text\":\"1\"},\"skip\":true}\n")
        .file("data/old_mac.jsonl", "{\"id\":\"a\",\"text\":\"1\"}\r{\"id\":\"b\",\"text\":\"2\"}\r")
        .file("data/padded.csv", "id , text,,\r\n a ,one,,\r\n  \r\n,,,\r\nb,two,,,,\r\n")
        .file("data/utf16.jsonl", utf16)
        .file("data/external.jsonl", "{\"id\":\"y\",\"text\":\"1\"}\n\n{\"id\":\"EXT-external-y\",\"text\":\"2\"}\n")
        .file("data/optional.jsonl", "{\"id\":\"a\",\"text\":\"1\",\"context\":\"c\"}\n{\"id\":\"b\",\"text\":\"1\",\"Context\":\"c\"}\n{\"id\":\"c\",\"text\":\"1\"}\n")
        .file("data/optional_typo.jsonl", "{\"text\":\"1\",\"context\":\"c\"}\n{\"text\":\"2\",\"context\":\"c\"}\n")
        .file("data/booleans.csv", "id,urgent,ground_truth\nexcel,TRUE,FALSE\npandas,True,False\njson,true,false\nyesno,yes,no\n")
        .file(
            "data/numbers.csv",
            "id,n,ratio,ground_truth\nplain,12,0.5,12.5\npandas,12.0,0.5,12.5\nblank, ,0.5,0.5\n\
             half,12.5,0.5,13\nthousands,\"1,234\",0.5,1234.5\ncomma,12,\"0,5\",12.5\n",
        )
        .file(
            "data/edges.jsonl",
            "{\"id\":\"minus-zero\",\"x\":-0.0,\"y\":0.7}\n{\"id\":\"below\",\"x\":-1e-17,\"y\":0.7}\n\
             {\"id\":\"above\",\"x\":1.0000000000000002,\"y\":1.0000001}\n\
             {\"id\":\"threshold\",\"x\":0.5,\"y\":0.69999995}\n\
             {\"id\":\"far\",\"x\":1.00000001,\"y\":0.7}\n{\"id\":\"far32\",\"x\":0.5,\"y\":1.00001}\n",
        )
        .file("data/singles.jsonl", "{\"id\":\"tenth\",\"x\":0.1,\"ground_truth\":0.1}\n{\"id\":\"more\",\"x\":5.55,\"ground_truth\":5.55}\n")
});

fn run(experiment: &str) -> Run {
    PROJECT.evals([format!("{experiment}::")]).run()
}

/// Checks that all cases passed, and that the function returned these values.
fn outputs(experiment: &str, want: &[(&str, &str)]) {
    let run = run(experiment);
    assert_eq!(run.code, Some(0), "{}", run.output());
    let mut got: Vec<(String, String)> = run
        .attempts()
        .into_iter()
        .map(|attempt| (attempt.case, attempt.output.unwrap_or_default().to_string()))
        .collect();
    got.sort();
    let want: Vec<(String, String)> =
        want.iter().map(|(case, output)| ((*case).to_owned(), (*output).to_owned())).collect();
    assert_eq!(got, want);
}

/// Checks that the run failed, with these texts in this order.
fn says(experiment: &str, texts: &[&str]) {
    let report = run(experiment).report();
    assert!(report.starts_with("exit code 101"), "{report}");
    let mut rest = report.as_str();
    for text in texts {
        match rest.split_once(text) {
            Some((_, after)) => rest = after,
            None => panic!("`{text}` is not in its place:\n{report}"),
        }
    }
}

#[test]
fn a_quote_that_never_closes_takes_no_rows_with_it() {
    let report = run("open_quote").report();
    assert!(report.contains("open_quote::dataset  FAILED"), "{report}");
    says("open_quote", &["data/open_quote.csv:2: the quote before \"said so\" is never closed"]);
}

#[test]
fn a_repeated_key_or_column_is_told() {
    says(
        "repeated",
        &[
            "repeated::e       ok",
            "line-1  FAILED",
            "data/repeated.jsonl:1: the key `text` is repeated in one object",
            "data/repeated.jsonl:2: the key `inputs` is repeated",
            "data/repeated.jsonl:3: the key `text` is repeated",
            "data/repeated.jsonl:4: the key `x` is repeated",
        ],
    );
    says(
        "repeated_array",
        &["repeated_array::b", "ok", "data/repeated.json:2: the key `text` is repeated"],
    );
    says("repeated_column", &["data/repeated.csv:1: two columns are named `text`"]);
}

#[test]
fn a_key_that_is_nearly_another_one_is_told() {
    says(
        "nearly_id",
        &["the key `ID` is nearly `id`", "the key `Ground Truth` is nearly `ground_truth`"],
    );
    says(
        "optional",
        &[
            "optional::a  ok",
            "optional::b  FAILED",
            "the row has `Context`, which is nearly `context`",
            "optional::c  ok",
        ],
    );
    says(
        "optional_typo",
        &[
            "none of the 2 rows",
            "has an input `contxt`",
            "they have `context`, which nothing reads",
        ],
    );
}

#[test]
fn other_separators_are_read() {
    outputs("semicolons", &[("a", "\"Grüße, Welt\""), ("b", "\"hello\"")]);
    outputs("first_line", &[("a", "\"eins\"")]);
    outputs("pasted", &[("a", "\"one\"")]);
}

#[test]
fn what_is_nearly_json_is_named() {
    says(
        "not_json",
        &[
            "data/not_json.jsonl:2: not valid JSON: ",
            "JSON has no NaN",
            "data/not_json.jsonl:3: ",
            "json.dumps",
            "data/not_json.jsonl:4: ",
            "remove the comma before the closing `}`",
            "data/not_json.jsonl:5: ",
            "each row on a line of its own",
            "data/not_json.jsonl:6: ",
            "JSON has no Infinity",
            "not_json::ok      ok",
        ],
    );
}

#[test]
fn marks_and_ends_of_lines_of_other_programs_are_read() {
    outputs("marks", &[("a", "\"1\""), ("b", "\"2\"")]);
    outputs("old_mac", &[("a", "\"1\""), ("b", "\"2\"")]);
    outputs("padded", &[("a", "\"one\""), ("b", "\"two\"")]);
    says("utf16", &["data/utf16.jsonl:1: the file is UTF-16"]);
}

#[test]
fn ids_keep_their_digits_and_stay_apart() {
    outputs(
        "long_ids",
        &[
            ("12345678901234567890123", "\"a\""),
            ("12345678901234567890124", "\"b\""),
            ("18446744073709551615", "\"c\""),
        ],
    );
    says(
        "external",
        &[
            "external::dataset  FAILED",
            "`y` (data/external.jsonl:1) and `EXT-external-y` (data/external.jsonl:3) are both \
             `EXT-external-y`",
        ],
    );
}

#[test]
fn an_absent_value_is_told_with_the_way_out() {
    says(
        "empty_text",
        &[
            "data/empty_text.csv:2: input `text` is missing",
            "an empty cell of a CSV file is an absent value",
        ],
    );
    says(
        "no_header",
        &[
            "has an input `text`",
            "the first line of a CSV file names its columns, here `Danke`, `de`",
        ],
    );
    says(
        "input_key",
        &["input `text` is missing; the row has it within `input`; did you mean `inputs`?"],
    );
    says("skipped", &["unknown key `skip`: a row has no key that skips it"]);
    says(
        "elsewhere",
        &["(the path is relative to its Cargo.toml); did you mean data/marks.jsonl?"],
    );
}

#[test]
fn cells_of_spreadsheets_are_read_where_they_mean_one_thing() {
    says(
        "booleans",
        &[
            "booleans::excel   ok",
            "booleans::json    ok",
            "booleans::pandas  ok",
            "booleans::yesno   FAILED",
            "write true or false",
        ],
    );
    says(
        "numbers",
        &[
            "numbers::blank      ok",
            "numbers::comma      FAILED",
            "write a decimal point",
            "numbers::half       FAILED",
            "numbers::pandas     ok",
            "numbers::plain      ok",
            "numbers::thousands  FAILED",
            "no separators between thousands",
        ],
    );
}

#[test]
fn rounding_makes_no_error_at_the_edge_of_a_range() {
    says(
        "edges",
        &[
            "edges::above       ok",
            "edges::below       ok",
            "edges::far         FAILED",
            "returned 1.00000001, outside its range 0 to 1",
            "edges::far32       FAILED",
            "returned 1.00001, outside its range 0 to 1",
            "edges::minus-zero  ok",
            "edges::threshold   ok",
        ],
    );
}

#[test]
fn numbers_of_other_widths_are_recorded_with_their_own_digits() {
    outputs("singles", &[("more", "5.55"), ("tenth", "0.1")]);
    let wide = "{\"big\":3.402823669209385e+38,\"bytes\":[97,98],\"infinite\":null,\"keys\":{\"1\":true},\
                \"single\":[0.1,5.55],\"small\":-7,\"zero\":-0.0}";
    outputs("wide", &[("a", wide), ("b", wide)]);
}

#[test]
fn a_dataset_function_says_where_its_rows_stand() {
    says(
        "by_hand",
        &[
            "by_hand::first  FAILED",
            "rows.yaml:1 (read_by_hand() row 1): `text` (1) is not a `&str`",
            "by_hand::row-2  FAILED",
            "read_by_hand() row 2: rows.yaml:2: not a mapping",
            "by_hand::third  FAILED",
            "rows.yaml:3 (",
        ],
    );
}
