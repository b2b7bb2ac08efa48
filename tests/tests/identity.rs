//! External ids against Python itself.

// The one who runs the tests must see what was not tested.
#![allow(clippy::print_stdout)]

use std::process::{Command, Stdio};

use honeyhive_harness::__private::python_json;

/// Prints 10,000 lines `[json text, what json.dumps(.., sort_keys=True) makes of it]`.
const GENERATOR: &str = r"
import json, random, struct
r = random.Random(7)
def text():
    kinds = [(0, 128), (32, 127), (0, 0xd800), (0xe000, 0x110000)]
    return ''.join(chr(r.randrange(*r.choice(kinds))) for _ in range(r.randrange(0, 12)))
def number():
    kind = r.randrange(7)
    if kind == 0: return r.randrange(-10**30, 10**30)
    if kind == 1: return r.randrange(-1000, 1000)
    if kind == 2: return r.random() * 10.0 ** r.randrange(-320, 308)
    if kind == 3: return r.uniform(-1, 1)
    if kind == 4: return float(r.randrange(-10**17, 10**17))
    if kind == 5: return round(r.uniform(-1000, 1000), r.randrange(0, 6))
    return struct.unpack('<d', r.getrandbits(64).to_bytes(8, 'little'))[0]
def value(depth):
    kind = r.randrange(8)
    if depth > 4 or kind < 2: return r.choice([text(), number(), True, False, None])
    if kind < 4: return [value(depth + 1) for _ in range(r.randrange(0, 4))]
    if kind < 6: return {text(): value(depth + 1) for _ in range(r.randrange(0, 5))}
    return number() if kind == 6 else text()
lines = 0
while lines < 10000:
    try:
        source = json.dumps(value(0), ensure_ascii=r.random() < .5, allow_nan=False)
    except ValueError:
        continue
    print(json.dumps([source, json.dumps(json.loads(source), sort_keys=True)]))
    lines += 1
";

#[test]
fn json_is_printed_as_python_prints_it() {
    let python = Command::new("python3").args(["-c", GENERATOR]).stderr(Stdio::inherit()).output();
    let Ok(output) = python else {
        println!("SKIPPED: there is no python3 to compare with");
        return;
    };
    assert!(output.status.success(), "the generator failed");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut compared = 0;
    for line in text.lines() {
        let [source, wanted]: [String; 2] = serde_json::from_str(line).unwrap();
        assert_eq!(python_json(&source).unwrap(), wanted, "of {source}");
        compared += 1;
    }
    assert_eq!(compared, 10_000);
}
