//! Surveys of well-behaved servers and of misbehaving ones.

use std::sync::Mutex;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::*;
use wnm_core::node::NodeMeasurements;
use wnm_core::ports::Port;
use wnm_fixtures::{METADATA, METRICS};
use wnm_host::command::SystemRunner;
use wnm_programs::Antnode;

/// Deadlines short enough for a test and long enough for a connection.
const SHORT: SurveyLimits = SurveyLimits {
    in_flight: 64,
    connect: Duration::from_millis(300),
    node: Duration::from_millis(300),
    page: PAGE_LIMIT,
};

fn probe(limits: SurveyLimits) -> HttpProbe {
    HttpProbe::new(Arc::new(Antnode::new(Arc::new(SystemRunner))), limits)
}

async fn ask(limits: SurveyLimits, target: SurveyTarget) -> ProbeResult {
    let id = target.id;
    let mut probes = probe(limits).survey(&[target], Milliseconds(0)).await;
    assert_eq!(probes.len(), 1);
    probes.remove(&id).unwrap()
}

fn target(number: u32, host: &str, port: u16) -> SurveyTarget {
    SurveyTarget {
        id: NodeId::new(number).unwrap(),
        host: host.to_owned(),
        port: Port::new(port).unwrap(),
    }
}

/// Serves every connection with `answer` until the test ends.
async fn serve<F, A>(answer: F) -> SurveyTarget
where
    F: Fn(BufReader<TcpStream>) -> A + Send + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(BufReader::new(stream)));
        }
    });
    target(1, "127.0.0.1", port)
}

/// The path of the next request. `None` once the client has closed the connection.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut first = String::new();
    stream.read_line(&mut first).await.ok()?;
    let mut line = String::new();
    while stream.read_line(&mut line).await.ok()? > 0 {
        if line == "\r\n" {
            return first.split(' ').nth(1).map(str::to_owned);
        }
        line.clear();
    }
    None
}

fn page(path: &str) -> &'static [u8] {
    if path == "/metadata" {
        METADATA
    } else {
        METRICS
    }
}

/// Sends bytes. Returns whether the client accepted them; these servers ignore failures.
async fn send(stream: &mut BufReader<TcpStream>, bytes: &[u8]) -> bool {
    stream.write_all(bytes).await.is_ok()
}

async fn send_page(stream: &mut BufReader<TcpStream>, head: &str, page: &[u8]) {
    let head = format!("{head}\r\ncontent-length: {}\r\n\r\n", page.len());
    send(stream, head.as_bytes()).await;
    send(stream, page).await;
}

/// Answers the first request of every connection with fixed bytes and closes it.
async fn serve_bytes(bytes: impl Into<Vec<u8>>) -> SurveyTarget {
    let bytes = Arc::new(bytes.into());
    serve(move |mut stream| {
        let bytes = Arc::clone(&bytes);
        async move {
            request(&mut stream).await;
            send(&mut stream, &bytes).await;
        }
    })
    .await
}

fn assert_answered(probe: &ProbeResult) {
    let ProbeResult::Answered(report) = probe else {
        panic!("{probe:?}");
    };
    assert_eq!(report.version, Some(semver::Version::new(0, 4, 17)));
    assert_eq!(
        report.peer_id.as_deref(),
        Some("12D3KooWFm1ed3z6kSTGNLop6V32oWhLxssCaUiNWCXqf3EtZT8c")
    );
    let expected = NodeMeasurements {
        uptime: 31,
        connected_peers: 10,
        memory_mb: 43.8723,
        open_connections: 15,
        total_peers: 19,
        rewards: Some("0".to_owned()),
        network_size: 20,
        ..NodeMeasurements::default()
    };
    assert_eq!(report.measured, expected);
}

async fn assert_silent(limits: SurveyLimits, target: SurveyTarget, words: &str) {
    let probe = ask(limits, target).await;
    match &probe {
        ProbeResult::Silent(reason) if reason.contains(words) => {}
        _ => panic!("expected '{words}', got {probe:?}"),
    }
}

#[tokio::test]
async fn both_pages_come_over_one_connection() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let target = serve(move |mut stream| {
        let log = Arc::clone(&log);
        async move {
            let mut paths = Vec::new();
            while let Some(path) = request(&mut stream).await {
                send_page(&mut stream, "HTTP/1.1 200 OK", page(&path)).await;
                paths.push(path);
                log.lock().unwrap().push(paths.clone());
            }
        }
    })
    .await;
    assert_answered(&ask(SurveyLimits::default(), target).await);
    let seen = seen.lock().unwrap();
    assert_eq!(*seen, [vec!["/metadata"], vec!["/metadata", "/metrics"]]);
}

#[tokio::test]
async fn both_pages_are_requested_together() {
    let target = serve(|mut stream| async move {
        let paths = [request(&mut stream).await, request(&mut stream).await];
        for path in paths.into_iter().flatten() {
            send_page(&mut stream, "HTTP/1.1 200 OK", page(&path)).await;
        }
    })
    .await;
    assert_answered(&ask(SurveyLimits::default(), target).await);
}

#[tokio::test]
async fn a_server_that_takes_one_request_at_a_time_gets_one_at_a_time() {
    let forgetful = serve(|mut stream| async move {
        let mut requests = [0; 1000];
        while let Ok(length @ 1..) = stream.read(&mut requests).await {
            let requests = String::from_utf8_lossy(&requests[..length]);
            let path = requests.split(' ').nth(1).unwrap();
            send_page(&mut stream, "HTTP/1.1 200 OK", page(path)).await;
        }
    })
    .await;
    let patient = SurveyLimits {
        node: Duration::from_secs(2),
        ..SurveyLimits::default()
    };
    assert_answered(&ask(patient, forgetful).await);

    let strict = serve(|mut stream| async move {
        let mut requests = [0; 1000];
        let length = stream.read(&mut requests).await.unwrap();
        let requests = String::from_utf8_lossy(&requests[..length]);
        if requests.matches("GET ").count() == 1 {
            let path = requests.split(' ').nth(1).unwrap();
            send_page(&mut stream, "HTTP/1.1 200 OK", page(path)).await;
        }
    })
    .await;
    assert_answered(&ask(SurveyLimits::default(), strict).await);
}

#[tokio::test]
async fn one_response_per_connection_is_enough() {
    for head in [
        "HTTP/1.0 200 OK",
        "HTTP/1.1 200 OK\r\nconnection: close",
        "HTTP/1.1 200 OK",
    ] {
        let target = serve(move |mut stream| async move {
            if let Some(path) = request(&mut stream).await {
                send_page(&mut stream, head, page(&path)).await;
            }
        })
        .await;
        assert_answered(&ask(SurveyLimits::default(), target).await);
    }
}

#[tokio::test]
async fn pages_may_be_chunked_or_end_with_the_connection() {
    let chunked = serve(|mut stream| async move {
        while let Some(path) = request(&mut stream).await {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            send(&mut stream, head.as_bytes()).await;
            for part in page(&path).chunks(1000) {
                send(&mut stream, format!("{:x}\r\n", part.len()).as_bytes()).await;
                send(&mut stream, part).await;
                send(&mut stream, b"\r\n").await;
            }
            send(&mut stream, b"0\r\n\r\n").await;
        }
    })
    .await;
    assert_answered(&ask(SurveyLimits::default(), chunked).await);
    let unframed = serve(|mut stream| async move {
        if let Some(path) = request(&mut stream).await {
            send(&mut stream, b"HTTP/1.0 200 OK\r\n\r\n").await;
            send(&mut stream, page(&path)).await;
        }
    })
    .await;
    assert_answered(&ask(SurveyLimits::default(), unframed).await);
}

#[tokio::test]
async fn a_port_without_listener_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let target = target(1, "127.0.0.1", port);
    assert_eq!(
        ask(SurveyLimits::default(), target).await,
        ProbeResult::Refused
    );
}

#[tokio::test]
async fn hosts_can_be_names_ipv4_and_ipv6_addresses() {
    async fn well_behaved(listener: TcpListener) -> u16 {
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                while let Some(path) = request(&mut stream).await {
                    send_page(&mut stream, "HTTP/1.1 200 OK", page(&path)).await;
                }
            }
        });
        port
    }
    let port = well_behaved(TcpListener::bind("127.0.0.1:0").await.unwrap()).await;
    assert_answered(&ask(SurveyLimits::default(), target(1, "localhost", port)).await);
    match TcpListener::bind("[::1]:0").await {
        Ok(listener) => {
            let port = well_behaved(listener).await;
            for host in ["::1", "[::1]"] {
                assert_answered(&ask(SurveyLimits::default(), target(1, host, port)).await);
            }
        }
        Err(error) => eprintln!("skipped: no IPv6 here: {error}"),
    }
    assert_silent(SHORT, target(1, "no such host", 1), "").await;
}

#[tokio::test]
async fn hung_servers_end_with_the_deadline() {
    let mute = serve(|mut stream| async move {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.ok();
    })
    .await;
    assert_silent(SHORT, mute, "did not answer within 300ms").await;

    let drip = serve(|mut stream| async move {
        request(&mut stream).await;
        let mut tick = interval(Duration::from_millis(5));
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n";
        let mut letters = head.iter().chain(std::iter::repeat(&b'#'));
        while let Some(&letter) = letters.next()
            && send(&mut stream, &[letter]).await
        {
            tick.tick().await;
        }
    })
    .await;
    assert_silent(SHORT, drip, "did not answer within 300ms").await;
}

#[tokio::test]
async fn endless_responses_end_at_the_limit() {
    let limits = SurveyLimits::default();
    let declared = "HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n";
    let too_large = "/metadata is larger than 1048576 bytes";
    assert_silent(limits, serve_bytes(declared).await, too_large).await;

    for (head, block, words) in [
        ("HTTP/1.1 200 OK\r\n\r\n", "x".repeat(65536), too_large),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            format!("10000\r\n{}\r\n", "x".repeat(65536)),
            too_large,
        ),
        (
            "HTTP/1.1 200 OK\r\n",
            "x-more: and more\r\n".repeat(1000),
            "does not speak HTTP",
        ),
    ] {
        let block = Arc::new(block);
        let endless = serve(move |mut stream| {
            let block = Arc::clone(&block);
            async move {
                request(&mut stream).await;
                send(&mut stream, head.as_bytes()).await;
                while send(&mut stream, block.as_bytes()).await {}
            }
        })
        .await;
        assert_silent(limits, endless, words).await;
    }
}

#[tokio::test]
async fn incomplete_and_foreign_responses_count_as_silence() {
    let limits = SurveyLimits::default();
    let half = &METADATA[..METADATA.len() / 2];
    let ok = "HTTP/1.1 200 OK\r\n";
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "closed the connection without an answer"),
        (
            b"HTTP/1.1 2".to_vec(),
            "closed the connection without an answer",
        ),
        (
            [format!("{ok}content-length: 976\r\n\r\n").as_bytes(), half].concat(),
            "/metadata is incomplete",
        ),
        (
            [
                format!("{ok}transfer-encoding: chunked\r\n\r\nfff\r\n").as_bytes(),
                half,
            ]
            .concat(),
            "/metadata is incomplete",
        ),
        (
            [format!("{ok}\r\n").as_bytes(), half].concat(),
            "/metadata is incomplete",
        ),
        (
            vec![0, 159, 146, 150, 13, 10, 13, 10],
            "does not speak HTTP",
        ),
        (
            b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_vec(),
            "answers /metadata with 302",
        ),
        (
            b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_vec(),
            "answers /metadata with 503",
        ),
        (
            format!("{ok}content-length: 6\r\n\r\nhello\n").into_bytes(),
            "answers, but not as antnode does",
        ),
    ];
    for (bytes, words) in cases {
        assert_silent(limits, serve_bytes(bytes).await, words).await;
    }
}

#[tokio::test]
async fn a_node_needs_both_pages() {
    let target = serve(|mut stream| async move {
        while let Some(path) = request(&mut stream).await {
            let head = match path.as_str() {
                "/metadata" => "HTTP/1.1 200 OK",
                _ => "HTTP/1.1 500 Internal Server Error",
            };
            send_page(&mut stream, head, page(&path)).await;
        }
    })
    .await;
    assert_silent(SurveyLimits::default(), target, "answers /metrics with 500").await;
}

#[tokio::test]
async fn hung_nodes_do_not_delay_or_displace_others() {
    let well = serve(|mut stream| async move {
        while let Some(path) = request(&mut stream).await {
            send_page(&mut stream, "HTTP/1.1 200 OK", page(&path)).await;
        }
    })
    .await;
    let mute = serve(|mut stream| async move {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.ok();
    })
    .await;
    let targets: Vec<_> = (1..=40)
        .map(|number| {
            let which = if number % 2 == 0 { &well } else { &mute };
            target(number, &which.host, which.port.get())
        })
        .collect();
    let limits = SurveyLimits {
        in_flight: 30,
        node: Duration::from_secs(2),
        ..SHORT
    };
    let probes = probe(limits).survey(&targets, Milliseconds(0)).await;
    assert_eq!(probes.len(), 40);
    for (id, probe) in &probes {
        if id.get() % 2 == 0 {
            assert_answered(probe);
        } else {
            assert!(matches!(probe, ProbeResult::Silent(_)), "{probe:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pacing_spreads_the_requests() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let targets: Vec<_> = (1..=10).map(|n| target(n, "127.0.0.1", port)).collect();
    let begin = Instant::now();
    let probes = probe(SurveyLimits::default())
        .survey(&targets, Milliseconds(1000))
        .await;
    // The paused clock advances only while the test waits.
    assert!(begin.elapsed() >= Duration::from_secs(9));
    assert_eq!(probes.len(), 10);
}

#[tokio::test]
async fn a_cancelled_survey_leaves_nothing_behind() {
    let (begun, mut begins) = tokio::sync::mpsc::channel(1);
    let (ended, mut ends) = tokio::sync::mpsc::channel(1);
    let target = serve(move |mut stream| {
        let (begun, ended) = (begun.clone(), ended.clone());
        async move {
            request(&mut stream).await;
            begun.send(()).await.unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.ok();
            ended.send(()).await.unwrap();
        }
    })
    .await;
    let limits = SurveyLimits {
        node: Duration::from_secs(3600),
        ..SurveyLimits::default()
    };
    let probe = probe(limits);
    let targets = [target];
    tokio::select! {
        _ = probe.survey(&targets, Milliseconds(0)) => panic!("it hangs"),
        _ = begins.recv() => {}
    }
    assert_eq!(ends.recv().await, Some(()));
}

#[tokio::test]
async fn no_targets_give_no_probes() {
    let probes = probe(SurveyLimits::default())
        .survey(&[], Milliseconds(0))
        .await;
    assert!(probes.is_empty());
}
