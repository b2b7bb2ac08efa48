//! The plan of a test binary: registered experiments, their datasets, and which tests are selected.

use std::sync::Arc;

use super::args::Args;
use super::load::{Loaded, load, size};
use super::never_run;
use super::order::stop;
use super::sources::Sources;
use crate::activity;
use crate::config::Config;
use crate::dataset::Dataset;
use crate::engine::{self, Definition, Job, Spec, Wishes};
use crate::ids;
use crate::invocation::{NotJudging, sample};
use crate::redact::Redactor;
use crate::registry::Experiment;
use crate::report::{self, Fault};
use crate::text::count;

/// A test.
#[derive(Debug)]
pub(super) struct Test {
    pub(super) name: String,
    /// The reason of `#[ignore]`, which may be empty; `None` without that attribute.
    pub(super) ignored: Option<&'static str>,
    pub(super) selected: bool,
    pub(super) what: What,
}

/// The thing that a test stands for.
#[derive(Debug)]
pub(super) enum What {
    /// A row of an experiment.
    Case { experiment: usize, row: usize },
    /// A whole experiment with its gate, which nextest runs in a process of its own.
    Whole { experiment: usize },
    /// The gate of an experiment.
    Gate { experiment: usize },
    /// An experiment that cannot run, with the error.
    Fault { text: String },
    /// Functions with `#[test]`, which do not run here.
    NeverRun { text: String },
}

/// All tests, in the order in which they are listed and run.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) tests: Vec<Test>,
    pub(super) loaded: Vec<Loaded>,
    /// The names of all experiments of this binary.
    pub(super) linked: Vec<&'static str>,
    /// The number of tests that experiments have and that no filter can mean.
    pub(super) others: usize,
}

/// The jobs of the selected tests.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub(super) jobs: Vec<Job>,
    /// The reason why its gate does not judge, per job.
    pub(super) gates: Vec<NotJudging>,
    /// Set, per job, when its gate alone was asked for, so that only the gate's test reports cases that fail.
    pub(super) alone: Vec<bool>,
    /// The job and place of each selected case, in the order of the plan's tests.
    pub(super) places: Vec<Place>,
}

/// The place where the result of a selected test is found.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Case {
        job: usize,
        index: usize,
    },
    Whole {
        job: usize,
    },
    Gate {
        job: usize,
    },
    /// A test that fails because its experiment cannot run.
    Fault {
        name: String,
        text: String,
    },
    /// A test that fails because of functions with `#[test]`, which do not run.
    NeverRun {
        name: String,
        text: String,
    },
    /// A test of an experiment that cannot run, which another test reports.
    Absent,
}

impl Prepared {
    /// Returns the number of tests to wait for.
    pub(super) fn tests(&self) -> usize {
        self.places.iter().filter(|place| !matches!(place, Place::Absent)).count()
    }
}

impl Test {
    /// Returns the place of a test that fails with this text.
    fn failing(&self, text: &str) -> Place {
        let (name, text) = (self.name.clone(), text.to_owned());
        match self.what {
            What::NeverRun { .. } => Place::NeverRun { name, text },
            _ => Place::Fault { name, text },
        }
    }
}

impl Place {
    /// Returns the name and the text of a test that fails whatever else runs.
    pub(super) fn failing(self) -> Option<(String, String)> {
        match self {
            Self::Fault { name, text } | Self::NeverRun { name, text } => Some((name, text)),
            _ => None,
        }
    }

    /// Returns the experiment that cannot run, for the summary.
    pub(super) fn fault(&self) -> Option<Fault> {
        let Self::Fault { name, text } = self else { return None };
        Some(Fault { test: name.clone(), text: text.clone() })
    }
}

impl Plan {
    /// Reads the datasets of all experiments that can be selected, and names their tests.
    pub(super) fn new(
        entries: &[&'static Experiment],
        args: &Args,
        config: &Config,
        sources: &Sources,
        redactor: &Redactor,
    ) -> Self {
        let whole = config.nextest.is_some();
        let mut plan =
            Self { linked: entries.iter().map(|entry| entry.name).collect(), ..Self::default() };
        let mut seen: Vec<&str> = Vec::new();
        let mut others: Vec<&Experiment> = Vec::new();
        let mut notes: Vec<String> = Vec::new();
        for entry in entries {
            if seen.contains(&entry.name) {
                continue;
            }
            seen.push(entry.name);
            if !(whole || args.may_select_in(entry.name)) {
                others.push(entry);
                continue;
            }
            let same: Vec<String> = entries
                .iter()
                .filter(|other| other.name == entry.name)
                .map(|other| format!("{}:{}", other.file, other.line))
                .collect();
            let ignored = entry.ignore;
            let selected = args.selects(entry.name) && args.wants(ignored.is_some());
            if whole && (args.list || !selected) {
                // Not even a dataset is read for a name.
                let what = What::Whole { experiment: usize::MAX };
                plan.tests.push(Test { name: entry.name.to_owned(), ignored, selected, what });
                continue;
            }
            let loaded = if same.len() > 1 {
                Err(format!(
                    "{} experiments are named `{}`: {}; give all but one a `name = \"..\"`",
                    same.len(),
                    entry.name,
                    same.join(", ")
                ))
            } else {
                load(entry, args, config, sources).map_err(|text| redactor.text(&text).into_owned())
            };
            // Several experiments may have one dataset.
            if let Ok(Some(note)) = loaded.as_ref().map(|loaded| loaded.dataset.note())
                && !args.list
                && !notes.iter().any(|noted| noted == note)
            {
                report::note(&redactor.text(note));
                notes.push(note.to_owned());
            }
            match loaded {
                Err(text) if whole => {
                    let (name, what) = (entry.name.to_owned(), What::Fault { text });
                    plan.tests.push(Test { name, ignored, selected, what });
                }
                Err(text) => plan.add_fault(entry, text, args),
                Ok(loaded) if whole => {
                    let what = What::Whole { experiment: plan.loaded.len() };
                    plan.tests.push(Test { name: entry.name.to_owned(), ignored, selected, what });
                    plan.loaded.push(loaded);
                }
                Ok(loaded) => {
                    let missing: Vec<(String, String)> = args
                        .missing_of(entry.name, |case| loaded.has(case))
                        .map(|name| (name.clone(), loaded.no_such_case(name)))
                        .collect();
                    plan.add(loaded, args, config);
                    for (name, text) in missing {
                        plan.add_missing(entry, name, text, args);
                    }
                }
            }
        }
        if args.must_exist {
            let is_known =
                |filter: &&String| plan.tests.iter().any(|test| args.matches(filter, &test.name));
            let unknown: Vec<&String> = args.filters.iter().filter(|it| !is_known(it)).collect();
            for name in unknown {
                let experiment = name.split_once("::").map_or(&**name, |(head, _)| head);
                let text = format!("this test target has no experiment `{experiment}` any more");
                let (name, what) = (name.clone(), What::Fault { text });
                plan.tests.push(Test { name, ignored: None, selected: true, what });
            }
        }
        if !args.list {
            let nothing = plan.running(args).next().is_none();
            let tests = others.iter().map(|entry| size(entry, args, config, sources, nothing));
            plan.others = tests.sum();
        }
        plan
    }

    /// Adds a test that fails, for a name after `--exact` that its experiment does not have: a rerun of
    /// nothing proves nothing.
    fn add_missing(&mut self, entry: &Experiment, name: String, text: String, args: &Args) {
        if args.list {
            return;
        }
        let ignored = entry.ignore;
        let selected = args.selects(&name) && args.wants(ignored.is_some());
        self.tests.push(Test { name, ignored, selected, what: What::Fault { text } });
    }

    fn add_fault(&mut self, entry: &Experiment, text: String, args: &Args) {
        let name = format!("{}::dataset", entry.name);
        let ignored = entry.ignore;
        let selected = args.selects_fault(entry.name, &name) && args.wants(ignored.is_some());
        self.tests.push(Test { name, ignored, selected, what: What::Fault { text } });
    }

    /// Adds the test that fails because of functions with `#[test]`.
    pub(super) fn add_never_run(&mut self, text: Option<String>, args: &Args) {
        let Some(text) = text else { return };
        let name = never_run::TEST.to_owned();
        let selected = args.selects(&name) && args.wants(false);
        self.tests.push(Test { name, ignored: None, selected, what: What::NeverRun { text } });
    }

    fn add(&mut self, loaded: Loaded, args: &Args, config: &Config) {
        let Loaded { entry, dataset, .. } = &loaded;
        let experiment = self.loaded.len();
        let ignored = entry.ignore;
        let test = |name: String, what: What| {
            let selected = args.selects(&name) && args.wants(ignored.is_some());
            Test { name, ignored, selected, what }
        };
        let rows = loaded.order(args, config);
        self.tests.extend(rows.into_iter().map(|row| {
            let name = format!("{}::{}", entry.name, dataset.rows[row].slug);
            test(name, What::Case { experiment, row })
        }));
        if !entry.gates.is_empty() {
            self.tests.push(test(format!("{}::gate", entry.name), What::Gate { experiment }));
        }
        self.loaded.push(loaded);
    }

    /// Returns the rows of each experiment that are to run, and whether its gate is judged.
    fn chosen(&self, args: &Args, config: &Config) -> (Vec<Vec<usize>>, Vec<bool>) {
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); self.loaded.len()];
        let mut gate_selected = vec![false; self.loaded.len()];
        for test in self.running(args) {
            match test.what {
                What::Case { experiment, row } => rows[experiment].push(row),
                What::Whole { experiment } => {
                    rows[experiment].extend(self.loaded[experiment].order(args, config));
                    gate_selected[experiment] = true;
                }
                What::Gate { experiment } => gate_selected[experiment] = true,
                What::Fault { .. } | What::NeverRun { .. } => {}
            }
        }
        (rows, gate_selected)
    }

    /// Checks the selected rows and makes jobs of them.
    pub(super) fn prepare(&self, args: &Args, config: &Config, redactor: &Redactor) -> Prepared {
        let concurrency = args.test_threads.or(config.concurrency);
        let (mut rows, gate_selected) = self.chosen(args, config);
        let mut prepared = Prepared::default();
        // Per experiment: its job, or why it has none.
        let mut jobs: Vec<Option<Result<usize, String>>> = Vec::new();
        for (experiment, loaded) in self.loaded.iter().enumerate() {
            let Loaded { entry, dataset, .. } = loaded;
            let all = dataset.rows.len();
            let mut selected = std::mem::take(&mut rows[experiment]);
            // A gate that is asked for alone means the whole experiment.
            let alone = selected.is_empty() && gate_selected[experiment];
            if alone {
                selected = loaded.order(args, config);
            }
            if selected.is_empty() {
                jobs.push(None);
                continue;
            }
            let sample = config.sample.filter(|(size, _)| *size < selected.len());
            let whole = selected.len() == all;
            let not_judging = narrowed(&mut selected, dataset, sample, args);
            let asked = config.tracer.run_id.as_deref();
            let run_id = ids::run_id(asked, entry.name, self.linked.len() == 1);
            let wishes = Wishes {
                concurrency,
                repeats: config.repeats,
                python_ids: config.python_ids,
                run_id,
                metadata: loaded.metadata.clone(),
                files: loaded.files.clone(),
                sample,
                stop: stop(entry, args, config),
            };
            // Settings are expressions of the user.
            let reading = activity::enter(format!(
                "the settings of `{}` ({}:{})",
                entry.name, entry.file, entry.line
            ));
            let definition = Definition::registered(entry, &loaded.base);
            drop(reading);
            let spec = Arc::new(Spec::new(definition, Arc::clone(dataset), wishes));
            let checked = engine::check(&spec, &selected);
            let checked = checked.map_err(|text| redactor.text(&text).into_owned());
            jobs.push(Some(checked.map(|faults| {
                let gate_judges = gate_selected[experiment] && whole;
                prepared.jobs.push(Job {
                    attempts: 1..=spec.repeats,
                    stop_decided: gate_judges && sample.is_none() && spec.stop.is_some(),
                    earlier: std::collections::HashMap::new(),
                    spec,
                    selected,
                    faults,
                    recorded: std::collections::HashMap::new(),
                    leave_to_gate: gate_judges && (sample.is_none() || !strict(config)),
                });
                prepared.gates.push(not_judging);
                prepared.alone.push(alone);
                prepared.jobs.len() - 1
            })));
        }
        let mut indexes = vec![0; prepared.jobs.len()];
        let mut told = vec![false; self.loaded.len()];
        for test in self.running(args) {
            let experiment = match &test.what {
                What::Fault { text } | What::NeverRun { text } => {
                    prepared.places.push(test.failing(text));
                    continue;
                }
                What::Case { experiment, .. }
                | What::Whole { experiment }
                | What::Gate { experiment } => *experiment,
            };
            prepared.places.push(match (&jobs[experiment], &test.what) {
                // Not in the sample.
                (Some(Ok(job)), What::Case { row, .. })
                    if prepared.jobs[*job].selected.get(indexes[*job]) != Some(row) =>
                {
                    Place::Absent
                }
                (Some(Ok(job)), What::Case { .. }) => {
                    indexes[*job] += 1;
                    Place::Case { job: *job, index: indexes[*job] - 1 }
                }
                (Some(Ok(job)), What::Whole { .. }) => Place::Whole { job: *job },
                (Some(Ok(job)), _) => Place::Gate { job: *job },
                (Some(Err(text)), What::Whole { .. }) => {
                    Place::Fault { name: test.name.clone(), text: text.clone() }
                }
                (Some(Err(text)), _) if !std::mem::replace(&mut told[experiment], true) => {
                    let name = format!("{}::dataset", self.loaded[experiment].entry.name);
                    Place::Fault { name, text: text.clone() }
                }
                (Some(Err(_)) | None, _) => Place::Absent,
            });
        }
        prepared
    }

    /// Returns every experiment whose dataset can be read, as it would run.
    pub(super) fn specs(&self, config: &Config) -> impl Iterator<Item = Spec> {
        self.loaded.iter().map(|loaded| {
            let wishes = Wishes {
                concurrency: config.concurrency,
                repeats: config.repeats,
                python_ids: config.python_ids,
                run_id: String::new(),
                metadata: loaded.metadata.clone(),
                files: loaded.files.clone(),
                sample: None,
                stop: loaded.entry.stop.filter(|_| !config.run_all).map(|when| (when, 0)),
            };
            let definition = Definition::registered(loaded.entry, &loaded.base);
            Spec::new(definition, Arc::clone(&loaded.dataset), wishes)
        })
    }

    /// Returns the tests that are run.
    pub(super) fn running<'a>(&'a self, args: &'a Args) -> impl Iterator<Item = &'a Test> {
        self.tests.iter().filter(|test| runs(test, args))
    }
}

/// Takes a sample of what was selected, and says why a gate does not judge what is left.
fn narrowed(
    selected: &mut Vec<usize>,
    dataset: &Dataset,
    sample: Option<(usize, u64)>,
    args: &Args,
) -> NotJudging {
    let (all, by_hand) = (dataset.rows.len(), selected.len());
    if let Some((size, seed)) = sample {
        sample::take(selected, size, seed, &|row| &dataset.rows[row].id);
        return Some(format!(
            "a sample of {size} of {} (HH_SAMPLE={size}, seed {seed}) is not final; a gate judges \
             all",
            count(by_hand, "case")
        ));
    }
    (by_hand < all).then(|| {
        format!("a gate judges all {}; {} selected {by_hand}", count(all, "case"), args.narrowing())
    })
}

/// Returns whether a test is selected and not left out as ignored.
pub(super) fn runs(test: &Test, args: &Args) -> bool {
    test.selected && !args.leaves_out(test.ignored.is_some())
}

/// Returns whether a gate that cannot judge fails.
pub(super) fn strict(config: &Config) -> bool {
    config.require_gates || config.nextest.is_some()
}
