//! Reads the options of `#[experiment(..)]`.

mod synonyms;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Expr, LitStr, Path, Token};

use self::synonyms::SYNONYMS;
use super::gate::{Gate, Require};
use super::reduce::{self, Reduce};
use super::uses::Use;
use super::value::{count, duration, rest, string};
use super::{Key, Known, gate, item_path, list, options, stop, uses};
use crate::errors::{Errors, at};
use crate::text;

const OPTIONS: &[Known] = &[
    Known { name: "dataset", usage: "dataset = \"data.jsonl\"" },
    Known { name: "evaluators", usage: "evaluators(correct)" },
    Known { name: "require", usage: "require(correct)" },
    Known { name: "gate", usage: "gate(mean(correct) >= 0.9)" },
    Known { name: "repeats", usage: "repeats = 3" },
    Known { name: "reduce", usage: "reduce(correct = at_least(2))" },
    Known { name: "retries", usage: "retries = 2" },
    Known { name: "concurrency", usage: "concurrency = 8" },
    Known { name: "timeout", usage: "timeout = \"60s\"" },
    Known { name: "name", usage: "name = \"greeting\"" },
    Known { name: "dataset_name", usage: "dataset_name = \"greetings\"" },
    Known { name: "tags", usage: "tags(\"nightly\")" },
    Known { name: "metadata", usage: "metadata(model = \"..\")" },
    Known { name: "track", usage: "track(\"prompts/*.md\")" },
    Known { name: "baseline", usage: "baseline = \"baselines/greeting.json\"" },
    Known { name: "cluster", usage: "cluster = \"document\"" },
    Known { name: "stop", usage: "stop = decided" },
    Known { name: "smoke", usage: "smoke" },
    Known { name: "crate", usage: "crate = honeyhive_harness" },
];

/// The source of the rows.
pub(crate) enum Dataset {
    File(LitStr),
    /// The id of a dataset that is kept in HoneyHive.
    ManagedId(LitStr),
    /// The name of a dataset that is kept in HoneyHive.
    ManagedName(LitStr),
    Function(Path),
}

/// The options of `#[experiment(..)]`.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) dataset: Option<Dataset>,
    pub(crate) evaluators: Vec<Use>,
    pub(crate) require: Vec<Require>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) repeats: Option<u32>,
    pub(crate) reduce: Vec<Reduce>,
    pub(crate) retries: Option<u32>,
    pub(crate) concurrency: Option<u32>,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) name: Option<LitStr>,
    pub(crate) dataset_name: Option<LitStr>,
    pub(crate) tags: Vec<LitStr>,
    /// The keys of the metadata, with the expression of each.
    pub(crate) metadata: Vec<(String, TokenStream)>,
    pub(crate) track: Vec<LitStr>,
    pub(crate) baseline: Option<LitStr>,
    pub(crate) cluster: Option<LitStr>,
    /// The value of `stop`.
    pub(crate) stop: Option<Ident>,
    /// The option `smoke`: nothing scores the output, and a case passes when the function runs
    /// without an error.
    pub(crate) smoke: Option<Ident>,
    pub(crate) root: Option<Path>,
    /// Set when all of `evaluators(..)` was understood, so that an unknown name in a rule is a
    /// mistake.
    pub(crate) evaluators_known: bool,
}

impl Options {
    /// Reads the options from the tokens of the attribute.
    pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut read = Self::default();
        let seen = options(tokens, OPTIONS, SYNONYMS, errors, |key, input, errors| {
            read.option(key, input, errors)
        });
        if !seen.contains(&"dataset") {
            errors.push(syn::Error::new(
                proc_macro2::Span::call_site(),
                "`#[experiment]` needs a dataset: `dataset = \"data.jsonl\"`, or the path of a function that returns datapoints",
            ));
        }
        read.evaluators_known |= !seen.contains(&"evaluators");
        match &read.smoke {
            Some(smoke) if seen.contains(&"evaluators") => errors.at(
                smoke,
                "`smoke` says that nothing scores the output, and `evaluators(..)` names what does; remove one of them",
            ),
            None if !["evaluators", "gate", "smoke"].iter().any(|option| seen.contains(option)) => {
                errors.push(syn::Error::new(
                    proc_macro2::Span::call_site(),
                    "nothing would judge what this experiment's function returns: name `evaluators(correct)`, or write `smoke` where the check is that it runs without an error, a panic or a timeout",
                ));
            }
            _ => {}
        }
        read
    }

    fn option(
        &mut self,
        key: &Key,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        match key.name() {
            "dataset" => self.dataset = Some(dataset(key, input)?),
            "evaluators" if is_empty_list(input) => {
                let rest = rest(input);
                return at(
                    quote!(#key #rest),
                    "`evaluators()` is empty, so nothing would judge what the function returns: name some, `evaluators(correct)`, or write `smoke` instead where the check is that it runs without an error, a panic or a timeout",
                );
            }
            "evaluators" => key.listed(input, |content| {
                let mut inside = Errors::default();
                self.evaluators.extend(uses::read(content, &mut inside));
                self.evaluators_known = inside.is_empty();
                errors.extend(inside);
                Ok(())
            })?,
            "require" => key.listed(input, |content| {
                self.require.extend(list(content, errors, |input, _| gate::require(input)));
                Ok(())
            })?,
            "gate" => key.listed(input, |content| {
                self.gates.extend(list(content, errors, |input, _| gate::gate(input)));
                Ok(())
            })?,
            "reduce" => key.listed(input, |content| {
                self.reduce.extend(list(content, errors, |input, _| reduce::reduce(input)));
                Ok(())
            })?,
            "repeats" => self.repeats = Some(count(key, input, 1)?),
            "retries" => self.retries = Some(count(key, input, 0)?),
            "concurrency" => self.concurrency = Some(count(key, input, 1)?),
            "timeout" => self.timeout_ms = Some(timeout(&string(key, input)?)?),
            "name" => self.name = Some(name(string(key, input)?)?),
            "dataset_name" => self.dataset_name = Some(string(key, input)?),
            "tags" => key.listed(input, |content| {
                for tag in list(content, errors, |input, _| tag(key, input)) {
                    if self.tags.iter().any(|other| other.value() == tag.value()) {
                        errors.at(&tag, format_args!("the tag `{}` is given twice", tag.value()));
                    }
                    self.tags.push(tag);
                }
                Ok(())
            })?,
            "track" => key.listed(input, |content| {
                for pattern in list(content, errors, |input, _| tracked(key, input)) {
                    if self.track.iter().any(|other| other.value() == pattern.value()) {
                        errors.at(&pattern, "this is tracked twice");
                    }
                    self.track.push(pattern);
                }
                Ok(())
            })?,
            "smoke" => {
                key.alone(input)?;
                self.smoke = Some(key.ident.clone());
            }
            "baseline" => self.baseline = Some(baseline(string(key, input)?)?),
            "cluster" => self.cluster = Some(string(key, input)?),
            "stop" => self.stop = Some(stop::stop(key, input)?),
            "metadata" => key.listed(input, |content| {
                for (key, value) in list(content, errors, |input, _| metadata(input)) {
                    let name = text::unraw(&key);
                    if self.metadata.iter().any(|(other, _)| *other == name) {
                        errors.at(key, format_args!("the metadata `{name}` is given twice"));
                    }
                    self.metadata.push((name, value));
                }
                Ok(())
            })?,
            _ => {
                key.assigned(input)?;
                self.root = Some(item_path(input, "the harness")?);
            }
        }
        Ok(())
    }
}

/// Returns whether an option is written `option()`.
fn is_empty_list(input: ParseStream<'_>) -> bool {
    matches!(input.fork().parse::<TokenTree>(), Ok(TokenTree::Group(group)) if group.stream().is_empty())
}

fn dataset(key: &Key, input: ParseStream<'_>) -> syn::Result<Dataset> {
    const KINDS: [&str; 3] = [".jsonl", ".json", ".csv"];
    key.assigned(input)?;
    if input.peek(LitStr) {
        let file: LitStr = input.parse()?;
        let value = file.value();
        if value.trim().is_empty() {
            return at(
                file,
                "`dataset` is empty: write the file, relative to the `Cargo.toml` of this crate",
            );
        }
        let stem = KINDS.iter().find_map(|kind| value.strip_suffix(kind));
        return match stem {
            Some(stem) if !stem.is_empty() && !stem.ends_with('/') => Ok(Dataset::File(file)),
            _ => at(
                file,
                "a dataset file ends in `.jsonl`, `.json` or `.csv`; read any other format in a function: `dataset = my_rows`",
            ),
        };
    }
    if input.peek(syn::Lit) || !(input.peek(syn::Ident::peek_any) || input.peek(Token![::])) {
        return key.wrong(rest(input), "a file name, or the path of a function");
    }
    let path = item_path(input, "a function")?;
    if path.is_ident("managed") && input.peek(syn::token::Paren) {
        return managed(input);
    }
    if input.peek(syn::token::Paren) {
        let call = rest(input);
        return at(
            quote!(#path #call),
            format_args!(
                "name the function without calling it: `dataset = {}`",
                text::of_type(&path)
            ),
        );
    }
    Ok(Dataset::Function(path))
}

/// Parses `("id")` or `(name = "..")`, after `managed`.
fn managed(input: ParseStream<'_>) -> syn::Result<Dataset> {
    const USAGE: &str =
        "write `managed(\"id\")` or `managed(name = \"..\")`, as HoneyHive shows them";
    let content;
    let parens = syn::parenthesized!(content in input);
    if content.is_empty() {
        return Err(syn::Error::new(parens.span.join(), USAGE));
    }
    let read = managed_by(&content, parens.span.join(), USAGE);
    // The remaining tokens are read, since they would be reported as a second mistake.
    rest(&content);
    read
}

fn managed_by(
    content: ParseStream<'_>,
    span: proc_macro2::Span,
    usage: &str,
) -> syn::Result<Dataset> {
    let by_name = content.peek(syn::Ident::peek_any);
    if by_name {
        let key = content.call(Ident::parse_any)?;
        if key != "name" || !content.peek(Token![=]) {
            return at(key, usage);
        }
        content.parse::<Token![=]>()?;
    }
    if !content.peek(LitStr) {
        let found = rest(content);
        return if found.is_empty() { Err(syn::Error::new(span, usage)) } else { at(found, usage) };
    }
    let text: LitStr = content.parse()?;
    if text.value().trim().is_empty() {
        return at(text, usage);
    }
    content.parse::<Option<Token![,]>>()?;
    if !content.is_empty() {
        return at(rest(content), usage);
    }
    Ok(if by_name { Dataset::ManagedName(text) } else { Dataset::ManagedId(text) })
}

fn timeout(text: &LitStr) -> syn::Result<u64> {
    match u64::try_from(duration(text)?.as_millis()) {
        Ok(0) => at(text, "`timeout` is at least a millisecond"),
        Ok(ms) => Ok(ms),
        Err(_) => at(text, "`timeout` is too long"),
    }
}

fn name(name: LitStr) -> syn::Result<LitStr> {
    let value = name.value();
    let odd = value.chars().find(|c| !(c.is_ascii_alphanumeric() || "_.-".contains(*c)));
    if let Some(odd) = odd {
        return at(
            name,
            format_args!(
                "`name` has letters, digits, `_`, `.` and `-` only, as it becomes part of test names; found {odd:?}"
            ),
        );
    }
    reserved(&value).map_or(Ok(()), |text| at(&name, text))?;
    Ok(name)
}

/// Returns why an experiment cannot have this name; `None` where it can.
pub(crate) fn reserved(name: &str) -> Option<String> {
    matches!(name, "gate" | "dataset")
        .then(|| format!("an experiment cannot be named `{name}`: tests of that name are generated; choose another `name = \"..\"`"))
}

fn tag(key: &Key, input: ParseStream<'_>) -> syn::Result<LitStr> {
    if !input.peek(LitStr) {
        return key.wrong(rest(input), "strings");
    }
    let tag: LitStr = input.parse()?;
    if tag.value().trim().is_empty() { at(tag, "a tag is not empty") } else { Ok(tag) }
}

fn tracked(key: &Key, input: ParseStream<'_>) -> syn::Result<LitStr> {
    if !input.peek(LitStr) {
        return key.wrong(rest(input), "strings");
    }
    let pattern: LitStr = input.parse()?;
    if pattern.value().trim().is_empty() {
        return at(pattern, "this pattern is empty: write a file, such as `\"prompts/*.md\"`");
    }
    Ok(pattern)
}

fn baseline(file: LitStr) -> syn::Result<LitStr> {
    let value = file.value();
    let stem = value.strip_suffix(".json");
    match stem {
        Some(stem) if !stem.is_empty() && !stem.ends_with('/') => Ok(file),
        _ => at(file, "a baseline is a `.json` file, relative to the `Cargo.toml` of this crate"),
    }
}

/// Parses `key = value`, where the value is an expression.
fn metadata(input: ParseStream<'_>) -> syn::Result<(Ident, TokenStream)> {
    const USAGE: &str = "metadata is written `key = value`, as in `metadata(model = \"large\", prompt = prompt_version())`";
    if !input.peek(syn::Ident::peek_any) {
        return at(rest(input), USAGE);
    }
    let key = input.call(Ident::parse_any)?;
    if !input.peek(Token![=]) || input.peek(Token![==]) {
        let extra = rest(input);
        return at(quote!(#key #extra), USAGE);
    }
    let equals: Token![=] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return at(equals, format_args!("the metadata `{key}` needs a value: `{key} = ..`"));
    }
    if let Some(number) = whole_number(input)? {
        return Ok((key, number));
    }
    let value: Expr = input.parse()?;
    Ok((key, value.to_token_stream()))
}

/// Parses a whole number that stands alone, with a type that holds it; returns `None` for any other
/// value.
fn whole_number(input: ParseStream<'_>) -> syn::Result<Option<TokenStream>> {
    let ahead = input.fork();
    let minus: Option<Token![-]> = ahead.parse()?;
    let Ok(number) = ahead.parse::<syn::LitInt>() else { return Ok(None) };
    if !(ahead.is_empty() || ahead.peek(Token![,])) || !number.suffix().is_empty() {
        return Ok(None);
    }
    input.parse::<Option<Token![-]>>()?;
    input.parse::<syn::LitInt>()?;
    let digits = number.base10_digits();
    let sign = if minus.is_some() { "-" } else { "" };
    let span = number.span();
    if format!("{sign}{digits}").parse::<i64>().is_ok() {
        let number = syn::LitInt::new(&format!("{digits}i64"), span);
        return Ok(Some(quote!(#minus #number)));
    }
    if minus.is_none() && digits.parse::<u64>().is_ok() {
        return Ok(Some(syn::LitInt::new(&format!("{digits}u64"), span).to_token_stream()));
    }
    at(quote!(#minus #number), "this number does not fit into 64 bits; write it as a string")
}
