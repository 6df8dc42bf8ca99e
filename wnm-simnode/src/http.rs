//! The metrics server. One thread serves one connection at a time, with limits on size and time.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::switches::Silence;

/// Longest request head in bytes. A survey sends a tenth of it.
const MAX_HEAD: usize = 4096;

/// How long one connection may block the others, including idle time between requests.
const CONNECTION_DEADLINE: Duration = Duration::from_secs(2);

/// How many connections a mute server holds open. A new one replaces the oldest.
const MAX_MUTED: usize = 64;

/// Pause after a failed accept, usually for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const CONTENT_TYPE: &str = "application/openmetrics-text;charset=utf-8;version=1.0.0";

/// Provides the pages. The server calls it for every request.
pub(crate) trait PageSource: Send + 'static {
    /// The page at `path`, or `None` if there is none.
    fn page(&self, path: &str) -> Option<String>;
    /// Whether and how the server refuses to answer.
    fn silence(&self) -> Option<Silence>;
}

/// Serves until the process exits or the silence is [`Silence::Closed`].
pub(crate) fn serve(listener: TcpListener, source: &impl PageSource) {
    let mut muted = VecDeque::new();
    loop {
        match listener.accept() {
            Ok((stream, _)) => match source.silence() {
                Some(Silence::Closed) => {
                    // Close the port before the connection, so that a client that sees the end finds the port free.
                    drop(listener);
                    return;
                }
                Some(Silence::Mute) => {
                    if muted.len() == MAX_MUTED {
                        muted.pop_front();
                    }
                    muted.push_back(stream);
                }
                None => {
                    muted.clear();
                    // A client may disconnect at any time.
                    serve_connection(stream, source).ok();
                }
            },
            Err(_) => std::thread::sleep(ACCEPT_PAUSE),
        }
    }
}

/// Answers the requests of one connection until the client closes it, requests the close or exceeds the
/// deadline.
fn serve_connection(mut stream: TcpStream, source: &impl PageSource) -> io::Result<()> {
    let deadline = Instant::now() + CONNECTION_DEADLINE;
    stream.set_nodelay(true)?;
    let mut received = Vec::new();
    while let Some(head) = read_head(&mut stream, &mut received, deadline)? {
        let close = asks_to_close(&head);
        let response = respond(&head, source);
        stream.set_write_timeout(Some(time_left(deadline)?))?;
        stream.write_all(response.as_bytes())?;
        if close {
            break;
        }
    }
    Ok(())
}

/// Reads the head of the next request, without the empty line after it. `None` if the client closed the
/// connection.
fn read_head(
    stream: &mut TcpStream,
    received: &mut Vec<u8>,
    deadline: Instant,
) -> io::Result<Option<String>> {
    loop {
        if let Some(at) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&received[..at]).into_owned();
            received.drain(..at + 4);
            return Ok(Some(head));
        }
        if received.len() >= MAX_HEAD {
            return Err(io::Error::other("the request head is too long"));
        }
        stream.set_read_timeout(Some(time_left(deadline)?))?;
        let mut chunk = [0; 1024];
        match stream.read(&mut chunk)? {
            0 => return Ok(None),
            count => received.extend_from_slice(&chunk[..count]),
        }
    }
}

fn time_left(deadline: Instant) -> io::Result<Duration> {
    deadline
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
        .ok_or_else(|| io::ErrorKind::TimedOut.into())
}

fn asks_to_close(head: &str) -> bool {
    let mut lines = head.lines();
    let mut close = lines.next().is_some_and(|line| line.ends_with("HTTP/1.0"));
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("connection") {
            close = !value.trim().eq_ignore_ascii_case("keep-alive");
        }
    }
    close
}

fn respond(head: &str, source: &impl PageSource) -> String {
    let mut request = head.split(' ');
    let page = match (request.next(), request.next()) {
        (Some("GET"), Some(path)) => source.page(path),
        _ => None,
    };
    match page {
        Some(page) => format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {CONTENT_TYPE}\r\ncontent-length: {}\r\n\r\n{page}",
            page.len()
        ),
        None => {
            let hint = "not found; try /metrics or /metadata";
            format!(
                "HTTP/1.1 404 Not Found\r\ncontent-length: {}\r\n\r\n{hint}",
                hint.len()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct SinglePage;

    impl PageSource for SinglePage {
        fn page(&self, path: &str) -> Option<String> {
            (path == "/metrics").then(|| "page\n".to_owned())
        }
        fn silence(&self) -> Option<Silence> {
            None
        }
    }

    fn exchange(request: &[u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.write_all(request).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let server = listener.accept().unwrap().0;
        serve_connection(server, &SinglePage).ok();
        let mut answer = String::new();
        client.read_to_string(&mut answer).ok();
        answer
    }

    #[test]
    fn answers_requests_on_one_connection_in_order() {
        let answers = exchange(
            b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\nPOST /metrics HTTP/1.1\r\n\r\nGET /metrics HTTP/1.1\r\nConnection: close\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n",
        );
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
        assert_eq!(answers.matches("HTTP/1.1 404 Not Found").count(), 1);
        assert!(answers.contains("content-length: 5\r\n\r\npage\n"));
    }

    #[test]
    fn survives_invalid_and_oversized_requests() {
        assert!(exchange(b"\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert_eq!(exchange(b"GET /metrics"), "");
        assert_eq!(exchange(&vec![b'a'; MAX_HEAD + 2000]), "");
    }

    #[test]
    fn http_1_0_closes_the_connection_by_default() {
        assert!(asks_to_close("GET / HTTP/1.0"));
        assert!(!asks_to_close("GET / HTTP/1.0\r\nConnection: Keep-Alive"));
        assert!(!asks_to_close("GET / HTTP/1.1\r\nhost: x"));
        assert!(asks_to_close("GET / HTTP/1.1\r\nconnection: close"));
    }
}
