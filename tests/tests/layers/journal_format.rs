//! Writes the page about the fields of the journal from the types that are written, and compares it with
//! the page that is checked in.

use std::path::Path;
use std::{env, fs};

use syn::{Attribute, Expr, Fields, GenericArgument, Item, Lit, PathArguments, Type};

use crate::sources::{Crate, attributes, name_of};

const PAGE: &str = "../honeyhive-harness/docs/journal-format.md";

/// The records, in the order of the page; the first seven are lines of a journal.
const RECORDS: [(&str, &str); 20] = [
    ("InvocationRecord", "invocation"),
    ("ExperimentRecord", "experiment"),
    ("GitRecord", "git"),
    ("AttemptRecord", "attempt"),
    ("CaseRecord", "case"),
    ("GateRecord", "gate"),
    ("EndRecord", "end"),
    ("EvaluatorRecord", "evaluator"),
    ("StopRecord", "stop"),
    ("ScoreRecord", "score"),
    ("AttemptError", "error"),
    ("SpanRecord", "span"),
    ("SpanEvent", "event"),
    ("RuleRecord", "rule"),
    ("ComparisonRecord", "comparison"),
    ("BaselineRecord", "baseline"),
    ("SlicesRecord", "slices"),
    ("SliceRecord", "slice"),
    ("StoppedRecord", "stopped"),
    ("CaseCounts", "counts"),
];

#[test]
fn the_page_has_the_fields_of_the_journal() {
    let wanted = page(&crate::harness());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if env::var_os("JOURNAL_FORMAT").is_some_and(|value| value == "overwrite") {
        fs::write(&file, wanted).unwrap();
        return;
    }
    let page = fs::read_to_string(&file).unwrap();
    let old = page.lines().find(|line| !wanted.lines().any(|other| other == *line));
    let new = wanted.lines().find(|line| !page.lines().any(|other| other == *line));
    assert!(
        page == wanted,
        "{PAGE} does not describe the records (first differences: {old:?}, {new:?}); this writes it: \
         JOURNAL_FORMAT=overwrite cargo test -p honeyhive-tests --test layers"
    );
}

fn page(code: &Crate) -> String {
    let mut page =
        "The fields of the records in a [journal](crate::journal). A field that is absent is \
                    empty; fields that a reader does not know are to be ignored.\n"
            .to_owned();
    for (name, title) in RECORDS {
        let Some(Item::Struct(record)) = item(code, name) else {
            panic!("`{name}` is not a struct")
        };
        let Fields::Named(fields) = &record.fields else { panic!("`{name}` has no names") };
        page.push_str(&format!("\n# {title}\n\n{}\n\n", doc(&record.attrs)));
        page.push_str("| field | type | content |\n|---|---|---|\n");
        for field in &fields.named {
            if has_serde(&field.attrs, "skip") {
                continue;
            }
            let own = field.ident.as_ref().unwrap().to_string();
            let name = serde(&field.attrs, "rename").unwrap_or(own);
            let kind = match serde(&field.attrs, "with").as_deref() {
                Some("sample") => "object with `size` and `seed`".to_owned(),
                _ => words(code, &field.ty),
            };
            page.push_str(&format!("| `{name}` | {kind} | {} |\n", doc(&field.attrs)));
        }
    }
    page
}

/// Describes a type by its form in JSON.
fn words(code: &Crate, kind: &Type) -> String {
    let Type::Path(path) = kind else { return "list".to_owned() };
    let last = path.path.segments.last().unwrap();
    let inner = match &last.arguments {
        PathArguments::AngleBracketed(of) => of.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(inner) => Some(words(code, inner)),
            _ => None,
        }),
        _ => None,
    };
    match (last.ident.to_string().as_str(), inner) {
        ("String" | "Cow" | "Reducer", _) => "text".to_owned(),
        ("bool", _) => "`true` or `false`".to_owned(),
        ("u8" | "u32" | "u64" | "usize", _) => "whole number".to_owned(),
        ("f64", _) => "number".to_owned(),
        ("ScoreValue", _) => "boolean or number".to_owned(),
        ("Value", _) => "any value".to_owned(),
        ("Option" | "Box", Some(inner)) => inner,
        ("Vec", Some(inner)) => format!("list of: {inner}"),
        (name, _) => match RECORDS.iter().find(|(record, _)| *record == name) {
            Some((_, title)) => format!("[{title}](#{title})"),
            None => variants(code, name).unwrap_or_else(|| "object".to_owned()),
        },
    }
}

/// Lists the names of an enum that has nothing else.
fn variants(code: &Crate, name: &str) -> Option<String> {
    let Item::Enum(all) = item(code, name)? else { return None };
    let all: Option<Vec<String>> = all
        .variants
        .iter()
        .map(|variant| {
            let is_plain = matches!(variant.fields, Fields::Unit);
            is_plain.then(|| format!("`{}`", snake(&variant.ident.to_string())))
        })
        .collect();
    all.map(|names| names.join(", "))
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_uppercase() && at > 0 {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// Returns the type of a name that a record may have.
fn item<'a>(code: &'a Crate, name: &str) -> Option<&'a Item> {
    let rooms = ["journal", "tracer", "score", "rule"];
    let modules = code
        .modules
        .iter()
        .filter(|(path, _)| path.first().is_some_and(|room| rooms.contains(&room.as_str())));
    modules.flat_map(|(_, module)| &module.items).find(|item| {
        matches!(item, Item::Struct(_) | Item::Enum(_))
            && name_of(item).is_some_and(|own| own == name)
            && attributes(item).iter().any(|attribute| {
                attribute.path().is_ident("derive")
                    && attribute
                        .meta
                        .require_list()
                        .is_ok_and(|list| list.tokens.to_string().contains("Serialize"))
            })
    })
}

/// Returns the documentation of an item in one line, without its links.
fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let lines = lines.filter_map(|attribute| {
        let Expr::Lit(text) = &attribute.meta.require_name_value().ok()?.value else { return None };
        let Lit::Str(text) = &text.lit else { return None };
        Some(text.value().trim().to_owned())
    });
    let text = lines.collect::<Vec<_>>().join(" ");
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("[`") {
        let (name, after) = after.split_once("`]").unwrap();
        plain.push_str(&format!("{before}`{name}`"));
        rest = match after.strip_prefix('(') {
            Some(target) => target.split_once(')').unwrap().1,
            None => after,
        };
    }
    plain + rest
}

/// Returns whether a field has an option of serde.
fn has_serde(attributes: &[Attribute], option: &str) -> bool {
    options(attributes).iter().any(|(name, _)| name == option)
}

/// Returns the value of an option of serde that a field has.
fn serde(attributes: &[Attribute], option: &str) -> Option<String> {
    options(attributes).into_iter().find(|(name, _)| name == option)?.1
}

/// Returns the options of serde that a field has, with their values.
fn options(attributes: &[Attribute]) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        attribute
            .parse_nested_meta(|meta| {
                let value = match meta.value() {
                    Ok(value) => Some(value.parse::<syn::LitStr>()?.value()),
                    Err(_) => None,
                };
                found.extend(meta.path.get_ident().map(|name| (name.to_string(), value)));
                Ok(())
            })
            .unwrap();
    }
    found
}
