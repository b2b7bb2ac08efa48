//! Reads which reports are written after a run, and the paths that GitHub Actions gives for them.

use std::path::PathBuf;

use super::vars::Vars;

/// A format of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub(crate) enum Format {
    /// `report.html`: a page for a browser
    Html,
    /// `summary.md`: a comment for a pull request
    Md,
    /// `junit.xml`: for CI servers
    Junit,
    /// `results.jsonl`: everything but the spans, for programs
    Json,
    /// `traces.otlp.jsonl`: the spans, for receivers of OpenTelemetry
    #[cfg(feature = "cli")]
    Otlp,
}

impl Format {
    /// The formats that a run writes by default. Traces would double the disk space of a run.
    pub(crate) const AFTER_RUN: [Self; 4] = [Self::Html, Self::Md, Self::Junit, Self::Json];

    /// Returns the name that `HH_REPORT` and `--format` have for the format.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Md => "md",
            Self::Junit => "junit",
            Self::Json => "json",
            #[cfg(feature = "cli")]
            Self::Otlp => "otlp",
        }
    }

    /// Returns the name of the file.
    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::Html => "report.html",
            Self::Md => "summary.md",
            Self::Junit => "junit.xml",
            Self::Json => "results.jsonl",
            #[cfg(feature = "cli")]
            Self::Otlp => "traces.otlp.jsonl",
        }
    }
}

/// The settings of the reports after a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reports {
    /// The formats that `HH_REPORT` names, written however large they become; `None` where it is
    /// not set.
    pub(crate) chosen: Option<Vec<Format>>,
    /// The variables of GitHub Actions.
    pub(crate) github: Option<GitHub>,
}

/// The paths of a step of a job in GitHub Actions (`GITHUB_ACTIONS=true`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GitHub {
    /// The root of the repository, from `GITHUB_WORKSPACE`.
    pub(crate) workspace: PathBuf,
    /// The file that becomes a part of the job's page, from `GITHUB_STEP_SUMMARY`.
    pub(crate) step_summary: Option<PathBuf>,
}

impl Reports {
    pub(super) fn read(vars: &mut Vars) -> Self {
        let names: Vec<&str> = Format::AFTER_RUN.map(Format::name).to_vec();
        let wanted = format!("neither none nor some of {}", names.join(","));
        let on_github = vars.text("GITHUB_ACTIONS").is_some_and(|text| text == "true");
        Self {
            chosen: vars.parse("HH_REPORT", &wanted, chosen),
            github: on_github.then(|| GitHub {
                workspace: vars.raw("GITHUB_WORKSPACE").map(PathBuf::from).unwrap_or_default(),
                step_summary: vars.raw("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            }),
        }
    }
}

/// Reads `none`, or names with commas between them.
fn chosen(text: &str) -> Option<Vec<Format>> {
    if text == "none" {
        return Some(Vec::new());
    }
    let named = |name: &str| Format::AFTER_RUN.into_iter().find(|one| one.name() == name.trim());
    let mut formats = Vec::new();
    for name in text.split(',') {
        let format = named(name)?;
        // A format that is named twice is one file.
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    Some(formats)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> (Reports, Vec<String>) {
        let mut vars = Vars::new(variables.iter().map(|(name, value)| (name.into(), value.into())));
        (Reports::read(&mut vars), vars.faults)
    }

    #[test]
    fn reports_are_chosen_by_name() {
        assert_eq!(read(&[]).0.chosen, None);
        assert_eq!(read(&[("HH_REPORT", "none")]).0.chosen, Some(Vec::new()));
        let both = Some(vec![Format::Junit, Format::Md]);
        assert_eq!(read(&[("HH_REPORT", "junit, md")]).0.chosen, both);
        assert_eq!(read(&[("HH_REPORT", "junit,md,junit,md")]).0.chosen, both);
        let (_, faults) = read(&[("HH_REPORT", "junit,pdf")]);
        assert_eq!(faults, ["HH_REPORT=junit,pdf: neither none nor some of html,md,junit,json"]);
    }

    #[test]
    fn github_is_asked_only_where_a_job_runs() {
        let place = ("GITHUB_STEP_SUMMARY", "/tmp/summary");
        assert_eq!(read(&[place]).0.github, None);
        let github = read(&[place, ("GITHUB_ACTIONS", "true")]).0.github.expect("GitHub");
        assert_eq!(github.step_summary, Some(PathBuf::from("/tmp/summary")));
    }
}
