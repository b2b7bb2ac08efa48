//! Parts of the attribute and of the function come from a macro's arguments.

use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn long_enough(output: &str, #[setting] min: usize) -> bool {
    output.len() >= min
}

macro_rules! experiments {
    ($($name:ident($argument:ident: $ty:ty) = $file:literal, $min:expr, $limit:literal, $check:path;)*) => {$(
        #[experiment(
            dataset = $file,
            evaluators($check(min = $min)),
            gate(mean($check) >= $limit, p95(latency) <= "2s"),
            repeats = $limit,
            metadata(file = $file),
        )]
        fn $name($argument: $ty) -> String {
            format!("{:?}", $argument)
        }
    )*};
}

experiments! {
    first(text: &str) = "a.jsonl", 1 + 2, 1, long_enough;
    second(list: Option<&[u8]>) = "b.jsonl", 3, 1, self::long_enough;
}

macro_rules! evaluators {
    ($($name:ident: $returned:ty = $threshold:literal, $default:expr;)*) => {$(
        #[evaluator(threshold = $threshold, range(0, 5), settings(factor = $default))]
        fn $name(output: $returned, factor: $returned) -> $returned {
            output * factor
        }
    )*};
}

evaluators! {
    number: f64 = 0.5, 2.0;
    whole: u8 = 1, 2;
}

macro_rules! through_the_crate {
    ($name:ident) => {
        #[experiment(dataset = "data.jsonl", crate = $crate::reexported, evaluators($crate::number))]
        fn $name() {}
    };
}

mod reexported {
    pub use honeyhive_harness::__private;
}

through_the_crate!(third);

fn main() {
    let all = honeyhive_harness::__private::experiments();
    let names: Vec<&str> = all.iter().map(|experiment| experiment.name).collect();
    assert_eq!(names, ["first", "second", "third"]);
    assert_eq!(all[0].params[0].ty, "&str");
    assert_eq!(all[0].evaluators[0].settings, "min = 1 + 2");
    assert_eq!(all[1].gates[0].text, "mean(self::long_enough) >= 1");
    assert!(!all[1].params[0].required);
    assert_eq!(whole(2, 3), 6);
}
