//! Answers as a node does, at once.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Answers requests for the first page or the second until the other side closes. Those that come together come in
/// one piece.
pub async fn answer(mut stream: TcpStream, replies: Arc<[Vec<u8>; 2]>) {
    let mut requests = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut requests).await {
        let requests = std::str::from_utf8(&requests[..length]).unwrap();
        for request in requests.split_terminator("\r\n\r\n") {
            let which = usize::from(!request.starts_with("GET /metadata "));
            if stream.write_all(&replies[which]).await.is_err() {
                return;
            }
        }
    }
}

/// A page with its head.
pub fn reply(page: &[u8]) -> Vec<u8> {
    let length = page.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/openmetrics-text;charset=utf-8;version=1.0.0\r\n\
         content-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), page].concat()
}
