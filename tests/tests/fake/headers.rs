//! Tests the rules for all requests: headers, keys and the transport.

use std::panic::{AssertUnwindSafe, catch_unwind};

use honeyhive_tests::Fake;
use serde_json::json;

use super::client::{
    Call, Client, RUN, assert_refused, get, ok, run, session, session_update, with_session,
};

fn get_run(fake: &Fake) -> Call {
    Call::rest(fake, &format!("GET /v1/runs/{RUN}"), None)
}

#[test]
fn every_header_is_demanded() {
    let fake = with_session(Fake::start());
    assert_eq!(get_run(&fake).send(&fake).status, 200);
    fake.assert_clean();
    for (name, value, status, reason) in [
        ("Authorization", "", 401, "Authorization is not `Bearer <project key>`"),
        ("Authorization", "Bearer something", 401, "Authorization is not"),
        ("Authorization", fake.key(), 401, "Authorization is not"),
        ("Content-Type", "", 400, "content-type is []"),
        ("Content-Type", "text/plain", 400, "content-type is [\"text/plain\"]"),
        ("Accept", "", 400, "accept is []"),
        ("Accept", "*/*", 400, "accept is"),
        ("hh-client-version", "", 400, "hh-client-version is []"),
        ("hh-client-version", "1.7.0", 400, "hh-client-version is"),
        ("hh-client-language", "python", 400, "hh-client-language is"),
        ("hh-client-package", "honeyhive", 400, "hh-client-package is"),
        ("hh-client-timestamp", "", 400, "hh-client-timestamp is not decimal"),
        ("hh-client-timestamp", "1.5e18", 400, "hh-client-timestamp is not decimal"),
        ("host", " ", 400, "Host is missing"),
        ("content-encoding", "gzip", 400, "the body is encoded"),
        ("x-debug", fake.key(), 400, "a key of HoneyHive stands where"),
    ] {
        assert_refused(&fake, &get_run(&fake).header(name, value), status, reason);
    }
    let mut twice = get_run(&fake);
    twice.headers.push(("hh-client-language".into(), "rust".into()));
    assert_refused(&fake, &twice, 400, "hh-client-language is");
    let mut with_body = get_run(&fake);
    with_body.body = b"{}".to_vec();
    assert_refused(&fake, &with_body, 400, "a GET has a body");
    let panic = catch_unwind(AssertUnwindSafe(|| fake.assert_clean())).expect_err("complaints");
    let text = panic.downcast_ref::<String>().expect("a text");
    assert!(text.contains("request 4, GET /v1/runs/"), "{text}");
    assert!(!text.contains(fake.key()), "{text}");
}

#[test]
fn a_timestamp_is_in_nanoseconds_and_does_not_go_back_by_much() {
    let now = |fake: &Fake| {
        get_run(fake)
            .headers
            .iter()
            .find(|(name, _)| name == "hh-client-timestamp")
            .map_or(0, |(_, value)| value.parse::<u64>().expect("a number"))
    };
    let call = |fake: &Fake, stamp: u64| {
        get_run(fake).header("hh-client-timestamp", &stamp.to_string()).send(fake).status
    };
    for (offset, fault) in [
        (-1_000_000_000, None),
        (-6_000_000_000, Some("is long before")),
        (-700_000_000_000, Some("is no nanoseconds of these ten minutes")),
        (60_000_000_000, Some("is in the future")),
    ] {
        let fake = with_session(Fake::start());
        let stamp = now(&fake).saturating_add_signed(offset);
        assert_eq!(call(&fake, stamp), 200, "it is served all the same");
        let complaints = fake.complaints();
        match fault {
            None => assert!(complaints.is_empty(), "{complaints:?}"),
            Some(fault) => assert!(complaints.concat().contains(fault), "{complaints:?}"),
        }
        // A repeated call has the same fault, which is reported only once.
        assert_eq!(call(&fake, stamp), 200);
        assert_eq!(fake.complaints().len(), complaints.len());
        assert_eq!(fake.requests().iter().filter(|request| request.retry).count(), 1);
        if offset < 0 {
            catch_unwind(AssertUnwindSafe(|| fake.assert_stamps_in_order())).expect_err("order");
        } else {
            fake.assert_stamps_in_order();
        }
    }
    // A call that was refused while the server was stopped may come late.
    let fake = with_session(Fake::start());
    let stamp = now(&fake) - 6_000_000_000;
    fake.stop();
    fake.restart();
    assert_eq!((call(&fake, now(&fake)), call(&fake, stamp)), (200, 200));
    fake.assert_clean();
    // A timestamp in milliseconds is a fault.
    assert_eq!(call(&fake, stamp / 1_000_000), 200);
    assert_eq!(fake.complaints().len(), 1);
}

#[test]
fn the_ingestion_key_is_for_sessions_and_events_only() {
    let fake = with_session(Fake::with_ingestion_key());
    ok(&fake, "PUT /events", &session_update());
    get(&fake, &format!("/v1/runs/{RUN}"));
    fake.assert_clean();
    let project = format!("Bearer {}", fake.key());
    let ingestion = format!("Bearer {}", fake.ingestion_key().expect("a key"));
    let session = json!({"session": session()});
    for (kind, body) in [
        ("POST /session/start", &session),
        ("POST /v1/sessions", &session["session"]),
        ("PUT /events", &session_update()),
        ("POST /events", &json!({})),
        ("POST /events/batch", &json!({})),
    ] {
        let call = Call::rest(&fake, kind, Some(body)).header("Authorization", &project);
        assert_refused(&fake, &call, 401, "not `Bearer <ingestion key>`");
    }
    for (kind, body) in [
        ("POST /v1/runs".to_owned(), Some(&run())),
        (format!("PUT /v1/runs/{RUN}"), Some(&json!({"status": "completed"}))),
        (format!("GET /v1/runs/{RUN}"), None),
        (format!("GET /v1/runs/{RUN}/result"), None),
        ("GET /v1/datasets?name=a".to_owned(), None),
        ("GET /v1/datapoints/a".to_owned(), None),
    ] {
        let call = Call::rest(&fake, &kind, body).header("Authorization", &ingestion);
        assert_refused(&fake, &call, 401, "not `Bearer <project key>`");
    }
    // Without an ingestion key, the project key is used for all requests.
    with_session(Fake::start()).assert_clean();
}

#[test]
fn keys_stand_in_one_place_only() {
    let fake = with_session(Fake::with_ingestion_key());
    let reason = "a key of HoneyHive stands where it does not belong";
    for key in [fake.key(), fake.ingestion_key().expect("a key")] {
        let body = json!({"event_id": super::client::SESSION, "metadata": {"key": key}});
        assert_refused(&fake, &Call::rest(&fake, "PUT /events", Some(&body)), 400, reason);
        let target = format!("GET /v1/datasets?name=a%20{key}");
        assert_refused(&fake, &Call::rest(&fake, &target, None), 400, reason);
    }
    assert!(!fake.complaints().concat().contains(fake.key()));
}

#[test]
fn what_does_not_exist_is_complained_about() {
    let fake = Fake::start();
    for kind in ["GET /v1/run", "DELETE /v1/datasets", "POST /v1/runs/", "PUT /v1/runs//result"] {
        let body = json!({});
        let body = (!kind.starts_with("GET")).then_some(&body);
        assert_refused(&fake, &Call::rest(&fake, kind, body), 404, "no such endpoint");
    }
    assert_eq!((fake.count("unknown"), fake.count("POST /v1/runs")), (4, 0));
}

#[test]
fn a_query_has_known_parameters() {
    let fake = with_session(Fake::start());
    for (target, reason) in [
        (format!("/v1/runs/{RUN}?full=1"), "`full` is no parameter"),
        (format!("/v1/runs/{RUN}/result?aggregate=average"), "`aggregate` is no parameter"),
        (format!("/v1/runs/{RUN}/result?aggregate_function=mode"), "no aggregate function mode"),
        ("/v1/datasets?id=a".to_owned(), "`id` is no parameter"),
        ("/v1/datapoints?datapoint_ids=a".to_owned(), "`datapoint_ids` is no parameter"),
        ("/v1/datapoints".to_owned(), "neither datapoint_ids[] nor dataset_name"),
    ] {
        assert_refused(&fake, &Call::rest(&fake, &format!("GET {target}"), None), 400, reason);
    }
}

#[test]
fn connections_are_kept_alive_and_counted() {
    let fake = with_session(Fake::start());
    let before = fake.connections();
    let mut client = Client::new(&fake);
    for _ in 0..20 {
        assert_eq!(client.send(&get_run(&fake)).expect("an answer").status, 200);
    }
    assert_eq!(fake.connections(), before + 1);
    let requests = fake.requests();
    let of_client = requests.iter().filter(|request| request.connection == before + 1);
    assert_eq!(of_client.count(), 20);
    assert!(requests.is_sorted_by_key(|request| request.arrived));
    let last = &requests[requests.len() - 1];
    assert_eq!((last.method.as_str(), last.kind), ("GET", "GET /v1/runs/{id}"));
    assert_eq!(last.header("Accept"), Some("application/json"));
    assert_eq!(requests[0].json(), Some(run()));
    fake.assert_clean();
}

#[test]
fn what_is_no_http_is_complained_about() {
    for (bytes, reason) in [
        (&b"\x16\x03\x01 a client hello\r\n\r\n"[..], "invalid"),
        (b"GET /v1/datasets HTTP/1.0\r\n\r\n", "not HTTP/1.1"),
        (b"POST /events HTTP/1.1\r\ncontent-length: -1\r\n\r\n", "content-length"),
        (b"POST /events HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", "in chunks"),
        (b"POST /events HTTP/1.1\r\nexpect: 100-continue\r\n\r\n", "100"),
    ] {
        let fake = Fake::start();
        let _ = Client::new(&fake).raw(bytes);
        let complaints = fake.complaints();
        assert!(complaints.concat().contains(reason), "{reason}: {complaints:?}");
    }
    // A client that was killed sends half a request.
    let fake = Fake::start();
    let mut client = Client::new(&fake);
    let half = b"POST /events HTTP/1.1\r\ncontent-length: 10\r\n\r\nhalf";
    std::io::Write::write_all(&mut client.stream(), half).expect("written");
    while fake.requests().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    drop(client);
    fake.stop();
    fake.assert_clean();
    assert_eq!(fake.requests()[0].status, None);
}
