//! The least that the pages of nodes cost: connections, requests and answers, and nothing done with them.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use wnm_core::probe::SurveyTarget;

/// As many at once as a survey asks of nodes that answer.
const AT_ONCE: usize = 64;

/// Fetches both pages of each, asked for together as a survey does.
pub async fn fetch(targets: &[SurveyTarget]) {
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut nodes = JoinSet::new();
    for target in targets {
        let (slots, target) = (Arc::clone(&slots), target.clone());
        nodes.spawn(async move {
            let _slot = slots.acquire().await.unwrap();
            let address = (target.host.as_str(), target.port.get());
            let mut stream = TcpStream::connect(address).await.unwrap();
            let requests = ["/metadata", "/metrics"]
                .map(|path| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"));
            stream
                .write_all(requests.concat().as_bytes())
                .await
                .unwrap();
            let mut answers = Vec::with_capacity(64 * 1024);
            let mut begin = 0;
            for _ in requests {
                let end = loop {
                    match length_of(&answers[begin..]) {
                        Some(length) if answers.len() >= begin + length => break begin + length,
                        _ => {}
                    }
                    let length = stream.read_buf(&mut answers).await.unwrap();
                    assert!(length > 0, "cut off");
                };
                begin = end;
            }
        });
    }
    while let Some(done) = nodes.join_next().await {
        done.unwrap();
    }
}

/// Of an answer whose head is there: head and page.
fn length_of(answer: &[u8]) -> Option<usize> {
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    Some(head.len() + 4 + length.unwrap().parse::<usize>().unwrap())
}
