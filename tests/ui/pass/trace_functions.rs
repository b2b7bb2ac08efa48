//! Whatever a function looks like, it is one with the attribute, too.
#![deny(warnings)]
#![allow(dead_code, improper_ctypes_definitions)]

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use honeyhive_harness::{Tracer, trace};

struct Opaque;

struct Store<'a, T> {
    items: Vec<T>,
    name: &'a str,
}

impl<'a, T: Clone + Display> Store<'a, T> {
    #[trace]
    fn new(name: &'a str) -> Self {
        Self { items: Vec::new(), name }
    }

    #[trace(skip(self))]
    fn first<'s>(&'s self, _other: &'s str) -> Option<&'s T> {
        let first = self.items.first()?;
        Some(first)
    }

    #[trace]
    fn last_mut(&mut self) -> Option<&mut T> {
        if self.items.is_empty() {
            return None;
        }
        self.items.last_mut()
    }

    #[trace]
    fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.items.iter().map(|item| format!("{}{item}", self.name))
    }

    #[trace]
    fn into_items(mut self) -> Vec<T> {
        self.items.truncate(3);
        self.items
    }

    #[trace]
    fn boxed(self: Box<Self>) -> Box<dyn Iterator<Item = T> + 'a>
    where
        T: 'a,
    {
        Box::new(self.items.into_iter())
    }

    #[trace]
    async fn get(&self, at: usize) -> Result<&T, Box<dyn Error + Send + Sync>> {
        std::future::ready(()).await;
        self.items.get(at).ok_or_else(|| "not there".into())
    }
}

trait Tool {
    fn call(&self, input: &str) -> Result<String, Box<dyn Error>>;
    fn later<'a>(&'a self, input: &'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>>;
    #[trace]
    fn name(&self) -> Cow<'_, str>
    where
        Self: Sized,
    {
        "tool".into()
    }
    #[allow(async_fn_in_trait)]
    #[trace]
    async fn wait(&self) {
        std::future::ready(()).await;
    }
}

impl Tool for Opaque {
    #[trace(event_type = "tool")]
    fn call(&self, input: &str) -> Result<String, Box<dyn Error>> {
        let number: u8 = input.parse()?;
        Ok(number.to_string())
    }

    #[trace(event_type = "chain")]
    fn later<'a>(&'a self, input: &'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
        Box::pin(async move { input.len() })
    }
}

#[trace]
fn unit() {}

#[trace]
fn explicit_unit() -> () {
    return;
}

#[trace]
fn never(fail: bool) -> ! {
    if fail { panic!("no") } else { std::process::exit(0) }
}

#[trace]
fn only_panics() {
    panic!("no");
}

#[trace]
fn loops() -> u8 {
    loop {
        return 3;
    }
}

#[trace]
fn mutable(mut n: u8, list: &mut Vec<u8>) -> u8 {
    n += 1;
    list.push(n);
    n
}

#[trace]
fn patterns((a, b): (u8, u8), Opaque: Opaque, [first, ..]: [Opaque; 2], _: u8) -> (u8, Opaque) {
    (a + b, first)
}

#[trace]
fn generic<K, V, const N: usize, F>(map: HashMap<K, V>, pairs: [(K, V); N], with: F) -> Vec<V>
where
    K: std::hash::Hash + Eq,
    F: Fn(V) -> V,
{
    map.into_iter().chain(pairs).map(|(_, value)| with(value)).collect()
}

#[trace]
fn closures(n: usize) -> impl Fn(usize) -> usize {
    move |m| m + n
}

#[trace]
fn trait_arguments(mut all: impl Iterator<Item = u8>, dynamic: &dyn Fn(u8) -> u8) -> Option<u8> {
    all.next().map(dynamic)
}

#[trace]
fn inferred() -> Result<Vec<u8>, Box<dyn Error>> {
    let all = ["1", "2"].iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    Ok(all)
}

#[trace]
fn dynamic(long: bool) -> Box<dyn Display> {
    if long {
        return Box::new("long");
    }
    Box::new(3)
}

#[trace]
fn nested_impl(n: u8) -> Result<(impl Display, impl Iterator<Item = u8>), Opaque> {
    if n == 0 {
        return Err(Opaque);
    }
    Ok((n, 0..n))
}

#[trace]
async fn asynchronous(text: String, opaque: Opaque) -> Result<u8, Box<dyn Error + Send + Sync>> {
    let _ = opaque;
    if text.is_empty() {
        return Ok(Default::default());
    }
    let number = std::future::ready(text.parse()).await?;
    Ok(number)
}

#[trace]
async fn asynchronous_impl(n: u8) -> impl Iterator<Item = u8> {
    0..n
}

#[trace]
async fn asynchronous_never() -> ! {
    std::future::pending().await
}

#[trace]
async fn asynchronous_unit(_text: &str) {
    if _text.is_empty() {
        return;
    }
    std::future::ready(()).await
}

#[trace]
async fn local(counter: &RefCell<u8>, shared: Rc<u8>) -> Rc<u8> {
    *counter.borrow_mut() += 1;
    std::future::ready(()).await;
    shared
}

#[trace]
fn future(text: &str) -> impl Future<Output = Result<usize, std::num::ParseIntError>> + Send {
    async move {
        let number: usize = text.parse()?;
        Ok(number)
    }
}

#[trace]
fn recursive(n: u8) -> u8 {
    if n == 0 { 0 } else { recursive(n - 1) + 1 }
}

/// # Safety
/// The pointer points.
#[trace]
unsafe fn unchecked(pointer: *const u8) -> u8 {
    unsafe { *pointer }
}

#[trace]
extern "C" fn foreign(n: u8) -> u8 {
    n
}

#[trace(name = "with a tracer", skip(_words, r#type))]
#[must_use]
#[inline]
pub fn options(tracer: &Tracer, r#type: u8, _words: &[&str], #[cfg(any())] no: Missing) -> u8 {
    let _ = tracer;
    r#type
}

macro_rules! traced {
    ($name:ident, $argument:ident) => {
        #[trace]
        fn $name($argument: u8, own: u8) -> u8 {
            $argument + own
        }
    };
}
traced!(from_a_macro, given);

mod elsewhere {
    #[honeyhive_harness::trace(crate = ::honeyhive_harness)]
    pub(super) fn by_path() {}
}

fn sent<T: Send>(_: T) {}

fn main() {
    // Those that were `Send` still are.
    sent(asynchronous("1".to_owned(), Opaque));
    sent(future("1"));
    sent(Opaque.later("1"));
    sent(asynchronous_never());
    let mut store = Store { items: vec!["a"], name: "n" };
    assert!(store.last_mut().is_some());
    assert_eq!(store.names().next().as_deref(), Some("na"));
    assert_eq!(store.first(""), Some(&"a"));
    assert_eq!(store.into_items(), ["a"]);
    assert_eq!(Store::<u8>::new("x").name, "x");
    assert!(Opaque.call("x").is_err());
    assert_eq!(Opaque.name(), "tool");
    assert_eq!(mutable(1, &mut vec![]), 2);
    assert_eq!(patterns((1, 2), Opaque, [Opaque, Opaque], 3).0, 3);
    assert_eq!(generic(HashMap::new(), [(1, 2)], |n| n + 1), [3]);
    assert_eq!(closures(1)(2), 3);
    assert_eq!(trait_arguments([1].into_iter(), &|n| n), Some(1));
    assert_eq!(inferred().unwrap(), [1, 2]);
    assert_eq!(dynamic(true).to_string(), "long");
    assert!(nested_impl(0).is_err() && nested_impl(2).is_ok());
    assert_eq!(recursive(3), 3);
    assert_eq!(unsafe { unchecked(&7) }, 7);
    assert_eq!(foreign(1) + from_a_macro(1, 2) + loops(), 7);
    unit();
    explicit_unit();
    elsewhere::by_path();
}
