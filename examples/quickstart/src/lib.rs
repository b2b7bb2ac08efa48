//! Finds out which language a customer writes in, so that the message reaches a team that reads it.

use serde::{Deserialize, Serialize};
use whatlang::{Detector, Lang};

/// The languages our teams read, with their ISO 639-1 codes.
const SUPPORTED: [(Lang, &str); 10] = [
    (Lang::Deu, "de"),
    (Lang::Eng, "en"),
    (Lang::Spa, "es"),
    (Lang::Fra, "fr"),
    (Lang::Ita, "it"),
    (Lang::Jpn, "ja"),
    (Lang::Nld, "nl"),
    (Lang::Pol, "pl"),
    (Lang::Por, "pt"),
    (Lang::Tur, "tr"),
];

/// What a message was taken for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// ISO 639-1 code, such as `pt`.
    pub lang: String,
    /// How far this language is ahead of the next best one, from 0 to 1.
    pub confidence: f64,
    /// Whether to route by it without asking the customer.
    pub reliable: bool,
}

/// Detects the language of a message, among those that we support.
///
/// `None` for a text without letters, and for a script that none of these languages is written in.
///
/// ```
/// let message = "Bom dia, gostaria de saber quando chega a minha encomenda.";
/// let detection = quickstart::detect(message);
/// assert_eq!(detection.map(|found| found.lang).as_deref(), Some("pt"));
///
/// assert_eq!(quickstart::detect("12:30"), None);
/// ```
pub fn detect(text: &str) -> Option<Detection> {
    // Short messages look like many languages; leaving out those that we could not answer in
    // anyway makes the choice easier.
    let detector = Detector::with_allowlist(SUPPORTED.map(|(lang, _)| lang).to_vec());
    let found = detector.detect(text)?;
    let (_, code) = SUPPORTED.iter().find(|(lang, _)| *lang == found.lang())?;
    Some(Detection {
        lang: (*code).to_owned(),
        confidence: found.confidence(),
        reliable: found.is_reliable(),
    })
}
