//! Defines the datapoint, which is one row of a dataset.

use serde_json::{Map, Value};

/// One row of a dataset: its inputs, its expected output, and metadata about it.
///
/// The [`dataset`](crate::dataset) module reads files into datapoints; a dataset function builds them
/// itself.
///
/// ```
/// use honeyhive_harness::Datapoint;
///
/// let row = Datapoint::new()
///     .id("capital-fr")
///     .input("question", "What is the capital of France?")
///     .ground_truth("Paris")
///     .metadata("topic", "geography")
///     .tag("smoke");
/// assert_eq!(row.inputs["question"], "What is the capital of France?");
/// ```
///
/// A dataset function that reads a format of its own can make one of any JSON value in the shape of a
/// row, as a file has it, through [`TryFrom`] or [`serde::Deserialize`]:
///
/// ```
/// use honeyhive_harness::Datapoint;
/// use serde_json::json;
///
/// let row = Datapoint::try_from(json!({"id": 7, "question": "Why?", "ground_truth": "Because."}))?;
/// let row = row.place("rows.yaml:17");
/// assert_eq!((row.id.as_deref(), row.inputs.len()), (Some("7"), 1));
/// let error = Datapoint::try_from(json!({"inputs": {}, "ground_thruth": 1})).unwrap_err();
/// assert_eq!(error, "unknown key `ground_thruth`; did you mean `ground_truth`?");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Datapoint {
    /// The id of the row. Without one, a hash of the inputs is used.
    pub id: Option<String>,
    /// The inputs that the experiment's function reads, by name.
    pub inputs: Map<String, Value>,
    /// The expected output. `None` and `null` are the same: there is none.
    pub ground_truth: Option<Value>,
    /// Facts about the row, for slices and reports; a parameter `metadata` reads them.
    pub metadata: Map<String, Value>,
    /// Labels for slices.
    pub tags: Vec<String>,
    /// The earlier messages of a conversation, where the row is one turn of it; a parameter `history`
    /// reads them.
    pub history: Vec<Value>,
    /// The place of the row in its source, such as `rows.yaml:17`.
    pub(crate) place: Option<String>,
    /// Set when the row comes from a format whose cells are text, so that a number is also read from
    /// `"0.5"`.
    pub(crate) cells: bool,
}

impl Datapoint {
    /// Creates an empty datapoint.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the id, which names the test case and pairs runs for comparison.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Adds one input.
    #[must_use]
    pub fn input(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.inputs.insert(name.into(), value.into());
        self
    }

    /// Sets the expected output.
    #[must_use]
    pub fn ground_truth(mut self, value: impl Into<Value>) -> Self {
        self.ground_truth = Some(value.into()).filter(|value| !value.is_null());
        self
    }

    /// Adds one entry of metadata.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Sets the place of the row in its source, such as `rows.yaml:17`. Errors about the row begin with
    /// it.
    #[must_use]
    pub fn place(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Adds earlier messages of the conversation.
    #[must_use]
    pub fn history<M: Into<Value>>(mut self, messages: impl IntoIterator<Item = M>) -> Self {
        self.history.extend(messages.into_iter().map(Into::into));
        self
    }

    /// Returns whether the row belongs to the slice `key:value` (metadata or a tag of that text).
    ///
    /// ```
    /// use honeyhive_harness::Datapoint;
    ///
    /// let row = Datapoint::new().metadata("lang", "de").metadata("words", 7).tag("hard");
    /// assert!(row.in_slice("lang:de") && row.in_slice("words:7") && row.in_slice("hard"));
    /// assert!(!row.in_slice("lang:fr"));
    /// ```
    pub fn in_slice(&self, slice: &str) -> bool {
        if self.tags.iter().any(|tag| tag == slice) {
            return true;
        }
        let Some((key, wanted)) = slice.split_once(':') else { return false };
        match self.metadata.get(key) {
            Some(Value::String(text)) => text == wanted,
            Some(Value::Array(values)) => values.iter().any(|value| value == wanted),
            Some(Value::Bool(yes)) => wanted == if *yes { "true" } else { "false" },
            Some(Value::Number(number)) => number.to_string().as_str() == wanted,
            Some(Value::Null | Value::Object(_)) | None => false,
        }
    }

    /// Returns the slice that a key of the metadata puts the row in: `lang:de`; `None` for a list, which
    /// puts it in several slices.
    pub(crate) fn slice_by(&self, key: &str) -> Option<String> {
        match self.metadata.get(key)? {
            Value::String(text) => Some(format!("{key}:{text}")),
            Value::Bool(yes) => Some(format!("{key}:{yes}")),
            Value::Number(number) => Some(format!("{key}:{number}")),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}
