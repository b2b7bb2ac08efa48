//! Keys that are known by how they look.
//!
//! Written by hand instead of with a regex engine, which would cost whoever tests with this crate
//! seconds of compile time. Every shape wants the start of a word, a length that keys have, and
//! where its prefix is short, the look of random text: prose, UUIDs, hashes and names of things
//! stay as they are.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A key with a prefix.
struct Token {
    prefix: &'static str,
    /// What it may have beside letters and digits.
    joints: &'static [u8],
    /// The fewest bytes after the prefix.
    least: usize,
    /// What else must be so.
    is: fn(&[u8]) -> bool,
    /// Further parts may follow, a dot before each.
    has_parts: bool,
}

const fn token(
    prefix: &'static str,
    joints: &'static [u8],
    least: usize,
    is: fn(&[u8]) -> bool,
) -> Token {
    Token { prefix, joints, least, is, has_parts: false }
}

fn any(_: &[u8]) -> bool {
    true
}

/// Amazon's ids have exactly this form.
fn is_amazon(body: &[u8]) -> bool {
    body.len() == 16 && body.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn starts_with_digit(body: &[u8]) -> bool {
    body.first().is_some_and(u8::is_ascii_digit)
}

/// An eighth of it are digits and capitals: random text has more of them, names with a number in
/// them have fewer.
fn is_loud(body: &[u8]) -> bool {
    let loud = |byte: &&u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    body.iter().filter(loud).count() * 8 >= body.len()
}

/// Loud, with a word of at least ten letters and digits that has both.
fn is_random(body: &[u8]) -> bool {
    let has = |word: &[u8], is: fn(&u8) -> bool| word.iter().any(is);
    let mut words = body.split(|byte| !byte.is_ascii_alphanumeric());
    let is_mixed = |word: &[u8]| {
        word.len() >= 10 && has(word, u8::is_ascii_digit) && has(word, u8::is_ascii_alphabetic)
    };
    is_loud(body) && words.any(is_mixed)
}

const TOKENS: [Token; 26] = [
    // OpenAI, Anthropic, and many that took after them.
    token("sk-", b"-_", 20, is_random),
    token("hh_ingst_", b"-_", 40, any),
    token("hh_fgdp_", b"-_", 40, any),
    token("hh_", b"-_", 20, is_random),
    token("github_pat_", b"_", 40, any),
    token("ghp_", b"", 30, any),
    token("gho_", b"", 30, any),
    token("ghu_", b"", 30, any),
    token("ghs_", b"", 30, any),
    token("ghr_", b"", 30, any),
    Token { has_parts: true, ..token("glpat-", b"-_", 20, is_loud) },
    token("xoxa-", b"-", 20, starts_with_digit),
    token("xoxb-", b"-", 20, starts_with_digit),
    token("xoxe-", b"-", 20, starts_with_digit),
    token("xoxp-", b"-", 20, starts_with_digit),
    token("xoxr-", b"-", 20, starts_with_digit),
    token("xoxs-", b"-", 20, starts_with_digit),
    token("AKIA", b"", 16, is_amazon),
    token("ASIA", b"", 16, is_amazon),
    token("AIza", b"-_", 35, any),
    token("hf_", b"", 30, any),
    token("npm_", b"", 30, any),
    token("sk_live_", b"", 16, any),
    token("sk_test_", b"", 16, any),
    token("rk_live_", b"", 16, any),
    token("rk_test_", b"", 16, any),
];

/// Two bytes that a key can start with.
pub(super) fn starts() -> impl Iterator<Item = [u8; 2]> {
    let start = |token: &Token| [token.prefix.as_bytes()[0], token.prefix.as_bytes()[1]];
    let others = [b"--", b":/", b"ey", b"Be", b"BE", b"be", b"Ba", b"BA", b"ba"];
    TOKENS.iter().map(start).chain(others.into_iter().copied())
}

/// The secret that a key which starts at `at` has.
pub(super) fn find(text: &[u8], at: usize) -> Option<Range<usize>> {
    match text[at] {
        b':' => password(text, at),
        b'-' => private_key(text, at),
        _ if !starts_word(text, at) => None,
        b'B' | b'b' => authorization(text, at),
        b'e' => web_token(text, at),
        _ => prefixed(text, at),
    }
}

/// Whether a word starts here. A dash may stand before it, as in a list, but no word with a dash:
/// besides being no key, a long chain of those would be read again and again.
fn starts_word(text: &[u8], at: usize) -> bool {
    match text[..at] {
        [] | [b'-'] => true,
        [.., last] if !is_word_digit(last) => true,
        [.., before, b'-'] if !is_word_digit(before) => true,
        // Text that was encoded: `\n`, `%20`, `\u0022`.
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., b'%', a, b] => [a, b].iter().all(u8::is_ascii_hexdigit),
        [.., b'\\', b'u', a, b, c, d] => [a, b, c, d].iter().all(u8::is_ascii_hexdigit),
        _ => false,
    }
}

fn run(text: &[u8], is: impl Fn(u8) -> bool) -> usize {
    text.iter().take_while(|byte| is(**byte)).count()
}

fn prefixed(text: &[u8], at: usize) -> Option<Range<usize>> {
    TOKENS.iter().find_map(|token| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || token.joints.contains(&byte);
        let body = text[at..].strip_prefix(token.prefix.as_bytes())?;
        let length = run(body, is_part);
        let is_key = length >= token.least && (token.is)(&body[..length]);
        let end = at + token.prefix.len() + length;
        is_key.then(|| at..if token.has_parts { end + parts(&text[end..]) } else { end })
    })
}

/// The length of further parts, a dot before each.
fn parts(text: &[u8]) -> usize {
    let mut length = 0;
    while let [b'.', rest @ ..] = &text[length..]
        && let digits @ 1.. = run(rest, is_word_digit)
    {
        length += 1 + digits;
    }
    length
}

fn is_word_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_".contains(&byte)
}

/// `Bearer <token>`, `Basic <user:password in base64>`.
fn authorization(text: &[u8], at: usize) -> Option<Range<usize>> {
    let scheme = run(&text[at..], |byte| byte.is_ascii_alphabetic());
    let (scheme, rest) = text[at..].split_at(scheme);
    let space = match rest {
        [b'%', b'2', b'0', ..] => 3,
        _ => run(rest, |byte| byte == b' ' || byte == b'\t'),
    };
    let rest = &rest[space..];
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    let length = run(rest, is_part);
    let token = &rest[..length];
    let is_secret = space > 0
        && if scheme.eq_ignore_ascii_case(b"bearer") {
            token.len() >= 16 && is_random(token)
        } else {
            scheme.eq_ignore_ascii_case(b"basic") && is_user_and_password(token)
        };
    let padding = run(rest[length..].get(..2).unwrap_or(&rest[length..]), |byte| byte == b'=');
    let start = at + scheme.len() + space;
    is_secret.then(|| start..start + length + padding)
}

fn is_user_and_password(token: &[u8]) -> bool {
    let decoded =
        STANDARD_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.is_some_and(|text| text.contains(':') && !text.contains(char::is_control))
}

/// A JSON web token: three parts or, encrypted, five.
fn web_token(text: &[u8], at: usize) -> Option<Range<usize>> {
    if !text[at..].starts_with(b"eyJ") {
        return None;
    }
    let mut length = 0;
    for (part, least) in [10, 2, 16].into_iter().enumerate() {
        if part > 0 {
            text[at + length..].strip_prefix(b".")?;
            length += 1;
        }
        let digits = run(&text[at + length..], is_word_digit);
        if digits < least {
            return None;
        }
        length += digits;
    }
    Some(at..at + length + parts(&text[at + length..]))
}

/// The user and password in `scheme://user:password@host`.
fn password(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = text[at..].strip_prefix(b"://")?;
    text[..at].last().filter(|byte| byte.is_ascii_alphanumeric())?;
    let ends = |byte: u8| byte.is_ascii_whitespace() || b"/?#\"'`<>\\".contains(&byte);
    let authority = &rest[..run(rest, |byte| !ends(byte))];
    let user = &authority[..authority.iter().rposition(|byte| *byte == b'@')?];
    let colon = user.iter().position(|byte| *byte == b':')?;
    let start = at + 3;
    (colon + 1 < user.len()).then(|| start..start + user.len())
}

/// What stands between the first and the last line of a private key; the last line as well.
fn private_key(text: &[u8], at: usize) -> Option<Range<usize>> {
    const DASHES: &[u8] = b"-----";
    const BEGIN: &[u8] = b"-----BEGIN ";
    let is_label = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ';
    let rest = text[at..].strip_prefix(BEGIN)?;
    let label = run(rest, is_label);
    let body = rest[label..].strip_prefix(DASHES)?;
    let names_it = |label: &[u8]| label.windows(11).any(|part| part == b"PRIVATE KEY");
    if !names_it(&rest[..label]) {
        return None;
    }
    let start = at + BEGIN.len() + label + DASHES.len();
    // A key has no five dashes, so whatever comes next ends it.
    let next = body.windows(DASHES.len()).position(|part| part == DASHES);
    if let Some(next) = next
        && let Some(end) = body[next..].strip_prefix(b"-----END ")
    {
        let label = run(end, is_label);
        let closing = run(&end[label..], |byte| byte == b'-').min(DASHES.len());
        return Some(start..start + next + b"-----END ".len() + label + closing);
    }
    // The end was cut off.
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let length = run(body, |byte| is_digit(&byte) || byte.is_ascii_whitespace() || byte == b'\\');
    let mut words = body[..length].split(|byte| !is_digit(byte));
    words.any(|word| word.len() >= 40).then(|| start..start + length)
}
