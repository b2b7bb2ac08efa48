//! Tests headers, connections, retries and errors.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;

use super::server::{Answer, Server, answer};
use super::{KEY, client, client_of, connection};
use crate::api::{
    ApiError, ApiErrorKind, EventUpdate, Family, HoneyHive, NewEvent, NewRun, NewSession,
    OtlpReceiver,
};
use crate::config::{Connection, OtlpTarget, Protocol, Secret};

fn run() -> NewRun {
    NewRun { run_id: Some("r1".to_owned()), ..NewRun::default() }
}

/// Returns the error of creating a run, and checks that no key is in it.
async fn error_of(client: &HoneyHive) -> ApiError {
    let error = client.runs().create(&run()).await.unwrap_err();
    let text = format!("{error} {error:?} {:?} {client:?}", error.kind());
    assert!(!text.contains(KEY) && !text.contains("b-_9"), "{text}");
    error
}

#[tokio::test]
async fn every_request_says_who_asks() {
    let server = Server::always(answer(200, json!({"evaluation": {"run_id": "r1"}})));
    let client = client(&server);
    client.runs().get("r1").await.unwrap();
    client.runs().create(&run()).await.unwrap();
    let seen = server.seen();
    for request in &seen {
        for (name, value) in [
            ("authorization", format!("Bearer {KEY}").as_str()),
            ("content-type", "application/json"),
            ("accept", "application/json"),
            ("hh-client-version", env!("CARGO_PKG_VERSION")),
            ("hh-client-language", "rust"),
            ("hh-client-package", "honeyhive-harness"),
            ("user-agent", concat!("honeyhive-harness/", env!("CARGO_PKG_VERSION"))),
        ] {
            assert_eq!(request.header(name), value, "{name} of {}", request.line);
        }
    }
    let stamps: Vec<u128> =
        seen.iter().map(|seen| seen.header("hh-client-timestamp").parse().unwrap()).collect();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    assert!(stamps[0] < stamps[1] && stamps[1] <= now, "{stamps:?} {now}");
    assert!(now - stamps[0] < 60_000_000_000);
}

#[tokio::test]
async fn a_password_in_the_address_of_a_receiver_is_sent_unless_a_header_says_otherwise() {
    let server = Server::always(answer(200, "{}").header("content-type", "application/json"));
    let mut target = OtlpTarget {
        url: server.address().replace("http://", "http://me:pw@") + "/v1/traces",
        headers: vec![("x-tenant".to_owned(), Secret::new("t1"))],
        protocol: Protocol::Json,
        timeout: Duration::from_secs(5),
        certificate: None,
    };
    let send = async |target: &OtlpTarget| {
        let receiver = OtlpReceiver::new(target).unwrap();
        receiver.send("application/json", b"{}".to_vec()).await.unwrap();
    };
    send(&target).await;
    target.headers.push(("authorization".to_owned(), Secret::new("Bearer b-_9")));
    send(&target).await;
    let seen = server.seen();
    assert_eq!(seen[0].header("authorization"), "Basic bWU6cHc=");
    assert_eq!(seen[1].header("authorization"), "Bearer b-_9");
    assert_eq!((seen[0].header("x-tenant"), seen[1].header("x-tenant")), ("t1", "t1"));
    assert_eq!(seen[0].line, "POST /v1/traces");
}

#[tokio::test]
async fn one_connection_serves_many_calls() {
    let server = Server::always(answer(201, json!({"run_id": "r1"})));
    let client = client(&server);
    for _ in 0..20 {
        client.clone().runs().create(&run()).await.unwrap();
    }
    assert_eq!((server.seen().len(), server.connections()), (20, 1));
}

#[tokio::test]
async fn a_server_out_of_order_is_asked_again() {
    let server = Server::start(|_, n| match n {
        0 => answer(503, "starting"),
        _ => answer(200, json!({"run_id": "r1"})),
    });
    client(&server).runs().create(&run()).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].body, seen[1].body);
    let stamp = "hh-client-timestamp";
    assert_eq!(seen[0].header(stamp), seen[1].header(stamp), "of the call, not of the try");
    let pause = seen[1].at - seen[0].at;
    assert!(pause >= Duration::from_millis(400), "{pause:?}");
}

#[tokio::test]
async fn the_server_says_how_long_to_wait() {
    let server = Server::start(|_, n| match n {
        0 => answer(503, "{}").header("Retry-After", "1"),
        1..5 => answer(429, "{}").header("Retry-After", "0.05"),
        _ => answer(200, json!({"run_id": "r1"})),
    });
    let connection = Connection { retries: 5, ..connection(&server) };
    HoneyHive::from_connection(&connection).unwrap().runs().create(&run()).await.unwrap();
    let seen = server.seen();
    assert!(seen[1].at - seen[0].at >= Duration::from_secs(1));
    // The pauses that the client chooses would be 12 s and more.
    let rest = seen[5].at - seen[1].at;
    assert!(rest >= Duration::from_millis(200) && rest < Duration::from_secs(6), "{rest:?}");
}

#[tokio::test]
async fn tries_come_to_an_end() {
    let server = Server::always(answer(500, "").header("Retry-After", "0"));
    let error = error_of(&client(&server)).await;
    assert_eq!(server.seen().len(), 4);
    assert!(error.is_transient());
    assert_eq!(error.retry_after(), Some(Duration::ZERO));
    assert_eq!(
        error.to_string(),
        "POST /v1/runs: 500 Internal Server Error (4 tries). The fault is the server's; try again \
         later"
    );
}

#[tokio::test]
async fn a_deadline_ends_pauses_and_answers() {
    let server = Server::start(|_, n| match n {
        0 => answer(503, "").header("Retry-After", "30"),
        _ => answer(200, "{}").delay(Duration::from_secs(3)),
    });
    let begin = Instant::now();
    let client = client(&server);
    let hurried = client.until(begin + Duration::from_millis(300));
    assert_eq!(error_of(&hurried).await.status(), Some(503));
    let error = error_of(&hurried).await;
    assert!(matches!(error.kind(), ApiErrorKind::Timeout(_)), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn what_lasts_is_asked_once() {
    for status in [302, 400, 401, 403, 404, 409, 422, 501] {
        let server = Server::always(answer(status, "{}"));
        let error = error_of(&client(&server)).await;
        assert_eq!((error.status(), error.is_transient()), (Some(status), false));
        assert_eq!(server.seen().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn nothing_is_made_twice() {
    // Without an id of the caller, a second try might create a second run.
    let server = Server::always(answer(503, "").header("Retry-After", "0"));
    client(&server).runs().create(&NewRun::default()).await.unwrap_err();
    client(&server).sessions().start(&NewSession::default()).await.unwrap_err();
    client(&server).events().create(&NewEvent::default()).await.unwrap_err();
    assert_eq!(server.seen().len(), 3);
    // With an id, or where the server did nothing, the request is repeated.
    let session = NewSession { session_id: Some("s".to_owned()), ..NewSession::default() };
    client(&server).sessions().start(&session).await.unwrap_err();
    assert_eq!(server.seen().len(), 7);
    let server = Server::start(|_, n| match n {
        0 => answer(429, "").header("Retry-After", "0"),
        _ => answer(200, json!({"run_id": "theirs"})),
    });
    let made = client(&server).runs().create(&NewRun::default()).await.unwrap();
    assert_eq!(made.run_id, "theirs");
}

#[tokio::test]
async fn a_broken_connection_is_mended() {
    let server = Server::start(|_, n| match n {
        0 => answer(200, json!({"run_id": "r1"})).cut(0),
        1 => answer(200, json!({"run_id": "r1"})).cut(45),
        _ => answer(200, json!({"run_id": "r1"})),
    });
    client(&server).runs().create(&run()).await.unwrap();
    assert_eq!(server.seen().len(), 3);
    let server = Server::always(answer(200, "{}").cut(0));
    let connection = Connection { retries: 0, ..connection(&server) };
    let error = error_of(&HoneyHive::from_connection(&connection).unwrap()).await;
    assert!(matches!(error.kind(), ApiErrorKind::Broken(_)) && error.is_transient(), "{error}");
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let body = json!({"message": format!("bad key\n{KEY}"), "errorCode": "E1"});
    let server = Server::always(answer(401, body).header("x-request-id", "q7"));
    let address = server.address();
    assert_eq!(
        error_of(&client(&server)).await.to_string(),
        format!(
            "POST /v1/runs: 401 Unauthorized: bad key⏎.. [code E1] [request q7]. Check HH_API_KEY, \
             and that the key belongs to this server ({address}) and project"
        )
    );

    let server = Server::always(answer(404, json!({"error": "Not Found"})));
    let error = client(&server).runs().get("no/such").await.unwrap_err().to_string();
    assert!(error.starts_with("GET /v1/runs/no%2Fsuch: 404 Not Found: Not Found. "), "{error}");
    assert!(error.contains("HH_API_URL") && error.contains(&server.address()), "{error}");

    let moved = answer(308, "").header("location", "https://u:pw@new.example/v1/runs?t=s3cret");
    let error = error_of(&client(&Server::always(moved))).await.to_string();
    assert!(
        error.ends_with(
            "The server redirects to https://..@new.example/v1/runs: correct HH_API_URL"
        )
    );
}

#[tokio::test]
async fn an_ingestion_key_is_blamed_by_its_name() {
    let server = Server::start(|seen, _| answer(403, seen.header("authorization")));
    let client = client_of(&server, Family::Legacy);
    let error = client.sessions().start(&NewSession::default()).await.unwrap_err().to_string();
    assert!(error.contains("Forbidden: ... Check HH_INGESTION_API_KEY"), "{error}");
    let error = error_of(&client).await.to_string();
    assert!(error.contains("Forbidden: ... Check HH_API_KEY"), "{error}");
}

#[tokio::test]
async fn garbage_is_no_answer() {
    for (body, said) in [
        ("<!DOCTYPE html><p>Welcome", "200 with a page for browsers. Is http://127.0.0.1:"),
        ("{\"run_id\": ", "200 with EOF while parsing"),
        ("{\"run_id\": [\"hh_project_key_4711\"]}", "200 with invalid type"),
        ("\"hh_project_key_4711\"", "200 with invalid type: string \"..\""),
    ] {
        let server = Server::always(answer(200, body));
        let error = error_of(&client(&server)).await;
        assert!(error.to_string().contains(said), "{error}");
        assert!(!error.is_transient());
        assert_eq!(server.seen().len(), 1);
    }
    // The contents of the answer to an update are ignored, but it must be an object. Proxies answer
    // with anything else.
    let server = Server::start(|_, n| answer(200, [r#"{"success":true}"#, "OK", "", " <html>"][n]));
    let client = client(&server);
    let update = EventUpdate::default();
    client.events().update(&update).await.unwrap();
    for said in ["200 with expected value", "200 with an empty answer", "a page for browsers"] {
        let error = client.events().update(&update).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn an_answer_without_what_was_asked_for_is_none() {
    let server = Server::start(|_, n| answer(200, ["", "{}"][n % 2]));
    let client = client(&server);
    let session = NewSession { session_id: Some("s".to_owned()), ..NewSession::default() };
    for said in ["an empty answer", "it holds no `run_id`"] {
        let error = error_of(&client).await.to_string();
        assert!(error.contains(said), "{error}");
    }
    for said in ["an empty answer", "it holds no `session_id`"] {
        let error = client.sessions().start(&session).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    for said in ["an empty answer", "it holds no `evaluation`"] {
        let update = crate::api::RunUpdate::default();
        let error = client.runs().update("r1", &update).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

/// Sends spans to a receiver that answers like this to the body of the request. Returns the number
/// of requests, and whether the spans were accepted.
async fn send_spans(reply: impl Fn(&str) -> Answer + Send + Sync + 'static) -> (usize, bool) {
    let server = Server::start(move |seen, _| reply(&seen.body));
    let mut target = OtlpTarget::new(server.address() + "/v1/traces");
    target.protocol = Protocol::Json;
    let receiver = OtlpReceiver::new(&target).unwrap();
    let mut taken = true;
    for _ in 0..2 {
        let sent = receiver.send("application/json", br#"{"resourceSpans":[{}]}"#.to_vec()).await;
        taken = sent.is_ok();
    }
    (server.seen().len(), taken)
}

#[tokio::test]
async fn a_receiver_that_answers_nothing_is_told_from_what_answers_anything() {
    assert_eq!(send_spans(|_| answer(200, "{}")).await, (2, true));
    // The answers are checked each time, since this server accepts a body that is not spans.
    assert_eq!(send_spans(|_| answer(200, "")).await, (4, false));
    assert_eq!(send_spans(|_| answer(200, "<html>")).await, (2, false));
    // This receiver reads the body and gives blank answers.
    let reads = |body: &str| match serde_json::from_str::<serde_json::Value>(body) {
        Ok(_) => answer(200, ""),
        Err(_) => answer(400, "no JSON"),
    };
    assert_eq!(send_spans(reads).await, (4, true));
    // A proxy in between answers for a receiver that exists.
    let sometimes = |body: &str| match body {
        r#"{"resourceSpans":[{}]}"# => answer(200, ""),
        body if body.starts_with('{') => answer(200, "{}"),
        _ => answer(400, "no JSON"),
    };
    assert_eq!(send_spans(sometimes).await, (6, false));
}

#[tokio::test]
async fn a_deadline_does_not_hide_why_the_try_before_failed() {
    let server = Server::start(|_, n| match n {
        0 => answer(503, "starting").header("Retry-After", "0"),
        _ => answer(200, "{}").delay(Duration::from_secs(3)),
    });
    let hurried = client(&server).until(Instant::now() + Duration::from_millis(500));
    let error = error_of(&hurried).await;
    assert_eq!(error.status(), Some(503), "{error}");
}

#[tokio::test]
async fn what_fails_is_known_while_the_request_goes_on() {
    let server = Server::always(answer(429, "").header("Retry-After", "30"));
    let trouble = crate::api::Trouble::default();
    let watched = client(&server).watched(trouble.clone());
    let call = async {
        let _ = watched.runs().create(&run()).await;
    };
    assert!(tokio::time::timeout(Duration::from_secs(2), call).await.is_err());
    assert_eq!(trouble.last().unwrap().status(), Some(429));
}

#[tokio::test]
async fn an_answer_may_not_fill_the_memory() {
    let server = Server::always(answer(200, "x".repeat((64 << 20) + 1).as_str()));
    let error = error_of(&client(&server)).await.to_string();
    assert!(error.contains("the answer has more than 64 MiB"), "{error}");
}

#[tokio::test]
async fn nobody_there() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let connection = Connection {
        server: format!("http://user:pa55@{free}"),
        retries: 1,
        ..connection(&Server::always(answer(200, "")))
    };
    let error = error_of(&HoneyHive::from_connection(&connection).unwrap()).await;
    assert!(matches!(error.kind(), ApiErrorKind::Connect(_)) && error.is_transient());
    let text = error.to_string();
    assert!(text.contains("refused") && text.contains("(2 tries)"), "{text}");
    assert!(text.ends_with(&format!("Is http://{free} up, and is it the right HH_API_URL?")));
    assert!(!text.contains("pa55"));
}

#[tokio::test]
async fn a_server_that_is_too_slow() {
    let server = Server::always(answer(200, "{}").delay(Duration::from_secs(2)));
    let connection =
        Connection { timeout: Duration::from_millis(200), retries: 0, ..connection(&server) };
    let begin = Instant::now();
    let error = error_of(&HoneyHive::from_connection(&connection).unwrap()).await;
    assert!(begin.elapsed() < Duration::from_millis(1900));
    assert!(error.to_string().contains("no complete answer within 200 ms"), "{error}");
    assert!(error.is_transient());
}

#[test]
fn without_a_runtime_nothing_panics() {
    let server = Server::always(answer(200, "{}"));
    let client = client(&server);
    let mut call = std::pin::pin!(error_of(&client));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match call.as_mut().poll(&mut context) {
        std::task::Poll::Ready(error) => assert_eq!(error.kind(), &ApiErrorKind::NoRuntime),
        std::task::Poll::Pending => panic!("it waits for something"),
    }
}

#[test]
fn a_call_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let server = Server::always(answer(200, "{}"));
    let client = client(&server);
    is_send(&client.runs().list(&crate::api::RunFilter::default()));
    is_send(&client.events().update(&EventUpdate::default()));
}
