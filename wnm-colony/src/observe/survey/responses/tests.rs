use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use proptest::prelude::*;
use tokio::io::ReadBuf;

use super::super::read_pages;
use super::*;

const LIMIT: usize = 100;

/// A stream that delivers `size` bytes at a time.
struct Pieces {
    bytes: Vec<u8>,
    size: usize,
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.size.min(self.bytes.len()).min(into.remaining());
        into.put_slice(&self.bytes.drain(..count).collect::<Vec<_>>());
        Poll::Ready(Ok(()))
    }
}

/// All pages in the bytes, and the reason why no more follow.
fn read(bytes: &[u8], size: usize) -> (Vec<String>, String) {
    let pieces = Pieces {
        bytes: bytes.to_vec(),
        size,
    };
    let read = read_pages(pieces, LIMIT).now_or_never();
    let (pages, end) = read.expect("waits for available bytes");
    let text = |page: &Bytes| String::from_utf8_lossy(page).into_owned();
    (pages.iter().map(text).collect(), end)
}

fn chunked(page: &str, size: usize, trailers: &str) -> String {
    let chunks: String = page
        .as_bytes()
        .chunks(size)
        .map(|chunk| {
            format!(
                "{:x}\r\n{}\r\n",
                chunk.len(),
                String::from_utf8_lossy(chunk)
            )
        })
        .collect();
    format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}0\r\n{trailers}\r\n")
}

fn counted(page: &str) -> String {
    let length = page.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{page}")
}

#[test]
fn informational_responses_trailers_and_extensions_are_skipped() {
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </style>\r\n\r\n";
    let bytes = [
        early,
        "HTTP/1.1 100 Continue\r\n\r\n",
        &counted("one"),
        &chunked("two", 2, "checksum: 7\r\nx: y\r\n"),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;note=\"a b\"\r\nthree\r\n0\r\n\r\n",
        &counted(""),
    ]
    .concat();
    assert_eq!(
        read(bytes.as_bytes(), 7),
        (
            ["one", "two", "three", ""].map(str::to_owned).to_vec(),
            "Closed".to_owned()
        )
    );
}

#[test]
fn nothing_is_read_after_the_last_response() {
    let more = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nmore";
    for (head, pages) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n", 2),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nConnection: Close\r\n",
            1,
        ),
        ("HTTP/1.0 200 OK\r\ncontent-length: 3\r\n", 1),
        (
            "HTTP/1.0 200 OK\r\ncontent-length: 3\r\nconnection: Keep-Alive\r\n",
            2,
        ),
    ] {
        let (found, end) = read(format!("{head}\r\none{more}").as_bytes(), 1000);
        assert_eq!((found.len(), &*end), (pages, "Closed"), "{head}");
    }
    let until_the_end = "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    assert_eq!(
        read(until_the_end.as_bytes(), 1000).0,
        ["HTTP/1.1 200 OK\r\n\r\n"]
    );
}

#[test]
fn invalid_responses_have_a_reason() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunks = "transfer-encoding: chunked\r\n\r\n";
    let not_http = "does not speak HTTP: ";
    for (bytes, reason) in [
        (
            format!("{ok}content-length: 3\r\ncontent-length: 4\r\n\r\nfour"),
            format!("{not_http}its content lengths differ"),
        ),
        (
            format!("{ok}content-length: -1\r\n\r\n"),
            format!("{not_http}the content length is invalid"),
        ),
        (
            format!("{ok}content-length: 99999999999999999999\r\n\r\n"),
            format!("{not_http}the content length is invalid"),
        ),
        (
            format!("{ok}content-length: 101\r\n\r\n"),
            "/page is larger than 100 bytes".to_owned(),
        ),
        (
            format!("{ok}content-length: 18446744073709551615\r\n\r\n"),
            "/page is larger than 100 bytes".to_owned(),
        ),
        (
            format!("{ok}transfer-encoding: gzip, chunked\r\n\r\n"),
            format!("{not_http}its transfer encoding is \"gzip, chunked\""),
        ),
        (
            format!("{ok}\r\n{}\n", "a".repeat(LIMIT)),
            "/page is larger than 100 bytes".to_owned(),
        ),
        (
            format!("{ok}{chunks}x\r\n"),
            format!("{not_http}a chunk has no valid size"),
        ),
        (
            format!("{ok}{chunks}ffffffffffffffff\r\n"),
            "/page is larger than 100 bytes".to_owned(),
        ),
        (
            format!("{ok}{chunks}60\r\n{}\r\n60\r\n", "a".repeat(96)),
            "/page is larger than 100 bytes".to_owned(),
        ),
        (
            format!("{ok}{chunks}3\r\nfour\r\n"),
            format!("{not_http}a chunk does not end"),
        ),
        (
            format!("{ok}{chunks}3;{}", "x".repeat(HEAD_LIMIT)),
            format!("{not_http}a chunk has no valid size"),
        ),
        (
            format!("{ok}{chunks}0\r\n{}", "x: y\r\n".repeat(20_000)),
            format!("{not_http}its trailers do not end"),
        ),
        (
            format!("{ok}{chunks}0\r\n{}", "x".repeat(120_000)),
            format!("{not_http}its trailers do not end"),
        ),
        (
            format!("{ok}{chunks}0\r\n"),
            "/page is incomplete".to_owned(),
        ),
        (
            format!("{ok}x: {}", "x".repeat(HEAD_LIMIT)),
            format!("{not_http}its head does not end"),
        ),
        (
            format!("{ok}{}\r\n", "x: y\r\n".repeat(65)),
            format!("{not_http}too many headers"),
        ),
        (
            "HTTP/1.1 301 Elsewhere\r\n\r\n".to_owned(),
            "answers /page with 301".to_owned(),
        ),
    ] {
        for size in [1000, usize::MAX] {
            let (pages, reported) = read(bytes.as_bytes(), size);
            assert_eq!((pages.len(), reported), (0, reason.clone()), "{bytes:.80}");
        }
    }
}

proptest! {
    /// The pages do not depend on how the bytes are split.
    #[test]
    fn pages_do_not_depend_on_how_bytes_are_split(
        pages in prop::collection::vec(("[a-z\r\n]{0,100}", prop::option::of(1_usize..40)), 0..4),
        size in 1_usize..300,
    ) {
        let bytes: String = pages
            .iter()
            .map(|(page, chunks)| match chunks {
                Some(size) => chunked(page, *size, ""),
                None => counted(page),
            })
            .collect();
        let expected: Vec<String> = pages.into_iter().map(|(page, _)| page).collect();
        prop_assert_eq!(read(bytes.as_bytes(), size), (expected, "Closed".to_owned()));
    }

    /// Reading any bytes ends, with pages or an error.
    #[test]
    fn any_bytes_are_read_or_refused(
        head in prop::sample::select(vec!["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"]),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        size in 1_usize..300,
    ) {
        let all = [head.as_bytes(), &bytes].concat();
        let (pages, _) = read(&all, size);
        prop_assert!(pages.iter().all(|page| page.len() <= 3 * LIMIT));
    }
}
