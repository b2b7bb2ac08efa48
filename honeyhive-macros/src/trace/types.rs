//! Decides from its return type how a function can be wrapped.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    AssocType, GenericArgument, PathArguments, PathSegment, ReturnType, Type, TypeImplTrait,
    TypeParamBound,
};

use crate::params::{last_segment, plain};

/// The kind of value that a function returns.
pub(super) enum Returned {
    /// A value of this type, with `_` for types that cannot be named.
    Value(TokenStream),
    /// An `impl Future` with this output.
    Future(TokenStream),
    /// A `Pin<Box<dyn Future>>` with this output, as `async-trait` writes it.
    BoxedFuture(TokenStream),
    /// A return type of `!`, or an `impl Trait` whose bounds rustc needs to see at the body. The
    /// text stands for the value.
    Opaque(Option<String>),
}

impl Returned {
    pub(super) fn of(output: &ReturnType) -> Self {
        let ReturnType::Type(_, ty) = output else { return Self::Value(quote!(())) };
        match plain(ty) {
            Type::Never(_) => Self::Opaque(None),
            Type::ImplTrait(it) => match future(it) {
                Some(output) => Self::Future(output),
                None => Self::Opaque(Some(crate::text::of_type(it))),
            },
            ty if is_boxed_future(ty) => Self::BoxedFuture(erased(ty)),
            ty => Self::Value(erased(ty)),
        }
    }
}

/// Returns the output of an `impl Future` for which any other future could be returned as well;
/// `None` for other types.
fn future(it: &TypeImplTrait) -> Option<TokenStream> {
    let mut output = None;
    for bound in &it.bounds {
        match bound {
            TypeParamBound::Trait(bound) => {
                let last = bound.path.segments.last()?;
                match last.ident.to_string().as_str() {
                    "Future" => output = output_of(last),
                    "Send" | "Sync" => {}
                    _ => return None,
                }
            }
            TypeParamBound::Lifetime(_) | TypeParamBound::PreciseCapture(_) => {}
            _ => return None,
        }
    }
    output
}

/// Returns the type in `Future<Output = T>`.
fn output_of(segment: &PathSegment) -> Option<TokenStream> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(AssocType { ident, ty, .. }) if ident == "Output" => {
            Some(erased(ty))
        }
        _ => None,
    })
}

fn is_boxed_future(ty: &Type) -> bool {
    let Some(boxed) = argument(ty, "Pin").and_then(|inner| argument(inner, "Box")) else {
        return false;
    };
    let Type::TraitObject(object) = plain(boxed) else { return false };
    object.bounds.iter().all(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| {
            last.ident == "Future" || last.ident == "Send" || last.ident == "Sync"
        }),
        _ => true,
    })
}

fn argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    last_segment(ty).filter(|last| *last == name)?;
    let Type::Path(path) = plain(ty) else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Returns the type with `_` for each `impl Trait`, which cannot be written within a body.
fn erased(ty: &Type) -> TokenStream {
    let mut ty = ty.clone();
    erase(&mut ty);
    quote!(#ty)
}

fn erase(ty: &mut Type) {
    match ty {
        Type::ImplTrait(_) => *ty = syn::parse_quote!(_),
        Type::Array(of) => erase(&mut of.elem),
        Type::Group(of) => erase(&mut of.elem),
        Type::Paren(of) => erase(&mut of.elem),
        Type::Ptr(of) => erase(&mut of.elem),
        Type::Reference(of) => erase(&mut of.elem),
        Type::Slice(of) => erase(&mut of.elem),
        Type::Tuple(of) => of.elems.iter_mut().for_each(erase),
        Type::Path(path) => {
            for segment in &mut path.path.segments {
                let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else {
                    continue;
                };
                for argument in &mut arguments.args {
                    if let GenericArgument::Type(ty) = argument {
                        erase(ty);
                    }
                }
            }
        }
        _ => {}
    }
}
