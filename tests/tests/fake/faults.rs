//! Tests the planned faults of the server.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use honeyhive_tests::Fake;
use honeyhive_tests::fake::Fault;
use serde_json::json;

use super::client::{Call, Client, RUN, SESSION, get, ok, run, session, with_session};

fn start_session(fake: &Fake) -> Call {
    Call::rest(fake, "POST /session/start", Some(&json!({"session": session()})))
}

fn with_run() -> Fake {
    let fake = Fake::start();
    ok(&fake, "POST /v1/runs", &run());
    fake
}

#[test]
fn a_status_is_answered_so_often_and_nothing_is_processed() {
    let fake = with_run();
    fake.on("POST /session/start", Fault::Status(503)).times(2);
    let mut client = Client::new(&fake);
    for kept in [0, 0, 1, 1] {
        let reply = client.send(&start_session(&fake)).expect("an answer");
        assert_eq!(reply.status, if kept == 0 { 503 } else { 200 });
        assert_eq!(fake.sessions().len(), kept);
    }
    let faults: Vec<_> = fake.requests().iter().skip(1).map(|request| request.fault).collect();
    assert_eq!(faults, [Some(Fault::Status(503)), Some(Fault::Status(503)), None, None]);
    fake.assert_clean();
}

#[test]
fn a_retry_after_is_a_header() {
    let fake = with_run();
    fake.on("PUT /v1/runs/{id}", Fault::Status(429).retry_after(7)).after(1).times(1);
    let kind = format!("PUT /v1/runs/{RUN}");
    let body = json!({"status": "running"});
    let call = Call::rest(&fake, &kind, Some(&body));
    let replies = [(); 3].map(|()| call.send(&fake));
    assert_eq!(replies.each_ref().map(|reply| reply.status), [200, 429, 200]);
    let seconds = replies.map(|reply| {
        reply.headers.iter().any(|(name, value)| name == "retry-after" && value == "7")
    });
    assert_eq!(seconds, [false, true, false]);
    assert_eq!(fake.runs()[0].updates[0].deliveries, 2);
}

#[test]
fn a_connection_is_cut_before_or_after() {
    for (fault, kept) in [(Fault::CutBefore, 0), (Fault::CutAfter, 1)] {
        let fake = with_run();
        fake.on("POST /session/start", fault).times(1);
        let mut client = Client::new(&fake);
        let error = client.send(&start_session(&fake)).expect_err("no answer");
        let kinds = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
        assert!(kinds.contains(&error.kind()), "{error}");
        assert_eq!(fake.sessions().len(), kept, "{fault:?}");
        assert_eq!(fake.requests()[1].status, None);
        assert_eq!(start_session(&fake).send(&fake).status, 200);
        assert_eq!(fake.sessions().len(), 1);
        assert_eq!(fake.sessions()[0].deliveries, kept + 1);
        assert_eq!(fake.connections(), 3);
        fake.assert_clean();
    }
}

#[test]
fn an_answer_is_late_or_garbage() {
    let fake = with_run();
    fake.on("*", Fault::Delay(150)).times(1);
    fake.on("POST /session/start", Fault::Garbage).times(1);
    let start = Instant::now();
    assert_eq!(start_session(&fake).send(&fake).status, 200);
    assert!(start.elapsed() >= Duration::from_millis(150));
    let reply = start_session(&fake).send(&fake);
    assert_eq!(reply.status, 200);
    assert!(serde_json::from_slice::<serde_json::Value>(&reply.body).is_err());
    assert_eq!(fake.sessions()[0].deliveries, 2, "it was processed all the same");
    assert_eq!(start_session(&fake).send(&fake).json()["session_id"], SESSION);
    fake.assert_clean();
}

#[test]
fn a_connection_hangs_until_the_client_gives_up() {
    let fake = with_run();
    fake.on("POST /session/start", Fault::Hang).times(1);
    let mut client = Client::new(&fake);
    let limit = Some(Duration::from_millis(200));
    client.stream().set_read_timeout(limit).expect("a timeout");
    let error = client.send(&start_session(&fake)).expect_err("no answer");
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    assert!(fake.sessions().is_empty());
    // The server notices that the client is gone, so the stop does not wait for it.
    drop(client);
    let start = Instant::now();
    fake.stop();
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_stop_frees_the_port_and_a_restart_remembers() {
    let fake = with_run();
    let mut client = Client::new(&fake);
    assert_eq!(client.send(&start_session(&fake)).expect("an answer").status, 200);
    fake.on("GET /v1/runs/{id}", Fault::Hang);
    let hanging = {
        let call = Call::rest(&fake, &format!("GET /v1/runs/{RUN}"), None);
        let mut client = Client::new(&fake);
        std::thread::spawn(move || client.send(&call).map(|reply| reply.status))
    };
    while fake.count("GET /v1/runs/{id}") == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    fake.stop();
    fake.stop();
    assert!(hanging.join().expect("a thread").is_err(), "it was cut");
    assert!(client.send(&start_session(&fake)).is_err(), "kept connections are cut, too");
    let refused = Client::connect(&fake).err().map(|error| error.kind());
    assert_eq!(refused, Some(ErrorKind::ConnectionRefused));
    drop(TcpListener::bind(("127.0.0.1", fake.port())).expect("the port is free"));
    fake.restart();
    fake.heal();
    let again = format!("http://127.0.0.1:{}", fake.port());
    assert_eq!(fake.url(), again);
    assert_eq!(get(&fake, &format!("/v1/runs/{RUN}"))["evaluation"]["run_id"], RUN);
    assert_eq!(start_session(&fake).send(&fake).status, 200);
    assert_eq!(fake.sessions()[0].deliveries, 2);
    fake.assert_clean();
    // The port can be chosen.
    let port = fake.port();
    drop(fake);
    assert_eq!(Fake::builder().port(port).start().port(), port);
}

#[test]
fn chance_is_seeded() {
    let faults = |seed: u64, probability: f64| {
        let fake = with_session(Fake::start());
        fake.random_faults(seed, probability);
        for _ in 0..200 {
            let call = Call::rest(&fake, &format!("GET /v1/runs/{RUN}"), None);
            let _ = Client::new(&fake).send(&call);
        }
        fake.assert_clean();
        fake.requests().iter().skip(2).map(|request| request.fault).collect::<Vec<_>>()
    };
    let first = faults(1, 0.3);
    assert_eq!(first, faults(1, 0.3));
    assert_ne!(first, faults(2, 0.3));
    let met = first.iter().flatten().count();
    assert!((35..85).contains(&met), "{met} of 200");
    assert!(first.contains(&Some(Fault::CutAfter)) && first.contains(&Some(Fault::Status(503))));
    assert_eq!(faults(1, 0.0).iter().flatten().count(), 0);
}

#[test]
#[should_panic(expected = "POST /sessions/start is no kind of request")]
fn a_fault_that_could_never_happen_is_none() {
    Fake::start().on("POST /sessions/start", Fault::CutAfter);
}

#[test]
fn everybody_at_once() {
    let fake = with_run();
    fake.on("POST /v1/sessions", Fault::CutAfter).after(20).times(10);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let fake = &fake;
            scope.spawn(move || {
                for n in 0..25 {
                    let mut session = session();
                    session["session_id"] = format!("{thread:08}-0000-4000-8000-{n:012}").into();
                    let call = Call::rest(fake, "POST /v1/sessions", Some(&session));
                    while Client::new(fake).send(&call).is_err() {}
                }
            });
        }
    });
    fake.assert_clean();
    let sessions = fake.sessions();
    assert_eq!((sessions.len(), fake.count("POST /v1/sessions")), (200, 210));
    assert_eq!(sessions.iter().map(|session| session.deliveries - 1).sum::<usize>(), 10);
    assert_eq!(fake.requests().iter().filter(|request| request.retry).count(), 10);
}
