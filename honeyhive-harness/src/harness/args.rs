//! The command line of a test binary, as `cargo test`, nextest and editors write it.
//!
//! `cargo test -- <flags>` hands its flags to every test binary, so every flag of libtest is
//! accepted here. One that has no meaning for experiments is answered with a note, an unknown
//! one with an error.

use std::ffi::OsString;

use libtest_mimic::{ColorSetting, FormatSetting};

use crate::text::closest;
use crate::text::count;

/// The options of a test binary's command line.
#[derive(Debug, Default)]
pub(super) struct Args {
    pub(super) filters: Vec<String>,
    /// Filters that name the place of an experiment, and its name.
    pub(super) by_module: Vec<(String, &'static str)>,
    pub(super) skip: Vec<String>,
    pub(super) exact: bool,
    pub(super) ignored: bool,
    pub(super) include_ignored: bool,
    pub(super) list: bool,
    pub(super) bench: bool,
    pub(super) help: bool,
    pub(super) quiet: bool,
    pub(super) fail_fast: bool,
    pub(super) test_threads: Option<usize>,
    pub(super) color: Option<ColorSetting>,
    pub(super) format: Option<FormatSetting>,
    pub(super) logfile: Option<String>,
    /// The seed of a random order of the tests.
    pub(super) shuffle: Option<u64>,
    /// Set when a name that means no test is a failure, not a note: `cargo honeyhive` took it from a run.
    pub(super) must_exist: bool,
    /// The notes to print about flags that have no effect.
    pub(super) notes: Vec<String>,
}

pub(super) const HELP: &str = "\
Runs experiments: every datapoint is a test.

Usage: cargo test [--test TARGET] -- [OPTIONS] [FILTERS...]

  FILTERS...            run tests whose name contains one of these
  --exact               filters and --skip are whole names of tests or of experiments
  --skip FILTER         leave out tests whose name contains this (repeatable)
  --ignored             run only experiments marked #[ignore]
  --include-ignored     run these, too
  --list                list the tests; runs and writes nothing
  --test-threads N      attempts at once, over all experiments (1: strictly in order)
  --fail-fast           start nothing more after the first failure
  --shuffle             run in a random order; --shuffle-seed N repeats one
  --format pretty|terse|json, -q, --color auto|always|never, --logfile PATH

Output is never captured: --nocapture, --no-capture and --show-output are accepted.

Environment:
  HH_DIR                where journals go instead of target/honeyhive
  HH_CONCURRENCY        attempts at once; --test-threads wins
  HH_REPEATS, HH_SAMPLE attempts of each case; a number of cases, chosen by chance
  HH_STOP=never         stop = decided of experiments has no effect
  HH_REPORT             html,md,junit,json or none: the reports after a run
  HH_REQUIRE_GATES=1    a gate that cannot judge fails, as in CI; 0: not even there
  HH_CAPTURE=none       inputs, outputs and texts of errors are not recorded
  HH_API_KEY            results go to HoneyHive, too; HH_OFFLINE=1: nothing leaves
  HH_FLUSH_TIMEOUT      how long the end of a run waits for that (15 s)
  HH_EXT_IDS=python     external ids as HoneyHive's Python SDK makes them

The manual has all of them: cargo doc -p honeyhive-harness --open
";

/// Flags that take a value.
const WITH_VALUE: [&str; 8] = [
    "--skip",
    "--test-threads",
    "--color",
    "--format",
    "--logfile",
    "--shuffle-seed",
    "-Z",
    "--report-time",
];

/// Flags that take no value.
const WITHOUT_VALUE: [&str; 19] = [
    "--exact",
    "--ignored",
    "--include-ignored",
    "--list",
    "--test",
    "--bench",
    "--help",
    "-h",
    "--quiet",
    "-q",
    "--nocapture",
    "--no-capture",
    "--show-output",
    "--fail-fast",
    "--shuffle",
    "--ensure-time",
    "--exclude-should-panic",
    "--force-run-in-process",
    "--report-time",
];

impl Args {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// When they are invalid: with the reason, and what may have been meant.
    pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut args = Self::default();
        let arguments: Vec<String> = arguments
            .into_iter()
            .enumerate()
            .map(|(index, argument)| {
                argument.into_string().map_err(|argument| {
                    format!(
                        "argument {} is not valid UTF-8: {}; names of tests and options are",
                        index + 1,
                        argument.to_string_lossy()
                    )
                })
            })
            .collect::<Result<_, String>>()?;
        let mut arguments = arguments.into_iter();
        let mut only_filters = false;
        while let Some(argument) = arguments.next() {
            if only_filters || !argument.starts_with('-') || argument == "-" {
                args.filters.push(argument);
                continue;
            }
            if argument == "--" {
                only_filters = true;
                continue;
            }
            let (flag, inline) = match argument.split_once('=') {
                Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
                None if argument.starts_with("-Z") && argument.len() > 2 => {
                    ("-Z".to_owned(), Some(argument[2..].to_owned()))
                }
                None => (argument, None),
            };
            args.flag(&flag, inline, &mut arguments)?;
        }
        Ok(args)
    }

    fn flag(
        &mut self,
        flag: &str,
        inline: Option<String>,
        rest: &mut impl Iterator<Item = String>,
    ) -> Result<(), String> {
        // libtest's `--report-time` takes a value only behind `=`.
        let takes_value = WITH_VALUE.contains(&flag) && flag != "--report-time";
        if !takes_value && !WITHOUT_VALUE.contains(&flag) {
            let hint = match closest(flag, WITH_VALUE.into_iter().chain(WITHOUT_VALUE)) {
                Some(near) => format!("; did you mean {near}?"),
                None => "; --help lists them all".to_owned(),
            };
            return Err(format!("unknown option {flag}{hint}"));
        }
        match &inline {
            Some(style) if flag == "--report-time" && !["plain", "colored"].contains(&&**style) => {
                return Err(format!("--report-time={style}: not plain or colored"));
            }
            Some(_) if !takes_value && flag != "--report-time" => {
                return Err(format!("{flag} takes no value"));
            }
            _ => {}
        }
        let value = if takes_value {
            match inline.or_else(|| rest.next()) {
                Some(value) if value.is_empty() => {
                    return Err(format!("{flag} needs a value, and this one is empty"));
                }
                Some(value) if is_option(&value) => {
                    return Err(format!("{flag} needs a value, and {value} is an option"));
                }
                Some(value) => value,
                None => return Err(format!("{flag} needs a value")),
            }
        } else {
            String::new()
        };
        let no_effect = |what: &str| format!("{what} has no effect on experiments");
        match flag {
            "--exact" => self.exact = true,
            "--ignored" => self.ignored = true,
            "--include-ignored" => self.include_ignored = true,
            "--list" => self.list = true,
            "--bench" => self.bench = true,
            "--help" | "-h" => self.help = true,
            "--quiet" | "-q" => self.quiet = true,
            "--fail-fast" => self.fail_fast = true,
            "--skip" => self.skip.push(value),
            "--test-threads" => match value.parse() {
                Ok(0) | Err(_) => {
                    return Err(format!("--test-threads {value}: not a number from 1"));
                }
                Ok(number) => self.test_threads = Some(number),
            },
            "--color" => {
                self.color = Some(match value.as_str() {
                    "auto" => ColorSetting::Auto,
                    "always" => ColorSetting::Always,
                    "never" => ColorSetting::Never,
                    _ => return Err(format!("--color {value}: not auto, always or never")),
                });
            }
            "--format" => {
                self.format = Some(match value.as_str() {
                    "pretty" => FormatSetting::Pretty,
                    "terse" => FormatSetting::Terse,
                    "json" => FormatSetting::Json,
                    "junit" => {
                        self.notes.push("--format junit is not offered; this is pretty".to_owned());
                        FormatSetting::Pretty
                    }
                    _ => return Err(format!("--format {value}: not pretty, terse or json")),
                });
            }
            "--logfile" => self.logfile = Some(value),
            "--shuffle" => {
                self.shuffle.get_or_insert_with(|| uuid::Uuid::new_v4().as_u64_pair().0 >> 32);
            }
            "--shuffle-seed" => {
                let seed = value.parse();
                self.shuffle =
                    Some(seed.map_err(|_| format!("--shuffle-seed {value}: not a number"))?);
            }
            "--report-time" => {
                self.notes.push(format!("{}; the summary has the times", no_effect(flag)));
            }
            "--ensure-time" => {
                self.notes.push(format!("{}; write gate(p95(latency) <= ..)", no_effect(flag)));
            }
            "-Z" if value != "unstable-options" => {
                return Err(format!("-Z {value}: not unstable-options"));
            }
            // `--test`: no benchmarks, and there are none. Nothing is captured, nothing should
            // panic, everything runs in this process, `-Z unstable-options` permits.
            _ => {}
        }
        Ok(())
    }

    /// Returns whether a test of this name is selected by name.
    pub(super) fn selects(&self, name: &str) -> bool {
        (self.filters.is_empty() || self.filters.iter().any(|filter| self.matches(filter, name)))
            && !self.skip.iter().any(|skip| self.matches(skip, name))
    }

    /// Returns whether a filter, or the text of `--skip`, means the test of this name. With `--exact` the
    /// name of an experiment means all its tests, as under nextest; so does the name of the test that
    /// fails because of a broken dataset, which exists only as long as the dataset is broken.
    pub(super) fn matches(&self, filter: &str, name: &str) -> bool {
        if self.matches_module(filter, name) {
            return true;
        }
        if !self.exact {
            return name.contains(filter);
        }
        let experiment = name.split_once("::").map_or(name, |(experiment, _)| experiment);
        name == filter
            || experiment == filter
            || filter.strip_suffix("::dataset").is_some_and(|head| head == experiment)
    }

    /// Returns whether a test of this experiment can be selected at all, so that its dataset must be read.
    /// `::` stands in a test name only between the experiment and the row.
    pub(super) fn may_select_in(&self, experiment: &str) -> bool {
        self.filters.is_empty()
            || self.by_module.iter().any(|(_, name)| *name == experiment)
            || self.filters.iter().any(|filter| match filter.split_once("::") {
                Some((head, _)) if self.exact => experiment == head,
                Some((head, _)) => experiment.ends_with(head),
                None => !self.exact || experiment == filter,
            })
    }

    /// Returns the names of tests of this experiment that `--exact` asks for, and that it does not have.
    pub(super) fn missing_of<'a>(
        &'a self,
        experiment: &'a str,
        has: impl Fn(&str) -> bool + 'a,
    ) -> impl Iterator<Item = &'a String> {
        let exact = self.exact;
        self.filters.iter().filter(move |filter| {
            let case = filter.strip_prefix(experiment).and_then(|rest| rest.strip_prefix("::"));
            exact && case.is_some_and(|case| case != "dataset" && !has(case))
        })
    }

    /// Returns whether the one test of an experiment that cannot run is selected: by its own name, or by
    /// whatever would have selected a case.
    pub(super) fn selects_fault(&self, experiment: &str, name: &str) -> bool {
        let aims_at = |filter: &String| {
            filter.strip_prefix(experiment).is_some_and(|rest| rest.starts_with("::"))
        };
        let skipped = self
            .skip
            .iter()
            .any(|skip| if self.exact { name == skip } else { name.contains(skip.as_str()) });
        !skipped && (self.selects(name) || self.filters.iter().any(aims_at))
    }

    /// Returns whether an experiment with this `ignore` flag takes part.
    pub(super) fn wants(&self, ignored: bool) -> bool {
        ignored || !self.ignored
    }

    /// Returns whether a selected test is only shown as ignored.
    pub(super) fn leaves_out(&self, ignored: bool) -> bool {
        self.bench || (ignored && !self.ignored && !self.include_ignored)
    }

    /// Returns `3 filters` and the like, for texts about partial selections.
    pub(super) fn narrowing(&self) -> String {
        match (self.filters.len(), self.skip.len()) {
            (0, 0) => "the selection".to_owned(),
            (0, skips) => count(skips, "--skip filter"),
            (filters, _) => count(filters, "filter"),
        }
    }
}

/// Returns whether a value is a flag itself, so that the value was forgotten.
fn is_option(value: &str) -> bool {
    let flag = value.split('=').next().unwrap_or_default();
    value.starts_with("--") && (WITH_VALUE.contains(&flag) || WITHOUT_VALUE.contains(&flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        // `''` is an empty argument.
        let words = line.split_whitespace().map(|word| if word == "''" { "" } else { word });
        Args::parse(words.map(OsString::from))
    }

    #[test]
    fn every_flag_of_libtest_is_accepted() {
        let args = parse(
            "one two --skip a --skip=b --exact --ignored --include-ignored --test-threads 4 \
             --nocapture --no-capture --show-output -q --quiet --color always --format json \
             -Z unstable-options -Zunstable-options --report-time --report-time=plain --ensure-time \
             --shuffle --shuffle-seed 7 --fail-fast --exclude-should-panic --logfile x --test --list",
        )
        .unwrap();
        assert_eq!(args.filters, ["one", "two"]);
        assert_eq!(args.skip, ["a", "b"]);
        assert_eq!((args.test_threads, args.shuffle), (Some(4), Some(7)));
        assert!(args.exact && args.ignored && args.include_ignored && args.quiet && args.list);
        assert_eq!(args.format, Some(FormatSetting::Json));
        assert_eq!(args.notes.len(), 3);
    }

    #[test]
    fn mistakes_are_named() {
        for (line, error) in [
            ("--exat", "unknown option --exat; did you mean --exact?"),
            ("--whatever-this-is", "unknown option --whatever-this-is; --help lists them all"),
            ("--test-threads 0", "--test-threads 0: not a number from 1"),
            ("--test-threads", "--test-threads needs a value"),
            ("--format xml", "--format xml: not pretty, terse or json"),
            ("--exact=yes", "--exact takes no value"),
            ("--color blue", "--color blue: not auto, always or never"),
            ("--shuffle-seed x", "--shuffle-seed x: not a number"),
            ("--shuffle-seed -1", "--shuffle-seed -1: not a number"),
            ("--skip ''", "--skip needs a value, and this one is empty"),
            ("--skip= a", "--skip needs a value, and this one is empty"),
            ("--logfile ''", "--logfile needs a value, and this one is empty"),
            ("--logfile --exact", "--logfile needs a value, and --exact is an option"),
            ("--skip --format=json", "--skip needs a value, and --format=json is an option"),
            ("--test-threads=-4", "--test-threads -4: not a number from 1"),
            ("--report-time=fast", "--report-time=fast: not plain or colored"),
            ("-Z other", "-Z other: not unstable-options"),
            ("-Zother", "-Z other: not unstable-options"),
            ("--list=x", "--list takes no value"),
        ] {
            assert_eq!(parse(line).unwrap_err(), error);
        }
    }

    #[cfg(unix)]
    #[test]
    fn an_argument_that_is_not_utf_8_is_named() {
        use std::os::unix::ffi::OsStringExt as _;
        let arguments = [OsString::from("a"), OsString::from_vec(b"b\xff".to_vec())];
        let error = Args::parse(arguments).unwrap_err();
        assert!(error.starts_with("argument 2 is not valid UTF-8: b\u{fffd}; "), "{error}");
    }

    #[test]
    fn the_exact_name_of_an_experiment_means_all_its_tests() {
        let args = parse("--exact qa").unwrap();
        assert!(args.selects("qa::a") && args.selects("qa::gate") && args.selects("qa"));
        assert!(!args.selects("qa2::a") && !args.selects("other::qa"));
        assert!(args.may_select_in("qa") && !args.may_select_in("qa2"));
        let args = parse("--exact qa::dataset").unwrap();
        assert!(args.selects("qa::a") && args.may_select_in("qa") && !args.selects("x::a"));
        let args = parse("--exact --skip qa").unwrap();
        assert!(!args.selects("qa::a") && args.selects("qa2::a"));
    }

    #[test]
    fn several_filters_are_alternatives() {
        let args = parse("qa::a b --skip gate").unwrap();
        assert!(args.selects("qa::a1") && args.selects("x::b") && !args.selects("qa::c"));
        assert!(!args.selects("qa::a::gate"));
        let args = parse("--exact qa::a qa::b").unwrap();
        assert!(args.selects("qa::b") && !args.selects("qa::ab"));
        assert!(
            args.may_select_in("qa") && !args.may_select_in("q") && !args.may_select_in("other")
        );
        assert!(args.selects_fault("qa", "qa::dataset") && !args.selects_fault("x", "x::dataset"));
    }
}
