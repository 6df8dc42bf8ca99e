//! Nodes that answer with real pages, or take the connection and never answer.

mod answer;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use answer::{answer, reply};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use wnm_core::id::NodeId;
use wnm_core::ports::Port;
use wnm_core::probe::SurveyTarget;

pub use wnm_fixtures::METADATA;
pub use wnm_fixtures::METRICS;

/// The process with the servers, ended with its measurement.
pub struct Servers(Child);

impl Drop for Servers {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Starts them in a process of its own, which is this program called with `serve WHAT COUNT`.
pub fn start(what: &str, count: usize) -> (Servers, Vec<SurveyTarget>) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["serve", what, &count.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut servers = Servers(child);
    let ports = BufReader::new(servers.0.stdout.take().unwrap())
        .lines()
        .take(count);
    let targets: Vec<_> = (1..)
        .zip(ports)
        .map(|(number, port)| SurveyTarget {
            id: NodeId::new(number).unwrap(),
            host: "127.0.0.1".to_owned(),
            port: Port::new(port.unwrap().parse().unwrap()).unwrap(),
        })
        .collect();
    assert_eq!(targets.len(), count);
    (servers, targets)
}

/// Listens on as many ports as there are nodes and says which, a line each. Ends with its standard input, so
/// that nothing outlives a measurement that was killed.
pub async fn serve(answers: bool, count: &str) {
    let count: usize = count.parse().unwrap();
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    // A listener each, and the connections to them.
    let wanted = count as u64 + 3096;
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(wanted), hard).unwrap();
    let mut out = std::io::stdout().lock();
    let replies: Arc<[Vec<u8>; 2]> = Arc::new([reply(METADATA), reply(METRICS)]);
    for _ in 0..count {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let replies = Arc::clone(&replies);
        writeln!(out, "{}", listener.local_addr().unwrap().port()).unwrap();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                if answers {
                    tokio::spawn(answer(stream, Arc::clone(&replies)));
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
