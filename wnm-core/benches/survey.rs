//! What a survey of a thousand nodes costs: of nodes that answer with real pages, and of ones that take the
//! connection and never answer.
//!
//! `cargo bench -p wnm-core --bench survey`
//!
//! The servers live in a process of their own, and so does every measurement, so that the processor time
//! and the peak of memory are those of the survey alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing to tell"
)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::time::{TimeVal, TimeValLike};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wnm_core::manager::SystemRunner;
use wnm_core::node::NodeId;
use wnm_core::observe::exposition::samples;
use wnm_core::observe::{HttpProbe, NodeProbe, Probe, SurveyLimits, SurveyTarget};
use wnm_core::ports::Port;
use wnm_core::program::Antnode;
use wnm_core::quantity::Milliseconds;

const METADATA: &[u8] = include_bytes!("../../tests/fixtures/metrics/metadata.txt");
const METRICS: &[u8] = include_bytes!("../../tests/fixtures/metrics/metrics-connected-20nodes.txt");

const NODES: usize = 1000;
const ROUNDS: usize = 5;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", what] => runtime().block_on(serve(what == "answering")),
        ["measure", what] => runtime().block_on(measure(what)),
        // `cargo test --all-targets` starts benchmarks too, and without this word.
        ref words if words.contains(&"--bench") => {
            println!(
                "{NODES} nodes, pages of {} + {} bytes",
                METADATA.len(),
                METRICS.len()
            );
            scan();
            println!(
                "{:<12}{:>10}{:>10}{:>10}{:>8}",
                "nodes", "wall", "CPU", "peak RSS", "answers"
            );
            for what in ["answering", "silent"] {
                let done = myself(&["measure", what]).spawn().unwrap().wait().unwrap();
                assert!(done.success());
            }
        }
        _ => println!("nothing to test here; run it with cargo bench"),
    }
}

fn myself(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(words);
    command
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Reading alone, one page after the other.
fn scan() {
    let rounds = 2000;
    let begin = Instant::now();
    let read: u64 = (0..rounds)
        .flat_map(|_| samples(std::hint::black_box(METRICS)))
        .map(|sample| sample.count() & 1)
        .sum();
    std::hint::black_box(read);
    println!("reading a page: {:?}", begin.elapsed() / rounds);
}

/// One line of the table: the mean time of some surveys, and the peak of memory over all of them.
async fn measure(what: &str) {
    let (servers, targets) = start(what);
    let program = Arc::new(Antnode::new(Arc::new(SystemRunner)));
    let probe = HttpProbe::new(program, SurveyLimits::default());
    let rounds = if what == "answering" { ROUNDS } else { 1 };
    let (begin, cpu) = (Instant::now(), cpu_time());
    let mut answers = 0;
    for _ in 0..rounds {
        let probes = probe.survey(&targets, Milliseconds(0)).await;
        assert_eq!(probes.len(), NODES);
        answers = probes
            .values()
            .filter(|probe| matches!(probe, Probe::Answered(_)))
            .count();
    }
    let rounds = u32::try_from(rounds).unwrap();
    let (wall, cpu) = (begin.elapsed() / rounds, (cpu_time() - cpu) / rounds);
    println!(
        "{what:<12}{:>7} ms{:>7} ms{:>6} MiB{answers:>8}",
        wall.as_millis(),
        cpu.as_millis(),
        peak_memory() >> 20
    );
    drop(servers);
}

fn cpu_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let micros = |time: TimeVal| u64::try_from(time.num_microseconds()).unwrap();
    Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time()))
}

/// In bytes.
fn peak_memory() -> i64 {
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    getrusage(UsageWho::RUSAGE_SELF).unwrap().max_rss() * unit
}

/// The process with the servers, ended with its measurement.
struct Servers(Child);

impl Drop for Servers {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn start(what: &str) -> (Servers, Vec<SurveyTarget>) {
    let child = myself(&["serve", what])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut servers = Servers(child);
    let ports = BufReader::new(servers.0.stdout.take().unwrap())
        .lines()
        .take(NODES);
    let targets: Vec<_> = (1..)
        .zip(ports)
        .map(|(number, port)| SurveyTarget {
            id: NodeId::new(number).unwrap(),
            host: "127.0.0.1".to_owned(),
            port: Port::new(port.unwrap().parse().unwrap()).unwrap(),
        })
        .collect();
    assert_eq!(targets.len(), NODES);
    (servers, targets)
}

/// Listens on as many ports as there are nodes and says which, a line each. Ends with its standard input, so
/// that nothing outlives a measurement that was killed.
async fn serve(answers: bool) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(4096), hard).unwrap();
    let mut out = std::io::stdout().lock();
    for _ in 0..NODES {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        writeln!(out, "{}", listener.local_addr().unwrap().port()).unwrap();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                if answers {
                    tokio::spawn(answer(stream));
                } else {
                    held.push(stream);
                }
            }
        });
    }
    out.flush().unwrap();
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()).ok();
        ended.send(()).ok();
    });
    end.await.ok();
}

/// Answers requests until the other side closes. A request is small enough to come in one piece.
async fn answer(mut stream: TcpStream) {
    let mut request = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut request).await {
        let page = if request[..length].starts_with(b"GET /metadata ") {
            METADATA
        } else {
            METRICS
        };
        let mut reply = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/openmetrics-text;charset=utf-8;version=1.0.0\r\n\
             content-length: {}\r\n\r\n",
            page.len()
        )
        .into_bytes();
        reply.extend_from_slice(page);
        if stream.write_all(&reply).await.is_err() {
            return;
        }
    }
}
