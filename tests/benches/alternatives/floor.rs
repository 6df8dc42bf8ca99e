//! The least that the same pages cost: connections, requests and answers, and nothing done with them.

use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// As many at once as a survey asks.
const AT_ONCE: usize = 64;

/// Fetches both pages of the nodes with these metrics ports.
pub fn fetch(ports: &[u16]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        let mut nodes = JoinSet::new();
        for port in ports.iter().copied() {
            let slots = Arc::clone(&slots);
            nodes.spawn(async move {
                let _slot = slots.acquire().await.unwrap();
                let mut buffer = vec![0; 64 * 1024];
                let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
                    .await
                    .unwrap();
                let requests = "GET /metadata HTTP/1.1\r\nhost: localhost\r\n\r\n\
                    GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
                stream.write_all(requests.as_bytes()).await.unwrap();
                let mut read = 0;
                while let length @ 1.. = stream.read(&mut buffer).await.unwrap() {
                    read += length;
                }
                assert!(read > 10_000, "port {port} answers with {read} bytes only");
            });
        }
        while let Some(done) = nodes.join_next().await {
            done.unwrap();
        }
    });
}
