//! Parameters of an experiment in every form, and what is recorded of them.

use std::collections::BTreeMap;
use std::path::{self, Path, PathBuf};

use honeyhive_harness::__private::Key;
use honeyhive_harness::{Tracer, experiment};

#[derive(serde::Deserialize)]
struct Message {
    _text: String,
}

#[experiment(dataset = "data.jsonl", smoke)]
fn borrowed(
    text: &str,
    list: &[Message],
    file: &Path,
    other: &path::Path,
    message: &Message,
    map: &BTreeMap<String, u8>,
    all: &Vec<String>,
) {
    let _ = (text, list, file, other, message, map, all);
}

#[experiment(dataset = "data.jsonl", smoke)]
fn optional(
    text: Option<&str>,
    list: Option<&[Message]>,
    file: Option<&std::path::Path>,
    message: Option<&Message>,
    number: std::option::Option<u8>,
) {
    let _ = (text, list, file, message, number);
}

#[experiment(dataset = "data.jsonl", smoke)]
fn owned(mut text: String, file: PathBuf, list: Vec<u8>, message: (Message, [u8; 2])) {
    text.clear();
    drop((text, file, list, message));
}

#[experiment(dataset = "data.jsonl", smoke)]
async fn named(
    _unused: u8,
    r#type: &str,
    #[input("key-with-dashes")] key: u8,
    #[input("tracer")] not_the_tracer: u8,
    inputs: Message,
    tracer: &Tracer,
) {
    let _ = (r#type, key, not_the_tracer, inputs, tracer);
}

fn main() {
    let all = honeyhive_harness::__private::experiments();
    let of = |name: &str| all.iter().find(|experiment| experiment.name == name).unwrap().params;
    let types: Vec<&str> = of("borrowed").iter().map(|param| param.ty).collect();
    let expected = [
        "&str",
        "&[Message]",
        "&Path",
        "&path::Path",
        "&Message",
        "&BTreeMap<String, u8>",
        "&Vec<String>",
    ];
    assert_eq!(types, expected);
    assert!(of("borrowed").iter().all(|param| param.required));
    assert!(of("optional").iter().all(|param| !param.required));
    let named: Vec<(&str, Key)> = of("named").iter().map(|param| (param.name, param.key)).collect();
    let expected = [
        ("unused", Key::Input("unused")),
        ("type", Key::Input("type")),
        ("key", Key::Input("key-with-dashes")),
        ("not_the_tracer", Key::Input("tracer")),
        ("inputs", Key::Inputs),
    ];
    assert_eq!(named, expected);
}
