//! Checks what grammar does not cover: the form of the function, and rules that do not fit
//! together.

pub(crate) mod function;
pub(crate) mod reach;
pub(crate) mod rules;
pub(crate) mod stop;
