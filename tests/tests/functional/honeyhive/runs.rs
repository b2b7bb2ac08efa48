//! Tests runs: their start, their data, and their end.

use std::process::Command;

use honeyhive_tests::Fake;
use serde_json::{Value, json};

use super::{CAPITALS, bodies, evals, sent, single};

const CREATE: &str = "POST /v1/runs";
const UPDATE: &str = "PUT /v1/runs/{id}";
const RESULT: &str = "GET /v1/runs/{id}/result";

#[test]
fn check_01_a_run_is_the_first_request_and_its_end_or_result_the_last() {
    let kinds =
        |fake: &Fake| -> Vec<&str> { fake.requests().iter().map(|request| request.kind).collect() };
    let (fake, _) = &*CAPITALS;
    let all = kinds(fake);
    assert_eq!((all[0], all[all.len() - 1]), (CREATE, UPDATE));
    // HoneyHive's figures are requested only with `HH_RESULTS`.
    let fake = Fake::start();
    evals(&fake, "capitals").env("HH_RESULTS", "average").run();
    fake.assert_clean();
    let all = kinds(&fake);
    assert_eq!((all[0], all[all.len() - 1]), (CREATE, RESULT));
    let requests = fake.requests();
    let query = &requests[requests.len() - 1].query;
    assert_eq!(query, &[("aggregate_function".to_owned(), "average".to_owned())]);
}

#[test]
fn check_02_the_body_of_a_new_run() {
    let (fake, run) = &*CAPITALS;
    let experiment = &run.experiments()[0];
    assert_eq!(
        bodies(fake, CREATE),
        [json!({
            "run_id": experiment.run_id,
            "name": "capitals",
            "status": "pending",
            "event_ids": [],
            "datapoint_ids": ["EXT-rows-fr", "EXT-rows-it", "EXT-de"],
            "metadata": {"offline_dataset_id": "EXT-rows", "tags": ["geo"], "model": "m-1"},
            "configuration": {
                "function": "capital",
                "evaluators": ["correct"],
                "max_workers": 4,
                "aggregate_function": "average",
                "repeats": 1,
            },
        })]
    );
}

fn is_uuid_v4(id: &str) -> bool {
    let parts: Vec<&str> = id.split('-').collect();
    let hex = id.bytes().all(|b| b == b'-' || b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    hex && parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts[2].starts_with('4')
        && parts[3].starts_with(['8', '9', 'a', 'b'])
}

const RUN_ID: &str = "11111111-2222-4333-8444-555555555555";

#[test]
fn check_04_run_ids() {
    assert!(is_uuid_v4(&CAPITALS.0.runs()[0].asked_id));
    // Differs from the SDK: the id is used as it is for one experiment, and combined with the name
    // for several.
    let fake = Fake::start();
    single(&fake).env("HH_RUN_ID", RUN_ID).run();
    fake.assert_clean();
    assert_eq!(fake.runs()[0].asked_id, RUN_ID);
    let of_many = || {
        let fake = Fake::start();
        evals(&fake, "capitals").env("HH_RUN_ID", RUN_ID).run();
        fake.assert_clean();
        fake.runs()[0].asked_id.clone()
    };
    let id = of_many();
    assert_eq!(id.split('-').nth(2).and_then(|part| part.chars().next()), Some('5'), "{id}");
    assert_eq!(of_many(), id, "the same each time");
}

#[test]
fn check_04_the_id_that_the_server_answers_is_used_everywhere() {
    let fake = Fake::builder().server_run_id(RUN_ID).start();
    let run = evals(&fake, "capitals").env("HH_RESULTS", "average").run();
    // The server complains about every session, span and update with another run.
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let stored = &fake.runs()[0];
    assert_eq!((stored.id.as_str(), stored.status.as_str()), (RUN_ID, "completed"));
    assert_ne!(stored.asked_id, RUN_ID);
    assert!(fake.spans().iter().all(|span| span.attributes["honeyhive.run_id"] == RUN_ID));
    let paths: Vec<String> = fake
        .requests()
        .into_iter()
        .filter(|request| [UPDATE, RESULT].contains(&request.kind))
        .map(|request| request.path)
        .collect();
    assert_eq!(paths, [format!("/v1/runs/{RUN_ID}"), format!("/v1/runs/{RUN_ID}/result")]);
    assert_eq!(
        super::line(&run),
        format!("sent 3 attempts to HoneyHive at {}, run {RUN_ID}", fake.url())
    );
}

#[test]
fn check_05_the_name_of_a_run_is_that_of_the_experiment() {
    // Differs from the SDK: an experiment always has a name.
    let (fake, _) = &*CAPITALS;
    assert_eq!(fake.runs()[0].created["name"], "capitals");
    assert_eq!(bodies(fake, UPDATE)[0]["name"], "capitals");
}

fn git(directory: &std::path::Path, arguments: &[&str]) {
    let done = Command::new("git").arg("-C").arg(directory).args(arguments).output();
    let done = done.expect("git can be started");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn check_08_and_09_the_state_of_git_without_passwords() {
    let tree = tempfile::tempdir().expect("a temporary directory");
    let path = tree.path();
    git(path, &["init", "-q", "-b", "trunk"]);
    git(path, &["config", "user.name", "Ada"]);
    git(path, &["config", "user.email", "ada@example.com"]);
    git(path, &["remote", "add", "origin", "https://user:s3cr3t-t0k3n@git.example/a.git"]);
    git(path, &["commit", "-q", "--allow-empty", "-m", "First\n\nBody"]);
    let fake = Fake::start();
    let run =
        evals(&fake, "capitals").env("GIT_DIR", path.join(".git")).env("GIT_WORK_TREE", path).run();
    fake.assert_clean();
    let mut said = bodies(&fake, CREATE)[0]["metadata"]["git"].clone();
    assert_eq!(bodies(&fake, UPDATE)[0]["metadata"]["git"], said, "{}", run.output());
    let hash = said["commit_hash"].take();
    let short = said["commit_hash_short"].take();
    assert_eq!(hash.as_str().map(str::len), Some(40));
    assert!(hash.as_str().zip(short.as_str()).is_some_and(|(hash, short)| hash.starts_with(short)));
    assert_eq!(
        said,
        json!({
            "commit_hash": null,
            "commit_hash_short": null,
            "branch": "trunk",
            "commit_message": "First",
            "author_name": "Ada",
            "author_email": "ada@example.com",
            "remote_url": "https://git.example/a.git",
            "is_dirty": false,
        })
    );
    // Outside of a repository there is no data from git.
    assert_eq!(CAPITALS.0.runs()[0].created["metadata"].get("git"), None);
}

#[test]
fn check_30_the_end_of_a_run() {
    let (fake, run) = &*CAPITALS;
    let mut ids: Vec<(String, String)> =
        run.attempts().into_iter().map(|attempt| (attempt.case, attempt.session_id)).collect();
    // The ids are in the order of the dataset, whatever the order in which the cases ended.
    ids.sort_by_key(|(case, _)| ["fr", "it", "EXT-de"].iter().position(|id| id == case));
    let ids: Vec<String> = ids.into_iter().map(|(_, id)| id).collect();
    assert_eq!(
        bodies(fake, UPDATE),
        [json!({
            "name": "capitals",
            "status": "completed",
            "event_ids": ids,
            // The update has all of the metadata, as a server may replace it.
            "metadata": {"offline_dataset_id": "EXT-rows", "tags": ["geo"], "model": "m-1"},
        })]
    );
}

#[test]
fn check_31_without_datapoints_nothing_is_sent() {
    // Differs from the SDK: an empty dataset fails, and creates no run.
    let fake = Fake::start();
    let run = evals(&fake, "empty").run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    assert_eq!(fake.requests().len(), 0);
}

#[test]
fn check_46_where_all_functions_fail_the_run_failed() {
    let fake = Fake::start();
    let run = evals(&fake, "all_fail").run();
    fake.assert_clean();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let stored = &fake.runs()[0];
    assert_eq!(stored.status, "failed");
    assert_eq!(stored.updates[0].body["event_ids"].as_array().map(Vec::len), Some(3));
    assert_eq!(fake.spans().iter().filter(|span| span.status == "ERROR").count(), 3);
}

#[test]
fn check_49_the_aggregate_is_in_the_run_and_in_the_query() {
    let fake = Fake::start();
    let run = evals(&fake, "capitals").env("HH_RESULTS", "p90").run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(fake.runs()[0].created["configuration"]["aggregate_function"], "p90");
    let requests = fake.requests();
    let result = requests.iter().find(|request| request.kind == RESULT).expect("a result");
    assert_eq!(result.query, [("aggregate_function".to_owned(), "p90".to_owned())]);
}

#[test]
fn results_are_waited_for_and_shown() {
    let result: Value = json!({
        "status": "completed", "success": true, "passed": [], "failed": [],
        "metrics": {"aggregation_function": "average", "details": [
            {"metric_name": "correct", "aggregate": 0.25, "later": {"fields": true}},
            {"metric_name": "nothing", "aggregate": null},
        ]},
        "datapoints": [
            {"session_id": "a", "passed": true},
            {"session_id": "b", "passed": true},
            {"session_id": "c", "passed": true},
        ],
        "event_details": [], "run_object": {},
    });
    let fake = Fake::builder().result(result).result_after(2).start();
    let run = evals(&fake, "capitals").env("HH_RESULTS", "average").run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(fake.count(RESULT), 3);
    let notes: Vec<&str> = run.stderr.lines().filter(|line| line.contains("capitals:")).collect();
    assert_eq!(
        notes,
        [
            "note: capitals: average of correct is 0.25",
            "note: capitals: average of nothing is none"
        ]
    );
}

#[test]
fn two_experiments_are_two_runs() {
    let fake = Fake::start();
    let run = super::to(&fake, super::PROJECT.evals(["capitals::", "repeated::"])).run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let names: Vec<String> =
        fake.runs().iter().map(|run| format!("{} {}", run.created["name"], run.status)).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"\"capitals\" completed".to_owned()), "{names:?}");
    assert!(names.contains(&"\"repeated\" completed".to_owned()), "{names:?}");
    let text = super::line(&run);
    assert_eq!(text, format!("sent 12 attempts to HoneyHive at {}, 2 runs", fake.url()));
}

#[test]
fn each_repeat_is_a_session() {
    let (fake, run) = sent("repeated");
    assert_eq!(fake.sessions().len(), 9);
    let ended = bodies(&fake, UPDATE).remove(0);
    let mut attempts = run.attempts();
    attempts.sort_by_key(|attempt| (attempt.row, attempt.attempt));
    let ids: Vec<&str> = attempts.iter().map(|attempt| attempt.session_id.as_str()).collect();
    assert_eq!(ended["event_ids"], json!(ids));
    let mut numbers: Vec<u64> = fake
        .sessions()
        .iter()
        .filter_map(|session| session.body["metadata"]["attempt"].as_u64())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 1, 1, 2, 2, 2, 3, 3, 3]);
    assert_eq!(fake.runs()[0].created["configuration"]["repeats"], 3);
    assert_eq!(fake.runs()[0].created["datapoint_ids"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_partial_selection_is_not_sent() {
    let fake = Fake::start();
    let few = || super::to(&fake, super::PROJECT.evals(["--exact", "capitals::fr"]));
    let run = few().run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(fake.requests().len(), 0);
    let about = |text: &str| text.contains("HoneyHive") || text.starts_with("sent ");
    let lines: Vec<&str> = run.stderr.lines().filter(|line| about(line)).collect();
    assert_eq!(
        lines,
        ["note: only some cases are selected: they are not sent to HoneyHive \
          (HH_UPLOAD=always sends them)"]
    );
    let run = few().env("HH_UPLOAD", "always").run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!((fake.runs().len(), fake.sessions().len()), (1, 1));
    assert_eq!(fake.runs()[0].status, "completed");
}
