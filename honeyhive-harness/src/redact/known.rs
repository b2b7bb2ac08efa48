//! Finds secrets that are known word for word, in all encodings.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The encoding of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Plain,
    /// The secret with the escapes of JSON, or those of Rust's `{:?}`.
    Escaped,
    /// The secret with `%2F` for a `/`, as in addresses and forms; encoders differ in the bytes
    /// that they encode.
    Percent,
    /// The secret as base64, in which case the text of the form is the base64.
    Base64 {
        /// Set when the last byte of the secret shares a digit with the byte after it.
        shares_last: bool,
    },
}

struct Form {
    text: Box<[u8]>,
    written: Written,
    /// The place of the secret in the list that it came from.
    secret: usize,
}

/// All forms of all secrets.
pub(super) struct Known {
    forms: Vec<Form>,
    /// The indexes of the forms that can start with two bytes.
    by_start: BTreeMap<[u8; 2], Vec<usize>>,
}

impl Known {
    pub(super) fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut known = Self { forms: Vec::new(), by_start: BTreeMap::new() };
        let long_enough = |(_, secret): &(usize, &str)| secret.len() >= super::SHORTEST;
        for (index, secret) in secrets.enumerate().filter(long_enough) {
            let bytes = secret.as_bytes();
            known.add(index, bytes, Written::Plain);
            if bytes.iter().any(|byte| may_be_escaped(*byte)) {
                known.add(index, bytes, Written::Escaped);
            }
            // Encoders may write any byte as `%xx`, letters included.
            known.add(index, bytes, Written::Percent);
            for (digits, written) in in_base64(bytes) {
                known.add(index, digits.as_bytes(), written);
                if digits.contains(['+', '/']) {
                    let url_safe = digits.replace('+', "-").replace('/', "_");
                    known.add(index, url_safe.as_bytes(), written);
                }
                // Base64 may stand within an address, with `%2B`, `%2F` and `%3D`.
                if digits.contains(['+', '/']) {
                    known.add(index, digits.as_bytes(), Written::Percent);
                }
            }
        }
        known
    }

    fn add(&mut self, secret: usize, text: &[u8], written: Written) {
        for pair in starts(text, written) {
            self.by_start.entry(pair).or_default().push(self.forms.len());
        }
        self.forms.push(Form { text: text.into(), written, secret });
    }

    /// Returns all pairs of bytes that a secret can start with.
    pub(super) fn starts(&self) -> impl Iterator<Item = [u8; 2]> {
        self.by_start.keys().copied()
    }

    /// Returns the length of the longest secret at the start of this text, which starts with
    /// `pair`, and the place of that secret in the list.
    pub(super) fn longest(&self, text: &[u8], pair: [u8; 2]) -> Option<(usize, usize)> {
        let forms = self.by_start.get(&pair)?.iter().map(|form| &self.forms[*form]);
        forms.filter_map(|form| Some((form.length(text)?, form.secret))).max()
    }
}

impl Form {
    fn length(&self, text: &[u8]) -> Option<usize> {
        match self.written {
            Written::Plain => text.starts_with(&self.text).then_some(self.text.len()),
            Written::Base64 { shares_last } => {
                let rest = text.strip_prefix(&*self.text)?;
                let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
                let shared = usize::from(shares_last && rest.first().is_some_and(is_digit));
                let padding = rest[shared..].iter().take(2).take_while(|byte| **byte == b'=');
                Some(self.text.len() + shared + padding.count())
            }
            Written::Escaped | Written::Percent => {
                let mut wanted = &*self.text;
                let mut length = 0;
                while !wanted.is_empty() {
                    let (read, taken) = match self.written {
                        Written::Percent => percent(wanted, &text[length..])?,
                        _ => escaped(wanted, &text[length..])?,
                    };
                    wanted = &wanted[read..];
                    length += taken;
                }
                Some(length)
            }
        }
    }
}

/// Returns the pairs of bytes that the text can start with in this encoding.
fn starts(text: &[u8], written: Written) -> Vec<[u8; 2]> {
    let (first, second) = (text[0], text[1]);
    let mut starts = vec![[first, second]];
    match written {
        Written::Plain | Written::Base64 { .. } => {}
        Written::Escaped => {
            starts.push([first, b'\\']);
            if may_be_escaped(first) {
                starts.extend(b"\"'\\/bfnrt0u".map(|letter| [b'\\', letter]));
            }
        }
        Written::Percent => {
            starts.extend([[first, b'%'], [first, b'+']]);
            starts
                .extend(format!("{:x}{:X}", first >> 4, first >> 4).bytes().map(|hex| [b'%', hex]));
        }
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}

fn may_be_escaped(byte: u8) -> bool {
    !(b' '..=b'~').contains(&byte) || b"\"'\\/".contains(&byte)
}

/// The number of bytes of the secret, and the number of bytes of the text that encode them.
type Step = Option<(usize, usize)>;

fn percent(wanted: &[u8], text: &[u8]) -> Step {
    match text {
        [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            (hex(&[*high, *low])? == u32::from(wanted[0])).then_some((1, 3))
        }
        [b'+', ..] if wanted[0] == b' ' => Some((1, 1)),
        [byte, ..] => (*byte == wanted[0]).then_some((1, 1)),
        [] => None,
    }
}

fn escaped(wanted: &[u8], text: &[u8]) -> Step {
    let (character, taken) = match text {
        [b'\\', b'u', rest @ ..] => {
            unicode(rest).map(|(character, taken)| (character, taken + 2))?
        }
        [b'\\', letter, ..] => {
            let character = match letter {
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'0' => '\0',
                other => char::from(*other),
            };
            (character, 2)
        }
        [byte, ..] => return (*byte == wanted[0]).then_some((1, 1)),
        [] => return None,
    };
    let mut buffer = [0; 4];
    let character = character.encode_utf8(&mut buffer).as_bytes();
    wanted.starts_with(character).then_some((character.len(), taken))
}

/// Decodes the text after `\u`: `00e9`, `d83d\ude00`, `{e9}`.
fn unicode(text: &[u8]) -> Option<(char, usize)> {
    if let Some(rest) = text.strip_prefix(b"{") {
        let length = rest.iter().take(7).position(|byte| *byte == b'}')?;
        return Some((char::from_u32(hex(&rest[..length])?)?, length + 2));
    }
    let first = hex(text.get(..4)?)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 4));
    }
    let second = hex(text[4..].strip_prefix(b"\\u")?.get(..4)?)?;
    let pair = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    Some((char::decode_utf16(pair).next()?.ok()?, 10))
}

fn hex(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Returns the base64 digits that depend on the secret alone, for each of the three offsets at
/// which it may stand in the encoded text (`user:secret` has it at another offset than `secret`).
fn in_base64(secret: &[u8]) -> impl Iterator<Item = (String, Written)> {
    (0..3).map(move |shift| {
        let mut bytes = vec![0; shift];
        bytes.extend_from_slice(secret);
        let digits = STANDARD_NO_PAD.encode(&bytes);
        let shares_last = bytes.len() % 3 != 0;
        // A digit has six bits: one byte before the secret changes two digits, two bytes change
        // three.
        let first = if shift == 0 { 0 } else { shift + 1 };
        let last = digits.len() - usize::from(shares_last);
        (digits[first..last].to_owned(), Written::Base64 { shares_last })
    })
}
