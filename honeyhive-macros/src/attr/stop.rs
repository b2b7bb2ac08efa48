//! Parses `stop = decided`, by which a run may end before its last case.

use proc_macro2::Ident;
use syn::parse::ParseStream;

use super::Key;
use super::value::rest;
use crate::errors::at;

/// Reads the value of `stop`, which can only be `decided`.
pub(super) fn stop(key: &Key, input: ParseStream<'_>) -> syn::Result<Ident> {
    key.assigned(input)?;
    let value = rest(input);
    match syn::parse2::<Ident>(value.clone()) {
        Ok(ident) if ident == "decided" => Ok(ident),
        _ => at(
            value,
            "`stop` has one value: `stop = decided` starts no further case once the gate can come to no other verdict",
        ),
    }
}
