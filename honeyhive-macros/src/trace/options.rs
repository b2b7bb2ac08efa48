//! Reads the options of `#[trace(..)]`.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{LitStr, Path};

use crate::attr::value::{rest, string};
use crate::attr::{Key, Known, Synonym, item_path, list, options};
use crate::errors::{Errors, at};
use crate::suggest;

const OPTIONS: &[Known] = &[
    Known { name: "event_type", usage: "event_type = \"model\"" },
    Known { name: "name", usage: "name = \"ask the model\"" },
    Known { name: "skip", usage: "skip(argument)" },
    Known { name: "crate", usage: "crate = honeyhive_harness" },
];

const SYNONYMS: &[Synonym] = &[
    Synonym {
        names: &["type", "kind", "span_kind", "span_type", "run_type", "as_type"],
        option: "event_type",
        hint: "write `event_type = \"model\"`, `\"tool\"` or `\"chain\"`",
    },
    Synonym {
        names: &["span_name", "event_name", "title", "operation_name"],
        option: "name",
        hint: "write `name = \"ask the model\"`",
    },
    Synonym {
        names: &["ignore", "exclude", "skip_all", "redact", "hide", "omit"],
        option: "skip",
        hint: "arguments that are not recorded are `skip(argument)`",
    },
    Synonym {
        names: &["fields", "attributes", "metadata", "tags", "config"],
        option: "",
        hint: "say more about the span in the body of the function, by `enrich_span`",
    },
];

const EVENT_TYPES: &[&str] = &["model", "tool", "chain"];

/// The options of `#[trace(..)]`.
#[derive(Default)]
pub(super) struct Options {
    pub(super) event_type: Option<LitStr>,
    pub(super) name: Option<LitStr>,
    pub(super) skip: Vec<Ident>,
    pub(super) root: Option<Path>,
}

impl Options {
    /// Reads the options from the tokens of the attribute.
    pub(super) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut read = Self::default();
        options(tokens, OPTIONS, SYNONYMS, errors, |key, input, errors| {
            read.option(key, input, errors)
        });
        read
    }

    fn option(
        &mut self,
        key: &Key,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        match key.name() {
            "event_type" => self.event_type = Some(event_type(string(key, input)?)?),
            "name" => self.name = Some(string(key, input)?),
            "skip" => self.skip.extend(key.listed(input, |content| {
                Ok(list(content, errors, |input, _| skipped(key, input)))
            })?),
            _ => {
                key.assigned(input)?;
                self.root = Some(item_path(input, "the harness")?);
            }
        }
        Ok(())
    }
}

fn event_type(given: LitStr) -> syn::Result<LitStr> {
    let value = given.value();
    if EVENT_TYPES.contains(&value.as_str()) {
        return Ok(given);
    }
    let hint = suggest::hint(&value.to_lowercase(), EVENT_TYPES, "event types");
    at(&given, format_args!("unknown event type `{value}`; {hint}"))
}

fn skipped(key: &Key, input: ParseStream<'_>) -> syn::Result<Ident> {
    if input.peek(syn::Ident::peek_any) {
        return input.call(Ident::parse_any);
    }
    key.wrong(rest(input), "the names of parameters")
}
