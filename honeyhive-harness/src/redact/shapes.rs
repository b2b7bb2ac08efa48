//! Finds keys by their shapes.
//!
//! The search is written by hand instead of with a regex engine, which would cost users seconds of
//! compile time. Every shape requires the start of a word, a length that keys have, and where its
//! prefix is short, the look of random text: prose, UUIDs, hashes and names stay as they are.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The shape of a key with a prefix.
struct Token {
    prefix: &'static str,
    /// The characters that the key may have beside letters and digits.
    joints: &'static [u8],
    /// The fewest bytes after the prefix.
    least: usize,
    /// The further condition on the bytes after the prefix.
    is: fn(&[u8]) -> bool,
    /// Set when further parts may follow, a dot before each.
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

/// Returns whether the text has the exact form of Amazon's ids after their prefix.
fn is_amazon(body: &[u8]) -> bool {
    body.len() == 16 && body.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn starts_with_digit(body: &[u8]) -> bool {
    body.first().is_some_and(u8::is_ascii_digit)
}

/// Returns whether at least an eighth of the text are digits and capitals: random text has more of
/// them, names with a number in them have fewer.
fn is_loud(body: &[u8]) -> bool {
    let loud = |byte: &&u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    body.iter().filter(loud).count() * 8 >= body.len()
}

/// Returns whether the text is loud and has a word of at least ten letters and digits with both.
fn is_random(body: &[u8]) -> bool {
    let has = |word: &[u8], is: fn(&u8) -> bool| word.iter().any(is);
    let mut words = body.split(|byte| !byte.is_ascii_alphanumeric());
    let is_mixed = |word: &[u8]| {
        word.len() >= 10 && has(word, u8::is_ascii_digit) && has(word, u8::is_ascii_alphabetic)
    };
    is_loud(body) && words.any(is_mixed)
}

const TOKENS: [Token; 26] = [
    // OpenAI, Anthropic and many other services use this prefix.
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

/// Returns the pairs of bytes that a key can start with.
pub(super) fn starts() -> impl Iterator<Item = [u8; 2]> {
    let start = |token: &Token| [token.prefix.as_bytes()[0], token.prefix.as_bytes()[1]];
    let others = [
        b"--", b":/", b":%", b"%3", b"ey", b"Be", b"BE", b"be", b"Ba", b"BA", b"ba", b"LS", b"0t",
        b"tL",
    ];
    TOKENS.iter().map(start).chain(others.into_iter().copied())
}

/// Returns the secret part of a key that starts at `at`.
pub(super) fn find(text: &[u8], at: usize) -> Option<Range<usize>> {
    match text[at] {
        b':' | b'%' => password(text, at),
        b'-' => private_key(text, at),
        b'0' | b't' => encoded_private_key(text, at),
        b'L' if text[at..].starts_with(b"LS0") => encoded_private_key(text, at),
        _ if !starts_word(text, at) => None,
        b'B' | b'b' => authorization(text, at),
        b'e' => web_token(text, at),
        _ => prefixed(text, at),
    }
}

/// Returns whether a word starts here. A dash may stand before it, as in a list, but not a word
/// with a dash: that is not a key, and a long chain of such words would be read again and again.
fn starts_word(text: &[u8], at: usize) -> bool {
    match text[..at] {
        [] | [b'-'] => true,
        [.., last] if !is_word_digit(last) => true,
        [.., before, b'-'] if !is_word_digit(before) => true,
        // These are the ends of encoded characters: `\n`, `%20`, `\u0022`.
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

/// Returns the length of further parts, a dot before each.
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

/// Finds the secret in `Bearer <token>` and `Basic <user:password in base64>`.
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

/// Finds a JSON web token: three parts or, encrypted, five.
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

/// Returns one byte of an address, which may be written as `%xx`, and its length there.
fn decoded(text: &[u8]) -> Option<(u8, usize)> {
    let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match text {
        [b'%', high, low, ..] => match (hex(*high), hex(*low)) {
            (Some(high), Some(low)) => Some((high * 16 + low, 3)),
            _ => Some((b'%', 1)),
        },
        [byte, ..] => Some((*byte, 1)),
        [] => None,
    }
}

/// Finds the user and password in `scheme://user:password@host`; also where the address stands
/// within another one, as in `?to=postgres%3A%2F%2Fuser%3Apassword%40host`.
fn password(text: &[u8], at: usize) -> Option<Range<usize>> {
    text[..at].last().filter(|byte| byte.is_ascii_alphanumeric())?;
    let mut start = at;
    for wanted in *b"://" {
        let (byte, length) = decoded(&text[start..])?;
        if byte != wanted {
            return None;
        }
        start += length;
    }
    let is_encoded = start > at + 3;
    let ends = |byte: u8| byte.is_ascii_whitespace() || b"/?#\"'`<>\\".contains(&byte);
    let (mut here, mut colon, mut end) = (start, None, None);
    while let Some((byte, length)) =
        if is_encoded { decoded(&text[here..]) } else { text.get(here).map(|byte| (*byte, 1)) }
        && !ends(byte)
        && !(is_encoded && byte == b'&')
    {
        match byte {
            b':' if colon.is_none() => colon = Some(here + length),
            b'@' => end = Some(here),
            _ => {}
        }
        here += length;
    }
    let (colon, end) = (colon?, end?);
    (colon < end).then_some(start..end)
}

/// Finds the text after the first line of a private key, up to and including its last line.
fn private_key(text: &[u8], at: usize) -> Option<Range<usize>> {
    const DASHES: &[u8] = b"-----";
    const BEGIN: &[u8] = b"-----BEGIN";
    const END: &[u8] = b"-----END";
    // A space is written as `%20` or `+` in addresses.
    let is_label =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" %+".contains(&byte);
    let is_space = |text: &[u8]| matches!(text, [b' ' | b'+', ..] | [b'%', b'2', b'0', ..]);
    let rest = text[at..].strip_prefix(BEGIN).filter(|rest| is_space(rest))?;
    let label = run(rest, is_label);
    let body = rest[label..].strip_prefix(DASHES)?;
    if !has(&rest[..label], b"PRIVATE") || !has(&rest[..label], b"KEY") {
        return None;
    }
    let start = at + BEGIN.len() + label + DASHES.len();
    // A key does not contain five dashes, so the next ones end it.
    let next = body.windows(DASHES.len()).position(|part| part == DASHES);
    if let Some(next) = next
        && let Some(end) = body[next..].strip_prefix(END).filter(|end| is_space(end))
    {
        let label = run(end, is_label);
        let closing = run(&end[label..], |byte| byte == b'-').min(DASHES.len());
        return Some(start..start + next + END.len() + label + closing);
    }
    // The end of the key was cut off.
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=%".contains(byte);
    let length = run(body, |byte| is_digit(&byte) || byte.is_ascii_whitespace() || byte == b'\\');
    let mut words = body[..length].split(|byte| !is_digit(byte));
    words.any(|word| word.len() >= 40).then(|| start..start + length)
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|here| here == part)
}

/// The text `-----BEGIN ` in base64, for each offset at which it may stand in the encoded text (the
/// file of an account has it within JSON), and the number of digits after which a group of four
/// starts.
const BEGIN_IN_BASE64: [(&[u8], usize); 3] =
    [(b"LS0tLS1CRUdJTi", 0), (b"0tLS0tQkVHSU4g", 2), (b"tLS0tLUJFR0lOI", 1)];

/// Finds a private key that was encoded as base64 once more, up to its end.
fn encoded_private_key(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let (_, skip) = BEGIN_IN_BASE64.iter().find(|(start, _)| rest.starts_with(start))?;
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    // The first digits show the label; only whole groups of four are decoded.
    let first = &rest[..run(&rest[..rest.len().min(skip + 64)], is_digit)];
    let first = first.get(*skip..)?;
    let decoded = STANDARD_NO_PAD.decode(&first[..first.len() / 4 * 4]).ok()?;
    if !has(&decoded, b"PRIVATE KEY") {
        return None;
    }
    let mut length = run(rest, is_digit);
    // Tools break base64 into lines.
    loop {
        let tail = &rest[length..];
        let broken = match tail {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] | [b'\\', b'n', ..] => 2,
            _ => break,
        };
        let line = run(&tail[broken..], is_digit);
        if line < 16 {
            break;
        }
        length += broken + line;
    }
    let padding = rest[length..].iter().take(2).take_while(|byte| **byte == b'=').count();
    Some(at..at + length + padding)
}

/// The length of a secret key of Amazon. It has no prefix, so it is recognised by the text beside
/// it.
const AMAZON_SECRET: usize = 40;

/// The largest distance of a secret key of Amazon from its id, or from its name.
const BESIDE: usize = 400;

/// Returns whether the text has one of Amazon's ids of keys.
pub(super) fn has_amazon_id(text: &str) -> bool {
    (text.contains("AKIA") || text.contains("ASIA")) && !amazon_ids(text.as_bytes()).is_empty()
}

fn amazon_ids(text: &[u8]) -> Vec<usize> {
    let is_id = |at: &usize| {
        let rest = &text[*at..];
        (rest.starts_with(b"AKIA") || rest.starts_with(b"ASIA"))
            && starts_word(text, *at)
            && is_amazon(&rest[4..4 + run(&rest[4..], |byte| byte.is_ascii_alphanumeric())])
    };
    (0..text.len()).filter(is_id).collect()
}

/// Returns whether a field of this name holds Amazon's secret key: `aws_secret_access_key`,
/// `SecretAccessKey`.
pub(super) fn names_amazon_secret(name: &str) -> bool {
    let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
    let letters: Vec<u8> = letters.map(|byte| byte.to_ascii_lowercase()).collect();
    has(&letters, b"secretaccesskey") || (has(&letters, b"aws") && has(&letters, b"secret"))
}

/// Returns everything that looks like a secret key of Amazon: forty random digits of base64.
pub(super) fn amazon_keys(text: &[u8]) -> Vec<Range<usize>> {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (mut digits, mut end) = (0, at);
        while let Some((byte, length)) = decoded(&text[end..])
            && is_digit(byte)
        {
            digits += 1;
            end += length;
        }
        let key = &text[at..end];
        let any = |is: fn(&u8) -> bool| key.iter().any(is);
        if digits == AMAZON_SECRET
            && any(u8::is_ascii_digit)
            && any(u8::is_ascii_uppercase)
            && any(u8::is_ascii_lowercase)
        {
            found.push(at..end);
        }
        at = end.max(at + 1);
    }
    found
}

/// Returns the secret keys of Amazon beside an id, or after a word that names one.
pub(super) fn amazon_secrets(text: &str) -> Vec<Range<usize>> {
    let names = ["AKIA", "ASIA", "ecret", "ECRET"];
    if text.len() < AMAZON_SECRET || !names.iter().any(|name| text.contains(name)) {
        return Vec::new();
    }
    let bytes = text.as_bytes();
    let keys = amazon_keys(bytes);
    if keys.is_empty() {
        return keys;
    }
    let mut beside = amazon_ids(bytes);
    let secret = |at: &usize| {
        let word = bytes[*at..].get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"secret"));
        // These are texts such as `aws_secret_access_key = `, `"SecretAccessKey": ` and
        // `AWS secret: `.
        word && names_amazon_secret(&String::from_utf8_lossy(
            &bytes[at.saturating_sub(16)..(at + 24).min(bytes.len())],
        ))
    };
    beside.extend((0..bytes.len()).filter(secret));
    beside.sort_unstable();
    let is_beside = |key: &Range<usize>| {
        let next = beside.partition_point(|at| at + BESIDE <= key.start);
        beside.get(next).is_some_and(|at| *at < key.end + BESIDE)
    };
    keys.into_iter().filter(is_beside).collect()
}
