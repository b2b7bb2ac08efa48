//! Fetches datasets that are kept in HoneyHive.
//!
//! A copy of each fetched dataset is kept beside the journals, because listing tests must not need a
//! network. `HH_OFFLINE=1` runs on the copy.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Dataset, DatasetFault, From};
use crate::api::{ApiError, HoneyHive, ManagedDatapoint, ManagedDataset};
use crate::datapoint::Datapoint;
use crate::ids::short_hash;
use crate::text::{closest, count};

/// The number of datapoints that are fetched concurrently.
const AT_ONCE: usize = 16;

/// The id or the name of a managed dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Managed<'a> {
    /// The id of the dataset.
    Id(&'a str),
    /// The name of the dataset.
    Name(&'a str),
}

impl std::fmt::Display for Managed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "managed(\"{id}\")"),
            Self::Name(name) => write!(f, "managed(name = \"{name}\")"),
        }
    }
}

/// A dataset as it was fetched.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Fetched {
    id: String,
    name: String,
    rows: Vec<FetchedRow>,
}

/// A datapoint, or the reason why it could not be fetched.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct FetchedRow {
    id: String,
    inputs: Map<String, Value>,
    #[serde(skip_serializing_if = "Value::is_null")]
    ground_truth: Value,
    #[serde(skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
}

/// Fetches a dataset, and keeps a copy below `root`.
///
/// # Errors
/// Returns an error when there is no such dataset, several have the name, it has no datapoints, or the
/// server cannot be asked. A datapoint that cannot be fetched is not an error: it becomes a row that
/// cannot be read, and so a case that fails.
pub(crate) async fn fetch(
    client: &HoneyHive,
    which: Managed<'_>,
    root: Option<&Path>,
    name: Option<&str>,
) -> Result<Dataset, DatasetFault> {
    let fail = |error: ApiError| DatasetFault(format!("{which}: {error}"));
    let (id, wanted) = match which {
        Managed::Id(id) => (Some(id), None),
        Managed::Name(name) => (None, Some(name)),
    };
    let found = client.datasets().list(id, wanted).await.map_err(fail)?;
    let dataset = pick(which, found)?;
    let ids = dataset.datapoints;
    let rows: Vec<Result<FetchedRow, ApiError>> = stream::iter(&ids)
        .map(|id| async move {
            match client.datapoints().get(id).await {
                Ok(datapoint) => Ok(fetched(id, datapoint)),
                // The datapoint is listed but does not exist, or is not visible to this key. The other
                // datapoints are not affected.
                Err(error) if matches!(error.status(), Some(400..=499)) && !is_key(&error) => {
                    let missing = Some(format!("it cannot be fetched: {error}"));
                    Ok(FetchedRow { id: id.clone(), missing, ..FetchedRow::default() })
                }
                Err(error) => Err(error),
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let rows: Result<Vec<FetchedRow>, ApiError> = rows.into_iter().collect();
    let fetched = Fetched { id: dataset.id, name: dataset.name, rows: rows.map_err(fail)? };
    if let Some(root) = root {
        keep(root, which, &fetched);
    }
    scan(which, fetched, name)
}

/// Fetches a dataset like [`fetch`], from a thread that may block, for at most `limit`.
///
/// # Errors
/// Returns the same errors as [`fetch`].
pub(crate) fn fetch_blocking(
    client: &HoneyHive,
    which: Managed<'_>,
    root: &Path,
    name: Option<&str>,
    limit: Duration,
) -> Result<Dataset, DatasetFault> {
    let client = client.until(Instant::now() + limit);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| DatasetFault(format!("{which}: cannot be fetched: {error}")))?;
    runtime.block_on(fetch(&client, which, Some(root), name))
}

/// Fetches a dataset by its id, or else by its name.
///
/// # Errors
/// Returns the same errors as [`fetch`].
pub(super) async fn fetch_either(
    client: &HoneyHive,
    id_or_name: &str,
) -> Result<Dataset, DatasetFault> {
    let by_id = client.datasets().list(Some(id_or_name), None).await;
    match by_id {
        Ok(found) if found.iter().any(|dataset| dataset.id == id_or_name) => {
            fetch(client, Managed::Id(id_or_name), None, None).await
        }
        // Some servers refuse an id of another shape, so the name is tried after any error.
        _ => fetch(client, Managed::Name(id_or_name), None, None).await,
    }
}

/// Returns the dataset as it was fetched last; `None` when it never was.
pub(crate) fn kept(
    root: &Path,
    which: Managed<'_>,
    name: Option<&str>,
) -> Option<Result<Dataset, DatasetFault>> {
    let path = copy(root, which);
    let text = crate::files::read_regular(&path).ok()?;
    Some(match undamaged(&text) {
        Some(fetched) => scan(which, fetched, name),
        None => Err(DatasetFault(format!(
            "{which}: its copy {} is damaged; run once without HH_OFFLINE to fetch it again",
            path.display()
        ))),
    })
}

/// Returns the path of the copy of a dataset.
fn copy(root: &Path, which: Managed<'_>) -> PathBuf {
    root.join(".datasets").join(format!("{}.json", short_hash(which.to_string().as_bytes(), 16)))
}

/// Returns the CRC-32 of a copy, which stands in its last line.
fn checksum(json: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(json))
}

/// Reads the contents of a copy; returns `None` where it is damaged. Copies of earlier versions have no
/// checksum, and end with the JSON.
fn undamaged(text: &[u8]) -> Option<Fetched> {
    let json = match text.iter().rposition(|byte| *byte == b'\n') {
        Some(end) if text[end + 1..] != *checksum(&text[..end]).as_bytes() => return None,
        Some(end) => &text[..end],
        None => text,
    };
    serde_json::from_slice(json).ok()
}

/// Writes a copy of a fetched dataset; one that cannot be written is not an error. A datapoint that
/// could not be fetched this time keeps its earlier contents.
fn keep(root: &Path, which: Managed<'_>, fetched: &Fetched) {
    let path = copy(root, which);
    let before: Option<Fetched> =
        crate::files::read_regular(&path).ok().and_then(|text| undamaged(&text));
    let before = before.filter(|before| before.id == fetched.id).unwrap_or_default();
    let rows = fetched.rows.iter().map(|row| {
        let known = before.rows.iter().find(|known| known.id == row.id && known.missing.is_none());
        known.filter(|_| row.missing.is_some()).unwrap_or(row).clone()
    });
    let (id, name) = (fetched.id.clone(), fetched.name.clone());
    let kept = Fetched { id, name, rows: rows.collect() };
    let Ok(mut text) = serde_json::to_vec(&kept) else { return };
    let sum = checksum(&text);
    text.push(b'\n');
    text.extend_from_slice(sum.as_bytes());
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let directory = path.parent().unwrap_or(root);
    let written = crate::files::private_dir_all(directory)
        .and_then(|()| crate::files::write_private(&draft, text.as_ref()));
    if written.is_ok() {
        let _ = std::fs::rename(&draft, &path);
    }
}

fn is_key(error: &ApiError) -> bool {
    matches!(error.status(), Some(401 | 403 | 408 | 429))
}

/// Returns the wanted one of the datasets that a server listed. Servers may ignore the filter of the
/// query and list all they have.
fn pick(which: Managed<'_>, found: Vec<ManagedDataset>) -> Result<ManagedDataset, DatasetFault> {
    let names: Vec<String> = found.iter().map(|dataset| dataset.name.clone()).collect();
    let mut fitting: Vec<ManagedDataset> = found
        .into_iter()
        .filter(|dataset| match which {
            Managed::Id(id) => dataset.id == id,
            Managed::Name(name) => dataset.name == name,
        })
        .collect();
    if fitting.len() > 1 {
        let ids: Vec<&str> = fitting.iter().map(|dataset| dataset.id.as_str()).collect();
        return Err(DatasetFault(format!(
            "{which}: {} have this name: {}; use the id of one",
            count(fitting.len(), "dataset"),
            ids.join(", ")
        )));
    }
    let near = match which {
        Managed::Name(name) => closest(name, names.iter().map(String::as_str)),
        Managed::Id(_) => None,
    };
    let hint = match (near, which) {
        (Some(near), _) => format!("; did you mean `{near}`?"),
        (None, Managed::Id(_)) => {
            "; it may be deleted, or of another project than HH_API_KEY's (a dataset can also be \
             found by its name: `managed(name = \"..\")`)"
                .to_owned()
        }
        (None, Managed::Name(_)) => {
            "; it may be deleted, or of another project than HH_API_KEY's".to_owned()
        }
    };
    let missing = || DatasetFault(format!("{which}: HoneyHive has no such dataset{hint}"));
    fitting.pop().ok_or_else(missing)
}

fn fetched(id: &str, datapoint: ManagedDatapoint) -> FetchedRow {
    let ManagedDatapoint { inputs, ground_truth, metadata, history, .. } = datapoint;
    FetchedRow { id: id.to_owned(), inputs, ground_truth, metadata, history, missing: None }
}

fn scan(which: Managed<'_>, fetched: Fetched, name: Option<&str>) -> Result<Dataset, DatasetFault> {
    let Fetched { id, name: own_name, rows } = fetched;
    let origin = match own_name.as_str() {
        "" => which.to_string(),
        own => format!("HoneyHive's dataset {own}"),
    };
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let rows = rows.into_iter().map(|row| {
        if let Some(fault) = row.missing {
            return Err((row.id, fault));
        }
        let mut datapoint = Datapoint::new().id(row.id).ground_truth(row.ground_truth);
        datapoint.inputs = row.inputs;
        datapoint.metadata = row.metadata;
        datapoint.history = row.history;
        Ok(datapoint)
    });
    let rows = rows.collect();
    let own_name = if own_name.is_empty() { &id } else { &own_name };
    let from = From::Fetched { name: own_name, origin: &origin, rows };
    let mut dataset = Dataset::scan(from, name)?;
    dataset.managed = Some((id, ids));
    Ok(dataset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Connection, Secret};

    fn dataset(id: &str, name: &str) -> ManagedDataset {
        ManagedDataset { id: id.to_owned(), name: name.to_owned(), ..ManagedDataset::default() }
    }

    #[test]
    fn the_right_one_is_picked_or_the_fault_is_said() {
        let all = || vec![dataset("1", "golden"), dataset("2", "golden"), dataset("3", "silver")];
        assert_eq!(pick(Managed::Id("2"), all()).unwrap().id, "2");
        assert_eq!(pick(Managed::Name("silver"), all()).unwrap().id, "3");
        let text = |which, all| pick(which, all).unwrap_err().to_string();
        assert_eq!(
            text(Managed::Name("golden"), all()),
            "managed(name = \"golden\"): 2 datasets have this name: 1, 2; use the id of one"
        );
        assert!(text(Managed::Name("sliver"), all()).ends_with("did you mean `silver`?"));
        let gone = text(Managed::Id("9"), Vec::new());
        assert!(gone.starts_with("managed(\"9\"): HoneyHive has no such dataset; "), "{gone}");
    }

    #[test]
    fn a_server_that_does_not_answer_is_not_waited_for_any_longer() {
        // The listener accepts no connection, so that connections to it wait.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = Connection {
            api_key: Some(Secret::new("hh_key")),
            server: format!("http://{}", listener.local_addr().unwrap()),
            timeout: Duration::from_secs(60),
            ..Connection::default()
        };
        let client = HoneyHive::from_connection(&connection).unwrap();
        let root = std::env::temp_dir();
        let begin = Instant::now();
        let limit = Duration::from_millis(300);
        let fetched = fetch_blocking(&client, Managed::Id("d1"), &root, None, limit);
        let text = fetched.unwrap_err().to_string();
        assert!(
            text.starts_with("managed(\"d1\"): GET ") && text.contains("no complete answer"),
            "{text}"
        );
        assert!(begin.elapsed() >= limit && begin.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_copy_is_the_same_dataset() {
        let root = std::env::temp_dir().join(format!("managed-{}", std::process::id()));
        let which = Managed::Id("d1");
        assert!(kept(&root, which, None).is_none());
        let row = |id: &str, missing: Option<&str>| FetchedRow {
            id: id.to_owned(),
            inputs: Map::from_iter([("q".to_owned(), Value::from(id))]),
            missing: missing.map(str::to_owned),
            ..FetchedRow::default()
        };
        let rows = vec![row("a", None), row("b", Some("it cannot be fetched: 404"))];
        keep(&root, which, &Fetched { id: "d1".into(), name: "golden".into(), rows });
        let path = copy(&root, which);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, changed).unwrap();
            let error = kept(&root, which, None).unwrap().unwrap_err();
            assert!(error.0.contains("is damaged; run once without HH_OFFLINE"), "{}", error.0);
        }
        std::fs::write(&path, &whole).unwrap();
        let dataset = kept(&root, which, None).unwrap().unwrap();
        assert_eq!((dataset.name.as_str(), dataset.rows.len()), ("golden", 2));
        assert_eq!(dataset.rows[1].id, "b");
        assert!(dataset.datapoint(&dataset.rows[1]).unwrap_err().contains("404"));
        let ids = dataset.external_ids(false);
        assert!(ids.managed && &*ids.dataset == "d1" && &*ids.rows.unwrap()[0] == "a");
        // The datapoint that cannot be fetched now was fetched before, and the other way round.
        let rows = vec![row("a", Some("404")), row("b", None)];
        keep(&root, which, &Fetched { id: "d1".into(), name: "golden".into(), rows });
        let dataset = kept(&root, which, None).unwrap().unwrap();
        assert!(dataset.rows.iter().all(|row| dataset.datapoint(row).is_ok()));
        std::fs::remove_dir_all(root).unwrap();
    }
}
