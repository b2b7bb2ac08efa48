//! A library may switch the macros on by a feature of its own.

#[cfg_attr(all(), honeyhive_harness::evaluator(settings(min, word = "x")))]
fn long_enough(output: &str, min: usize, word: &str) -> bool {
    output.len() >= min && output.contains(word)
}

#[cfg_attr(all(), honeyhive_harness::experiment(dataset = "data.jsonl", evaluators(long_enough(min = 3))))]
#[cfg_attr(all(), ignore = "costs money")]
fn on(#[cfg_attr(all(), input("the-name"))] name: &str) -> String {
    name.to_owned()
}

#[cfg_attr(any(), honeyhive_harness::experiment(dataset = "data.jsonl", smoke))]
fn off<T: Default>(#[cfg_attr(any(), input("the-name"))] _name: T) {}

fn main() {
    off(1);
    let all = honeyhive_harness::__private::experiments();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].name, all[0].ignore), ("on", Some("costs money")));
    let key = honeyhive_harness::__private::Key::Input("the-name");
    assert_eq!((all[0].params[0].name, all[0].params[0].key), ("name", key));
}
