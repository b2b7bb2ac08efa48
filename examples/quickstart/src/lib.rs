//! Detects the language of a customer's message, so that it reaches a team that reads it.

use serde::{Deserialize, Serialize};
use whatlang::{Detector, Lang};

/// The languages that our teams read, with their ISO 639-1 codes.
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

/// The result of detecting the language of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// The ISO 639-1 code of the language, such as `pt`.
    pub lang: String,
    /// The lead of this language over the next best one, from 0 to 1.
    pub confidence: f64,
    /// Set when the message can be routed without asking the customer.
    pub reliable: bool,
}

/// Detects the language of a message, among those that we support.
///
/// Returns `None` for a text without letters, and for a script that none of these languages has.
///
/// ```
/// let message = "Bom dia, gostaria de saber quando chega a minha encomenda.";
/// let detection = quickstart::detect(message);
/// assert_eq!(detection.map(|found| found.lang).as_deref(), Some("pt"));
///
/// assert_eq!(quickstart::detect("12:30"), None);
/// ```
pub fn detect(text: &str) -> Option<Detection> {
    // Short messages look like many languages; leaving out those that we could not answer in anyway
    // makes the choice easier.
    let detector = Detector::with_allowlist(SUPPORTED.map(|(lang, _)| lang).to_vec());
    let found = detector.detect(text)?;
    let (_, code) = SUPPORTED.iter().find(|(lang, _)| *lang == found.lang())?;
    Some(Detection {
        lang: (*code).to_owned(),
        confidence: found.confidence(),
        reliable: found.is_reliable(),
    })
}
