//! Nodes whose metrics port is answered by a malicious server.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::colony_of;

/// The most that a survey may read of one node: two pages of a MiB, with room for the kernel's buffers.
const MOST_TAKEN: u64 = 32 << 20;

/// A piece of an endless page.
const PIECE: usize = 64 * 1024;

const METADATA: &str =
    "# TYPE m info\nm_info{antnode_version=\"0.4.17\",peer_id=\"12D3KooWHostile\"} 1\n# EOF\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It sends nothing, and keeps the connection open.
    Silence,
    /// A length of 100 GB, and bytes until the client stops reading.
    Huge,
    /// Endless chunks.
    Endless,
    /// Endless header lines.
    EndlessHead,
    /// Fewer bytes than announced.
    Truncated,
    /// Not text.
    Binary,
    /// Values that no node has.
    Figures,
    /// Not HTTP.
    NoHttp,
    /// A redirect.
    Redirect,
    /// A page of a few bytes a second.
    Drip,
}

const ALL: [Answer; 10] = [
    Answer::Silence,
    Answer::Huge,
    Answer::Endless,
    Answer::EndlessHead,
    Answer::Truncated,
    Answer::Binary,
    Answer::Figures,
    Answer::NoHttp,
    Answer::Redirect,
    Answer::Drip,
];

/// The pause between two bytes of a slow page: so short that the connection is never idle for long.
const DROP: Duration = Duration::from_millis(200);

/// A server that answers every connection like this until the test ends.
struct MaliciousServer {
    port: u16,
    taken: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl MaliciousServer {
    fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (taken, over) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (count, end) = (Arc::clone(&taken), Arc::clone(&over));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                let (count, stream) = (Arc::clone(&count), stream.unwrap());
                // The client is meant to hang up in the middle.
                std::thread::spawn(move || serve(answer, stream, &count).ok());
            }
        });
        Self { port, taken, over }
    }
}

impl Drop for MaliciousServer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Unblocks `accept`.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

fn serve(answer: Answer, mut stream: TcpStream, taken: &AtomicU64) -> std::io::Result<()> {
    let limit = Some(Duration::from_secs(30));
    stream.set_read_timeout(limit)?;
    stream.set_write_timeout(limit)?;
    let mut request = [0; 4096];
    while let read @ 1.. = stream.read(&mut request)? {
        let head = String::from_utf8_lossy(&request[..read]).into_owned();
        match answer {
            Answer::Silence => continue,
            Answer::Huge => {
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-length: 100000000000\r\n\r\n"
                )?;
                pour(&mut stream, &[b'#'; PIECE], taken)?;
            }
            Answer::Endless => {
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                )?;
                let mut chunk = format!("{PIECE:x}\r\n").into_bytes();
                chunk.extend([b'#'; PIECE]);
                chunk.extend(b"\r\n");
                pour(&mut stream, &chunk, taken)?;
            }
            Answer::EndlessHead => {
                write!(stream, "HTTP/1.1 200 OK\r\n")?;
                pour(&mut stream, &b"x-more: and more\r\n".repeat(1000), taken)?;
            }
            Answer::Truncated => {
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n{METADATA}"
                )?;
                return Ok(());
            }
            Answer::Binary => page(
                &mut stream,
                &[0, 0xff, 0xfe, b'\n', b'{', 0x80].repeat(5000),
            )?,
            Answer::Figures if head.contains("/metadata") => {
                page(&mut stream, METADATA.as_bytes())?
            }
            Answer::Figures => page(&mut stream, figures().as_bytes())?,
            Answer::NoHttp => stream.write_all(b"220 mail.example ESMTP\r\n")?,
            Answer::Redirect => {
                let local = stream.local_addr()?;
                // A client that follows it asks here again, and again.
                write!(
                    stream,
                    "HTTP/1.1 302 Found\r\nlocation: http://{local}/elsewhere\r\ncontent-length: 0\r\n\r\n"
                )?;
                taken.fetch_add(
                    u64::from(head.contains("/elsewhere")) * MOST_TAKEN,
                    Ordering::Relaxed,
                );
            }
            Answer::Drip => {
                write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")?;
                loop {
                    stream.write_all(b"#")?;
                    std::thread::sleep(DROP);
                }
            }
        }
    }
    Ok(())
}

fn page(stream: &mut TcpStream, body: &[u8]) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)
}

fn pour(stream: &mut TcpStream, piece: &[u8], taken: &AtomicU64) -> std::io::Result<()> {
    loop {
        stream.write_all(piece)?;
        taken.fetch_add(piece.len() as u64, Ordering::Relaxed);
    }
}

fn figures() -> String {
    [
        "ant_node_uptime NaN",
        "ant_networking_records_stored -5",
        "ant_networking_shunned_by_close_group +Inf",
        "ant_networking_connected_peers 1e400",
        "ant_node_put_record_ok_total{record_type=\"chunk\"} -1e400",
        "ant_node_current_reward_wallet_balance '); DROP TABLE node; --",
        "ant_networking_process_memory_used_mb -1",
        "ant_networking_process_cpu_usage_percentage NaN",
        "ant_networking_open_connections 99999999999999999999999999999999999999",
        "ant_networking_estimated_network_size -0.0",
        "ant_networking_live_time",
        "# EOF",
    ]
    .join("\n")
}

#[test]
fn a_survey_survives_malicious_pages_and_sees_the_other_nodes() {
    let colony = colony_of(ALL.len() + 1);
    let before = colony.processes();
    let known: Vec<_> = colony.database().nodes();
    let servers: Vec<MaliciousServer> = ALL.map(MaliciousServer::start).into();
    for (server, node) in servers.iter().zip(&known) {
        colony.database().execute(&format!(
            "UPDATE node SET metrics_port = {}, connected_peers = 7 WHERE id = {}",
            server.port, node.id
        ));
    }
    let last = known.last().unwrap().id;
    // Only a new survey can have stored these values.
    let forget = format!("UPDATE node SET mem = 0 WHERE id = {last}");
    colony.database().execute(&forget);

    let output = colony
        .wnm(["--force-action", "survey", "--json"])
        .run()
        .succeeded();
    assert_eq!(output.status(), "survey-complete");
    let output = colony.wnm(["--json"]).run().succeeded();
    assert!(
        output.last_json()["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["act"] == "add")
    );

    for (server, answer) in servers.iter().zip(ALL) {
        let taken = server.taken.load(Ordering::Relaxed);
        assert!(taken < MOST_TAKEN, "{answer:?}: {taken} bytes were taken");
    }
    let after = colony.database().nodes();
    for (then, now) in known.iter().zip(&after) {
        assert_eq!(
            (&then.version, &then.root_dir),
            (&now.version, &now.root_dir)
        );
        assert!(now.peer_id.is_some(), "{now:?}");
    }
    for process in &before {
        assert!(
            colony.processes().contains(process),
            "{process:?} was touched"
        );
    }
    assert_eq!(
        after.iter().find(|node| node.id == last).unwrap().status,
        "RUNNING"
    );
    let seen = format!("SELECT mem > 0 FROM node WHERE id = {last}");
    assert_eq!(colony.database().value(&seen).as_deref(), Some("1"));
    let figures = "uptime records shunned connected_peers gets puts mem cpu open_connections \
                   total_peers bad_peers rel_records max_records payment_count live_time network_size";
    for column in figures.split_whitespace() {
        let negative = format!(
            "SELECT count(*) FROM node WHERE {column} < 0 OR typeof({column}) != 'integer'"
        );
        assert_eq!(
            colony.database().value(&negative).as_deref(),
            Some("0"),
            "{column}"
        );
    }
    for report in ["node-status", "node-status-details", "influx-resources"] {
        colony.wnm(["--report", report]).run().succeeded();
    }
}
