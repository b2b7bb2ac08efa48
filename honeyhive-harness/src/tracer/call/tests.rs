//! The attribute on functions of all kinds. What a whole experiment makes of it is tested with
//! `cargo test`.

use std::cell::Cell;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use opentelemetry::trace::FutureExt;
use serde_json::{Value, json};

use crate::tracer::{SpanRecord, SpanStatus, Tracer};
use crate::{enrich_span, trace};

/// The spans that the work opens, without the times in them.
fn spans(work: impl FnOnce()) -> Vec<SpanRecord> {
    let tracer = Tracer::builder().local().build();
    let root = tracer.start_span("root");
    let entered = root.enter();
    work();
    drop(entered);
    without_times(&tracer)
}

fn without_times(tracer: &Tracer) -> Vec<SpanRecord> {
    let mut spans = tracer.trace().spans;
    for span in &mut spans {
        let took = span.attributes.remove("honeyhive_duration_ms").expect("a duration");
        assert!(took.as_f64().is_some_and(|took| took >= 0.0), "{took}");
    }
    spans
}

/// The attributes of the one span that the work opens.
fn seen(work: impl FnOnce()) -> Value {
    let spans = spans(work);
    assert_eq!(spans.len(), 1, "{spans:?}");
    Value::from(spans[0].attributes.clone())
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    // As a task of an experiment: with the context, and on a thread that has none.
    runtime.block_on(future.with_current_context())
}

mod inner {
    #[crate::trace(crate = crate)]
    pub(super) fn adds(a: u8, _c: u8) -> u8 {
        a + 2
    }
}

#[test]
fn a_plain_function() {
    let spans = spans(|| assert_eq!(inner::adds(1, 7), 3));
    assert_eq!(spans[0].name, "honeyhive_harness::tracer::call::tests::inner::adds");
    assert_eq!(spans[0].kind, "internal");
    assert_eq!(spans[0].status, SpanStatus::Unset);
    assert_eq!(
        Value::from(spans[0].attributes.clone()),
        json!({
            "honeyhive_event_type": "tool",
            "honeyhive_inputs.a": 1,
            "honeyhive_inputs.c": 7,
            "honeyhive_outputs.result": 3,
        })
    );
}

struct Loud;

impl Debug for Loud {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("nobody may look at it")
    }
}

#[test]
fn outside_of_an_attempt_nothing_is_looked_at() {
    #[trace(crate = crate)]
    fn quiet(_loud: &Loud) -> Loud {
        enrich_span(crate::Enrichment::new().metadata("a", 1));
        Loud
    }
    #[trace(crate = crate)]
    async fn quiet_async(loud: Loud) -> Loud {
        loud
    }
    #[trace(crate = crate)]
    fn quiet_future(loud: Loud) -> Pin<Box<dyn Future<Output = Loud>>> {
        Box::pin(async { loud })
    }
    let _ = quiet(&Loud);
    let _ = block_on(quiet_async(Loud));
    let _ = block_on(quiet_future(Loud));
}

#[derive(serde::Serialize, Clone)]
struct Answer {
    text: String,
    sources: Vec<Option<u8>>,
}

#[trace(crate = crate, event_type = "model", name = "ask", skip(key, words))]
fn ask(question: &str, key: &str, words: Vec<String>, answer: &Answer) -> Answer {
    assert!(key.len() + words.len() > 1);
    Answer { text: question.to_owned(), ..answer.clone() }
}

#[test]
fn options_and_structures() {
    let answer = Answer { text: "so".into(), sources: vec![Some(7), None] };
    assert_eq!(
        seen(|| drop(ask("why", "sk-secret", vec!["a".into()], &answer))),
        json!({
            "honeyhive_event_type": "model",
            "honeyhive_event_name": "ask",
            "honeyhive_inputs.question": "why",
            "honeyhive_inputs.answer": "{\"text\":\"so\",\"sources\":[7,null]}",
            "honeyhive_outputs.result.text": "why",
            "honeyhive_outputs.result.sources.0": 7,
        })
    );
}

#[derive(Debug)]
struct Broken;

#[trace(crate = crate)]
fn fails(text: &str) -> Result<u8, std::num::ParseIntError> {
    let number: u8 = text.parse()?;
    if number == 0 {
        return Ok(100);
    }
    Ok(number)
}

type Alias<T> = Result<T, Broken>;

#[trace(crate = crate)]
fn fails_in_debug(fail: bool) -> Alias<u8> {
    if fail { Err(Broken) } else { Ok(1) }
}

#[test]
fn an_error_is_the_status_and_an_event() {
    let spans = spans(|| {
        fails("x").unwrap_err();
        fails("0").unwrap();
        fails_in_debug(true).unwrap_err();
        fails_in_debug(false).unwrap();
    });
    let text = "invalid digit found in string";
    assert_eq!(spans[0].status, SpanStatus::Error(text.to_owned()));
    assert_eq!(
        Value::from(spans[0].attributes.clone()),
        json!({
            "honeyhive_event_type": "tool",
            "honeyhive_inputs.text": "x",
            "honeyhive_error": text,
            "error.type": "core::num::error::ParseIntError",
        })
    );
    assert_eq!(spans[0].events.len(), 1);
    assert_eq!(spans[0].events[0].name, "exception");
    assert_eq!(spans[0].events[0].attributes["exception.message"], text);
    assert_eq!(spans[1].attributes["honeyhive_outputs.result"], 100);
    assert_eq!(spans[2].attributes["honeyhive_error"], "Broken");
    assert_eq!(spans[3].attributes["honeyhive_outputs.result"], 1);
    assert!(!spans[3].is_error());
}

#[test]
fn a_panic_is_an_error_and_goes_on() {
    #[trace(crate = crate)]
    fn outer(n: u8) -> impl Iterator<Item = u8> {
        panics(n);
        std::iter::once(n)
    }
    #[trace(crate = crate)]
    fn panics(n: u8) {
        panic!("no {n}");
    }
    #[trace(crate = crate)]
    async fn panics_async() {
        tokio::task::yield_now().await;
        std::panic::panic_any(3);
    }
    let spans = spans(|| {
        let payload = std::panic::catch_unwind(|| outer(3).count()).unwrap_err();
        assert_eq!(payload.downcast_ref::<String>().unwrap(), "no 3");
        let caught = std::panic::AssertUnwindSafe(|| block_on(panics_async()));
        assert_eq!(*std::panic::catch_unwind(caught).unwrap_err().downcast::<i32>().unwrap(), 3);
    });
    let texts: Vec<_> =
        spans.iter().map(|span| span.attributes["honeyhive_error"].clone()).collect();
    assert_eq!(texts, ["no 3", "ended by a panic", "a value that is no text"]);
    for span in &spans {
        assert!(span.is_error());
        assert_eq!((span.events.len(), &span.attributes["error.type"]), (1, &json!("panic")));
    }
}

struct Counter<'a, T> {
    all: &'a mut Vec<T>,
}

impl<'a, T: Clone> Counter<'a, T> {
    #[trace(crate = crate)]
    fn new(all: &'a mut Vec<T>) -> Self {
        Self { all }
    }

    #[trace(crate = crate)]
    fn first(&mut self) -> Option<&mut T> {
        self.all.first_mut()
    }

    #[trace(crate = crate, skip(self))]
    async fn push(&mut self, item: T) -> &T {
        tokio::task::yield_now().await;
        self.all.push(item);
        &self.all[0]
    }

    #[trace(crate = crate)]
    fn into_len(self) -> usize {
        self.all.len()
    }
}

#[test]
fn methods_and_lifetimes() {
    let spans = spans(|| {
        let mut all = vec![1];
        let mut counter = Counter::new(&mut all);
        *counter.first().unwrap() = 5;
        assert_eq!(block_on(counter.push(2)), &5);
        assert_eq!(counter.into_len(), 2);
    });
    let names: Vec<_> = spans.iter().map(|span| span.name.rsplit("::").next().unwrap()).collect();
    assert_eq!(names, ["new", "first", "push", "into_len"]);
    let of = |at: usize| {
        let mut attributes = spans[at].attributes.clone();
        attributes.remove("honeyhive_event_type");
        Value::from(attributes)
    };
    let counter = std::any::type_name::<Counter<'_, i32>>();
    assert_eq!(
        of(0),
        json!({"honeyhive_inputs.all": "&mut alloc::vec::Vec<i32>", "honeyhive_outputs.result": counter})
    );
    // Of a type parameter the bounds decide.
    assert_eq!(of(1), json!({"honeyhive_outputs.result": "core::option::Option<&mut i32>"}));
    assert_eq!(of(2), json!({"honeyhive_inputs.item": "i32", "honeyhive_outputs.result": "&i32"}));
    assert_eq!(of(3), json!({"honeyhive_outputs.result": 2}));
}

#[test]
fn generic_functions_and_impl_trait() {
    #[trace(crate = crate)]
    fn of_bounds<T: Debug, U, const N: usize>(t: T, _u: U, n: [T; N]) -> Option<T>
    where
        U: serde::Serialize,
    {
        n.into_iter().next().or(Some(t))
    }
    #[trace(crate = crate)]
    fn of_impl(words: impl Iterator<Item = &'static str> + Debug) -> impl Fn(usize) -> String {
        let all: Vec<_> = words.collect();
        move |at| all[at].to_owned()
    }
    #[trace(crate = crate)]
    fn of_nested(n: u8) -> Result<impl Iterator<Item = u8>, std::num::TryFromIntError> {
        let n = i8::try_from(n)?;
        Ok((0..n).map(i8::unsigned_abs))
    }
    let spans = spans(|| {
        assert_eq!(of_bounds(Some(1), "u", [Some(2)]), Some(Some(2)));
        assert_eq!(of_impl(["a", "b"].into_iter())(1), "b");
        assert_eq!(of_nested(3).unwrap().count(), 3);
        assert!(of_nested(200).is_err());
    });
    let of = |at: usize| {
        let mut attributes = spans[at].attributes.clone();
        attributes.remove("honeyhive_event_type");
        Value::from(attributes)
    };
    assert_eq!(
        of(0),
        json!({
            "honeyhive_inputs.t": "Some(1)",
            "honeyhive_inputs.u": "u",
            "honeyhive_inputs.n": "[Some(2)]",
            "honeyhive_outputs.result": "Some(Some(2))",
        })
    );
    assert_eq!(
        of(1),
        json!({
            "honeyhive_inputs.words": "IntoIter([\"a\", \"b\"])",
            "honeyhive_outputs.result": "impl Fn(usize) -> String",
        })
    );
    assert!(!spans[2].is_error());
    assert_eq!(of(3)["error.type"], "core::num::error::TryFromIntError");
}

#[test]
fn an_async_function_is_current_whenever_it_is_polled() {
    #[trace(crate = crate)]
    async fn outer(n: u8) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
        let all = futures(n).await?;
        let text = std::str::from_utf8(&[n])?.to_owned();
        tokio::task::yield_now().await;
        Ok(all + u8::try_from(text.len())?)
    }
    #[trace(crate = crate)]
    fn futures(n: u8) -> impl Future<Output = Result<u8, std::fmt::Error>> + Send {
        async move {
            tokio::task::yield_now().await;
            let boxed = boxed(&n).await?;
            Ok(boxed)
        }
    }
    #[trace(crate = crate)]
    fn boxed<'a>(
        n: &'a u8,
    ) -> Pin<Box<dyn Future<Output = Result<u8, std::fmt::Error>> + Send + 'a>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            if *n > 1 { Err(std::fmt::Error) } else { Ok(*n) }
        })
    }
    let tracer = Tracer::builder().local().build();
    let root = tracer.start_span("root");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let tasks: Vec<_> = (1..3).map(|n| runtime.spawn(root.instrument(outer(n)))).collect();
    let results: Vec<_> = tasks
        .into_iter()
        .map(|task| runtime.block_on(task).unwrap().map_err(|e| e.to_string()))
        .collect();
    assert_eq!(results, [Ok(2), Err(std::fmt::Error.to_string())]);
    let spans = without_times(&tracer);
    assert_eq!(spans.len(), 6);
    for outer in spans.iter().filter(|span| span.name.ends_with("outer")) {
        let below = |parent: &SpanRecord| {
            spans.iter().find(|span| span.parent_span_id.as_ref() == Some(&parent.span_id)).unwrap()
        };
        let futures = below(outer);
        assert!(futures.name.ends_with("futures"));
        let boxed = below(futures);
        assert!(boxed.name.ends_with("boxed"));
        let n = &outer.attributes["honeyhive_inputs.n"];
        assert_eq!(&boxed.attributes["honeyhive_inputs.n"], n);
        let failed = *n == json!(2);
        assert!([outer, futures, boxed].iter().all(|span| span.is_error() == failed));
        let result = outer.attributes.get("honeyhive_outputs.result");
        assert_eq!(result, (!failed).then_some(&json!(2)));
    }
}

#[test]
fn a_future_that_is_dropped_was_cancelled() {
    #[trace(crate = crate)]
    async fn waits() {
        std::future::pending::<()>().await;
    }
    #[trace(crate = crate)]
    fn waits_boxed() -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(std::future::pending())
    }
    let spans = spans(|| {
        block_on(async {
            for wait in [Box::pin(waits()) as Pin<Box<dyn Future<Output = ()>>>, waits_boxed()] {
                tokio::time::timeout(Duration::from_millis(1), wait).await.unwrap_err();
            }
        });
        // Never polled, never begun.
        drop(waits());
    });
    assert_eq!(spans.len(), 2);
    for span in &spans {
        assert_eq!(span.attributes["honeyhive_cancelled"], true);
        assert!(!span.is_error());
    }
}

#[test]
fn what_is_no_plain_function() {
    trait Tool {
        fn call(&self, n: u8) -> u8;
        #[trace(crate = crate)]
        fn twice(&self, n: u8) -> u8 {
            self.call(self.call(n))
        }
    }
    struct Adds(Rc<Cell<u8>>);
    impl Tool for Adds {
        #[trace(crate = crate)]
        fn call(&self, n: u8) -> u8 {
            self.0.set(self.0.get() + 1);
            n + 1
        }
    }
    #[trace(crate = crate)]
    extern "C" fn foreign(a: u8) {
        assert_eq!(a, 1);
    }
    #[trace(crate = crate)]
    fn patterns((a, _): (u8, u8), [b, ..]: [u8; 2]) {
        assert_eq!((a, b), (1, 3));
    }
    #[trace(crate = crate)]
    fn ends() -> ! {
        std::panic::panic_any("the end")
    }
    // Neither `Send` nor `Sync`.
    #[trace(crate = crate)]
    async fn stays(cell: Rc<Cell<u8>>, r#type: char) -> Rc<Cell<u8>> {
        tokio::task::yield_now().await;
        cell.set(u8::try_from(r#type).unwrap());
        cell
    }
    let spans = spans(|| {
        let counter = Rc::new(Cell::new(0));
        assert_eq!(Adds(Rc::clone(&counter)).twice(1), 3);
        assert_eq!(counter.get(), 2);
        foreign(1);
        patterns((1, 2), [3, 4]);
        std::panic::catch_unwind(|| ends()).unwrap_err();
        assert_eq!(block_on(stays(counter, 'a')).get(), b'a');
    });
    let names: Vec<_> = spans.iter().map(|span| span.name.rsplit("::").next().unwrap()).collect();
    assert_eq!(names, ["call", "call", "twice", "foreign", "patterns", "ends", "stays"]);
    assert_eq!(spans[0].parent_span_id.as_ref(), Some(&spans[2].span_id));
    assert_eq!(
        Value::from(spans[4].attributes.clone()),
        json!({"honeyhive_event_type": "tool", "honeyhive_inputs.a": 1, "honeyhive_inputs.b": 3})
    );
    assert_eq!(spans[5].attributes["honeyhive_error"], "ended by a panic");
    assert_eq!(spans[6].attributes["honeyhive_inputs.type"], "a");
}

#[test]
fn too_much_is_cut_and_said_so() {
    #[trace(crate = crate)]
    fn many(n: usize) -> Vec<usize> {
        (0..n).collect()
    }
    #[trace(crate = crate)]
    fn long(text: &str) -> String {
        text.to_owned()
    }
    let spans = spans(|| {
        many(512);
        many(513);
        long(&"x".repeat(1 << 16));
        long(&"x".repeat((1 << 16) + 1));
    });
    let is_cut = |at: usize| spans[at].attributes.contains_key("honeyhive_truncated");
    assert_eq!([0, 1, 3].map(is_cut), [false, true, true]);
    assert_eq!(spans[1].attributes.len(), 512 + 3);
    assert_eq!(spans[1].attributes["honeyhive_outputs.result.511"], 511);
    assert!(spans[3].attributes["honeyhive_outputs.result"].as_str().unwrap().len() <= 1 << 16);
}
