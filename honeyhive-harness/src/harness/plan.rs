//! What there is to run: registered experiments, their datasets, and which tests are selected.

use std::panic::catch_unwind;
use std::sync::Arc;

use super::args::Args;
use crate::api::HoneyHive;
use crate::config::Config;
use crate::dataset::managed::{self, Managed};
use crate::dataset::{Dataset, DatasetFault, From, base_dir};
use crate::engine::{self, Job, Spec};
use crate::ids;
use crate::redact::Redactor;
use crate::registry::{Experiment, Source};
use crate::report::Fault;
use crate::stats::SplitMix64;
use crate::text::{closest, count};

/// A test.
#[derive(Debug)]
pub(super) struct Test {
    pub(super) name: String,
    /// `#[ignore]`, with its reason or an empty text.
    pub(super) ignored: Option<&'static str>,
    pub(super) selected: bool,
    pub(super) what: What,
}

/// What a test stands for.
#[derive(Debug)]
pub(super) enum What {
    /// A row of an experiment.
    Case { experiment: usize, row: usize },
    /// A whole experiment, gate included: what nextest runs in a process of its own.
    Whole { experiment: usize },
    /// The gate of an experiment.
    Gate { experiment: usize },
    /// An experiment that cannot run, and why.
    Fault { text: String },
}

/// An experiment whose dataset was read.
#[derive(Debug)]
pub(super) struct Loaded {
    entry: &'static Experiment,
    dataset: Arc<Dataset>,
}

/// All tests, in the order in which they are listed and run.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) tests: Vec<Test>,
    loaded: Vec<Loaded>,
    /// How many experiments this binary has.
    linked: usize,
}

/// Why a gate does not judge in this run.
pub(super) type NotJudging = Option<String>;

/// What is about to run.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub(super) jobs: Vec<Job>,
    /// Per job: why its gate does not judge.
    pub(super) gates: Vec<NotJudging>,
    /// The job and place of each selected case, in the order of the plan's tests.
    pub(super) places: Vec<Place>,
}

/// Where the result of a selected test comes from.
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
    /// The experiment cannot run; this one test says why.
    Fault {
        name: String,
        text: String,
    },
    /// The experiment cannot run, and another test says why.
    Absent,
}

impl Place {
    /// The experiment that cannot run, for the summary.
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
        redactor: &Redactor,
    ) -> Self {
        let whole = config.nextest.is_some();
        let mut plan = Self { linked: entries.len(), ..Self::default() };
        let mut seen: Vec<&str> = Vec::new();
        for entry in entries {
            if seen.contains(&entry.name) || !(whole || args.may_select_in(entry.name)) {
                continue;
            }
            seen.push(entry.name);
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
                load(entry, args, config).map_err(|text| redactor.text(&text).into_owned())
            };
            match loaded {
                Err(text) if whole => {
                    let (name, what) = (entry.name.to_owned(), What::Fault { text });
                    plan.tests.push(Test { name, ignored, selected, what });
                }
                Err(text) => plan.add_fault(entry, text, args),
                Ok(dataset) if whole => {
                    let what = What::Whole { experiment: plan.loaded.len() };
                    plan.tests.push(Test { name: entry.name.to_owned(), ignored, selected, what });
                    plan.loaded.push(Loaded { entry, dataset: Arc::new(dataset) });
                }
                Ok(dataset) => plan.add(entry, dataset, args),
            }
        }
        plan
    }

    fn add_fault(&mut self, entry: &Experiment, text: String, args: &Args) {
        let name = format!("{}::dataset", entry.name);
        let ignored = entry.ignore;
        let selected = args.selects_fault(entry.name, &name) && args.wants(ignored.is_some());
        self.tests.push(Test { name, ignored, selected, what: What::Fault { text } });
    }

    fn add(&mut self, entry: &'static Experiment, dataset: Dataset, args: &Args) {
        let experiment = self.loaded.len();
        let ignored = entry.ignore;
        let test = |name: String, what: What| {
            let selected = args.selects(&name) && args.wants(ignored.is_some());
            Test { name, ignored, selected, what }
        };
        let mut rows: Vec<usize> = (0..dataset.rows.len()).collect();
        if let Some(seed) = args.shuffle {
            shuffle(&mut rows, seed);
        }
        self.tests.extend(rows.into_iter().map(|row| {
            let name = format!("{}::{}", entry.name, dataset.rows[row].slug);
            test(name, What::Case { experiment, row })
        }));
        if !entry.gates.is_empty() {
            self.tests.push(test(format!("{}::gate", entry.name), What::Gate { experiment }));
        }
        self.loaded.push(Loaded { entry, dataset: Arc::new(dataset) });
    }

    /// Checks the selected rows and makes jobs of them.
    pub(super) fn prepare(&self, args: &Args, config: &Config, redactor: &Redactor) -> Prepared {
        let concurrency = args.test_threads.or(config.concurrency);
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); self.loaded.len()];
        let mut gate_selected = vec![false; self.loaded.len()];
        for test in self.running(args) {
            match test.what {
                What::Case { experiment, row } => rows[experiment].push(row),
                What::Whole { experiment } => {
                    rows[experiment].extend(0..self.loaded[experiment].dataset.rows.len());
                    gate_selected[experiment] = true;
                }
                What::Gate { experiment } => gate_selected[experiment] = true,
                What::Fault { .. } => {}
            }
        }
        let mut prepared = Prepared::default();
        // Per experiment: its job, or why it has none.
        let mut jobs: Vec<Option<Result<usize, String>>> = Vec::new();
        for (experiment, Loaded { entry, dataset }) in self.loaded.iter().enumerate() {
            let all = dataset.rows.len();
            let mut selected = std::mem::take(&mut rows[experiment]);
            // A gate that is asked for alone means the whole experiment.
            if selected.is_empty() && gate_selected[experiment] {
                selected = (0..all).collect();
            }
            if selected.is_empty() {
                jobs.push(None);
                continue;
            }
            let not_judging = (selected.len() < all).then(|| {
                format!(
                    "a gate judges all {}; {} selected {}",
                    count(all, "case"),
                    args.narrowing(),
                    selected.len()
                )
            });
            let asked = config.tracer.run_id.as_deref();
            let run_id = ids::run_id(asked, entry.name, self.linked == 1);
            let dataset = Arc::clone(dataset);
            let spec = Arc::new(Spec::new(entry, dataset, concurrency, config.python_ids, run_id));
            let checked = engine::check(&spec, &selected);
            let checked = checked.map_err(|text| redactor.text(&text).into_owned());
            jobs.push(Some(checked.map(|faults| {
                prepared.jobs.push(Job {
                    spec,
                    selected,
                    faults,
                    recorded: std::collections::HashMap::new(),
                    gate_judges: gate_selected[experiment] && not_judging.is_none(),
                });
                prepared.gates.push(not_judging);
                prepared.jobs.len() - 1
            })));
        }
        let mut indexes = vec![0; prepared.jobs.len()];
        let mut told = vec![false; self.loaded.len()];
        for test in self.running(args) {
            let experiment = match &test.what {
                What::Fault { text } => {
                    let name = test.name.clone();
                    prepared.places.push(Place::Fault { name, text: text.clone() });
                    continue;
                }
                What::Case { experiment, .. }
                | What::Whole { experiment }
                | What::Gate { experiment } => *experiment,
            };
            prepared.places.push(match (&jobs[experiment], &test.what) {
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

    /// Why experiments cannot run whose tests are not selected either: perhaps they would be, if
    /// their names were known.
    pub(super) fn faults(&self) -> impl Iterator<Item = &str> {
        self.tests.iter().filter(|test| !test.selected).filter_map(|test| match &test.what {
            What::Fault { text } => Some(text.as_str()),
            _ => None,
        })
    }

    /// What filters name a case that their experiment does not have.
    pub(super) fn unknown_cases(&self, args: &Args) -> Vec<String> {
        let mut notes = Vec::new();
        for filter in &args.filters {
            let Some((experiment, case)) = filter.split_once("::") else { continue };
            let Some(loaded) = self.loaded.iter().find(|one| one.entry.name == experiment) else {
                continue;
            };
            let rows = &loaded.dataset.rows;
            if case.is_empty()
                || rows.iter().any(|row| row.slug.starts_with(case))
                || case == "gate"
            {
                continue;
            }
            let hint = match closest(case, rows.iter().map(|row| row.slug.as_str())) {
                Some(near) => format!("; did you mean `{near}`?"),
                None => String::new(),
            };
            notes.push(format!("`{experiment}` has no case `{case}`{hint}"));
        }
        notes
    }

    /// The tests that are run.
    pub(super) fn running<'a>(&'a self, args: &'a Args) -> impl Iterator<Item = &'a Test> {
        self.tests.iter().filter(|test| runs(test, args))
    }
}

/// Whether a test is selected and not left out as ignored.
pub(super) fn runs(test: &Test, args: &Args) -> bool {
    test.selected && !args.leaves_out(test.ignored.is_some())
}

fn load(entry: &Experiment, args: &Args, config: &Config) -> Result<Dataset, String> {
    let base = base_dir(entry.package, entry.manifest_dir, config.package.as_ref());
    let scanned = match entry.dataset {
        Source::File(path) => Dataset::scan(From::File { base: &base, path }, entry.dataset_name),
        Source::Managed(which) => load_managed(which, entry.dataset_name, args, config),
        Source::Function { path, load } => {
            let origin = format!("{path}()");
            let name = path.rsplit("::").next().unwrap_or(path);
            let loaded = catch_unwind(load).unwrap_or_else(|_| Err("it panicked".to_owned()));
            loaded.map_err(|error| DatasetFault(format!("{origin}: {error}"))).and_then(|rows| {
                Dataset::scan(From::Rows { name, origin: &origin, rows }, entry.dataset_name)
            })
        }
    };
    scanned.map_err(|fault| {
        format!("{fault}\n(dataset of `{}`, {}:{})", entry.name, entry.file, entry.line)
    })
}

/// How long fetching a dataset may take. Nothing else happens meanwhile.
const FETCH: std::time::Duration = std::time::Duration::from_secs(30);

/// Listing needs no network, and offline there is none: then it is the dataset as it was fetched
/// last.
fn load_managed(
    which: Managed<'_>,
    name: Option<&str>,
    args: &Args,
    config: &Config,
) -> Result<Dataset, DatasetFault> {
    let fault = |text: &str| DatasetFault(format!("{which}: {text}"));
    let root = config.dir.clone().unwrap_or_else(super::place::journal_root);
    if args.list || config.offline {
        let kept = managed::kept(&root, which, name);
        return kept.unwrap_or_else(|| {
            Err(fault("it was not fetched yet, and is not while offline or listing"))
        });
    }
    let client = HoneyHive::from_connection(&config.connection);
    let client = client.map_err(|error| fault(&error.to_string()))?;
    managed::fetch_blocking(&client, which, &root, name, FETCH)
}

/// Fisher–Yates.
fn shuffle(rows: &mut [usize], seed: u64) {
    let mut random = SplitMix64::new(seed);
    for end in (1..rows.len()).rev() {
        rows.swap(end, random.index(end + 1));
    }
}
