//! The metrics server: one thread, one connection after the other, everything bounded.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::switches::Silence;

/// Longest head of a request; what a survey sends is a tenth of it.
const MAX_HEAD: usize = 4096;

/// How long one connection may keep the others waiting, its idle time between requests included.
const CONNECTION_DEADLINE: Duration = Duration::from_secs(2);

/// Connections that a silent node keeps open; the oldest is dropped for the next.
const MAX_HELD: usize = 64;

/// Pause after a connection could not be taken, for want of file handles as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const CONTENT_TYPE: &str = "application/openmetrics-text;charset=utf-8;version=1.0.0";

/// What is served, by path; asked anew for every request.
pub(crate) trait Site: Send + 'static {
    /// The page, or `None` when there is none under this path.
    fn page(&self, path: &str) -> Option<String>;
    /// How it does not answer, if it does not.
    fn silence(&self) -> Option<Silence>;
}

/// Serves until the process ends or the port is to be given up.
pub(crate) fn serve(listener: TcpListener, site: &impl Site) {
    let mut held = VecDeque::new();
    loop {
        match listener.accept() {
            Ok((stream, _)) => match site.silence() {
                Some(Silence::Closed) => {
                    // Before the connection, so that who sees its end finds the port free.
                    drop(listener);
                    return;
                }
                Some(Silence::Mute) => {
                    if held.len() == MAX_HELD {
                        held.pop_front();
                    }
                    held.push_back(stream);
                }
                None => {
                    held.clear();
                    // A client that breaks off is its own affair.
                    answer(stream, site).ok();
                }
            },
            Err(_) => std::thread::sleep(ACCEPT_PAUSE),
        }
    }
}

/// Answers the requests of one connection until the client closes it, asks to, or takes too long.
fn answer(mut stream: TcpStream, site: &impl Site) -> io::Result<()> {
    let end = Instant::now() + CONNECTION_DEADLINE;
    stream.set_nodelay(true)?;
    let mut received = Vec::new();
    while let Some(head) = read_head(&mut stream, &mut received, end)? {
        let close = asks_to_close(&head);
        let response = respond(&head, site);
        stream.set_write_timeout(Some(left(end)?))?;
        stream.write_all(response.as_bytes())?;
        if close {
            break;
        }
    }
    Ok(())
}

/// The next request's head, without the empty line behind it; `None` when the client has closed.
fn read_head(
    stream: &mut TcpStream,
    received: &mut Vec<u8>,
    end: Instant,
) -> io::Result<Option<String>> {
    loop {
        if let Some(at) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&received[..at]).into_owned();
            received.drain(..at + 4);
            return Ok(Some(head));
        }
        if received.len() >= MAX_HEAD {
            return Err(io::Error::other("the request is too long"));
        }
        stream.set_read_timeout(Some(left(end)?))?;
        let mut chunk = [0; 1024];
        match stream.read(&mut chunk)? {
            0 => return Ok(None),
            count => received.extend_from_slice(&chunk[..count]),
        }
    }
}

fn left(end: Instant) -> io::Result<Duration> {
    end.checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
        .ok_or_else(|| io::ErrorKind::TimedOut.into())
}

fn asks_to_close(head: &str) -> bool {
    let mut lines = head.lines();
    let old = lines.next().is_some_and(|line| line.ends_with("HTTP/1.0"));
    let mut close = old;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("connection") {
            close = !value.trim().eq_ignore_ascii_case("keep-alive");
        }
    }
    close
}

fn respond(head: &str, site: &impl Site) -> String {
    let mut words = head.split(' ');
    let page = match (words.next(), words.next()) {
        (Some("GET"), Some(path)) => site.page(path),
        _ => None,
    };
    match page {
        Some(page) => format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {CONTENT_TYPE}\r\ncontent-length: {}\r\n\r\n{page}",
            page.len()
        ),
        None => {
            let hint = "not found: there are /metrics and /metadata";
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

    struct One;

    impl Site for One {
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
        answer(server, &One).ok();
        let mut answer = String::new();
        client.read_to_string(&mut answer).ok();
        answer
    }

    #[test]
    fn requests_on_one_connection_are_answered_in_turn() {
        let answers = exchange(
            b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\nPOST /metrics HTTP/1.1\r\n\r\nGET /metrics HTTP/1.1\r\nConnection: close\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n",
        );
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
        assert_eq!(answers.matches("HTTP/1.1 404 Not Found").count(), 1);
        assert!(answers.contains("content-length: 5\r\n\r\npage\n"));
    }

    #[test]
    fn nonsense_and_endless_requests_are_bounded() {
        assert!(exchange(b"\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert_eq!(exchange(b"GET /metrics"), "");
        assert_eq!(exchange(&vec![b'a'; MAX_HEAD + 2000]), "");
    }

    #[test]
    fn old_clients_expect_the_end_of_the_connection() {
        assert!(asks_to_close("GET / HTTP/1.0"));
        assert!(!asks_to_close("GET / HTTP/1.0\r\nConnection: Keep-Alive"));
        assert!(!asks_to_close("GET / HTTP/1.1\r\nhost: x"));
        assert!(asks_to_close("GET / HTTP/1.1\r\nconnection: close"));
    }
}
