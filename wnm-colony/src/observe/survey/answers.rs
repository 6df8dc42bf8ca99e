use std::io;

use bytes::{Buf, Bytes, BytesMut};
use httparse::{EMPTY_HEADER, Header, Status};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::fetch_error::FetchError;

#[cfg(test)]
mod tests;

/// Room for what comes: both pages of a node, so that they are read in one piece as a rule.
const ROOM: usize = 64 * 1024;

/// The most that the head of an answer may have. A node's has 150 bytes.
const HEAD_LIMIT: usize = 16 * 1024;

/// The most lines that a head may have. A node's has three.
const MOST_HEADERS: usize = 64;

/// What a connection brings: answers to questions, in their order ([RFC 9112]).
///
/// [RFC 9112]: https://www.rfc-editor.org/rfc/rfc9112
pub(super) struct Answers<S> {
    stream: S,
    read: BytesMut,
    /// Whether the other side said that it answers no more over this connection.
    last: bool,
}

impl<S: AsyncRead + Unpin> Answers<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            read: BytesMut::with_capacity(ROOM),
            last: false,
        }
    }

    /// The next page, which was asked for as `path`. What is larger than `limit` bytes, or breaks off, is no page.
    pub(super) async fn page(&mut self, path: &str, limit: usize) -> Result<Bytes, FetchError> {
        if self.last {
            return Err(FetchError::Closed);
        }
        let head = self.head().await?;
        if head.status != 200 {
            let status = head.status;
            return Err(FetchError::Other(format!("answers {path} with {status}")));
        }
        self.last = head.last;
        let page = match head.length {
            Length::Counted(size) => self.counted(size, limit).await,
            Length::Chunks => self.chunks(limit).await,
            Length::UntilTheEnd => {
                self.last = true;
                self.until_the_end(limit).await
            }
        };
        page.map_err(|broken| match broken {
            Broken::CutOff => FetchError::Other(format!("{path} breaks off")),
            Broken::TooLarge => FetchError::Other(format!("{path} is larger than {limit} bytes")),
            Broken::NoHttp(reason) => no_http(reason),
        })
    }

    /// The head of the answer that is meant, without what may come before it.
    async fn head(&mut self) -> Result<Head, FetchError> {
        loop {
            match Head::parse(&self.read) {
                Ok(Status::Complete((length, head))) => {
                    self.read.advance(length);
                    if !(100..200).contains(&head.status) {
                        return Ok(head);
                    }
                }
                Ok(Status::Partial) if self.read.len() < HEAD_LIMIT => {
                    if self.more(1).await.map_err(broken)? == 0 {
                        return Err(FetchError::Closed);
                    }
                }
                Ok(Status::Partial) => return Err(no_http("its head does not end")),
                Err(reason) => return Err(no_http(reason)),
            }
        }
    }

    async fn counted(&mut self, size: u64, limit: usize) -> Result<Bytes, Broken> {
        let size = usize::try_from(size)
            .ok()
            .filter(|&size| size <= limit)
            .ok_or(Broken::TooLarge)?;
        self.fill(size).await?;
        Ok(self.read.split_to(size).freeze())
    }

    async fn chunks(&mut self, limit: usize) -> Result<Bytes, Broken> {
        let mut page = BytesMut::new();
        loop {
            let size = self.chunk_size().await?;
            if size == 0 {
                break;
            }
            let size = usize::try_from(size)
                .ok()
                .filter(|size| size.saturating_add(page.len()) <= limit)
                .ok_or(Broken::TooLarge)?;
            self.fill(size + 2).await?;
            page.extend_from_slice(&self.read[..size]);
            self.read.advance(size);
            if !self.read.starts_with(b"\r\n") {
                return Err(Broken::NoHttp("a chunk does not end"));
            }
            self.read.advance(2);
        }
        self.skip_trailers().await?;
        Ok(page.freeze())
    }

    async fn chunk_size(&mut self) -> Result<u64, Broken> {
        loop {
            match httparse::parse_chunk_size(&self.read) {
                Ok(Status::Complete((length, size))) => {
                    self.read.advance(length);
                    return Ok(size);
                }
                Ok(Status::Partial) if self.read.len() < HEAD_LIMIT => {
                    let wanted = self.read.len() + 1;
                    self.fill(wanted).await?;
                }
                Ok(Status::Partial) | Err(_) => return Err(Broken::NoHttp("no size of a chunk")),
            }
        }
    }

    /// Passes over the lines behind the last chunk, and the empty one that ends them.
    async fn skip_trailers(&mut self) -> Result<(), Broken> {
        let mut passed = 0;
        loop {
            match memchr::memchr(b'\n', &self.read) {
                Some(end) => {
                    let empty = matches!(&self.read[..end], b"" | b"\r");
                    self.read.advance(end + 1);
                    passed += end + 1;
                    if empty {
                        return Ok(());
                    }
                }
                None => {
                    let wanted = self.read.len() + 1;
                    self.fill(wanted).await?;
                }
            }
            if passed + self.read.len() > HEAD_LIMIT + ROOM {
                return Err(Broken::NoHttp("what follows its chunks does not end"));
            }
        }
    }

    async fn until_the_end(&mut self, limit: usize) -> Result<Bytes, Broken> {
        loop {
            // Some of it came with the head.
            if self.read.len() > limit {
                return Err(Broken::TooLarge);
            }
            if self.more(1).await.map_err(|_| Broken::CutOff)? == 0 {
                break;
            }
        }
        // The end of the connection is all that ends such a page; only its last line can tell.
        if !self.read.ends_with(b"\n") {
            return Err(Broken::CutOff);
        }
        Ok(self.read.split().freeze())
    }

    /// Reads until `wanted` bytes are there.
    async fn fill(&mut self, wanted: usize) -> Result<(), Broken> {
        while let missing @ 1.. = wanted.saturating_sub(self.read.len()) {
            if self.more(missing).await.map_err(|_| Broken::CutOff)? == 0 {
                return Err(Broken::CutOff);
            }
        }
        Ok(())
    }

    /// Reads what is there, into room for `missing` bytes at least. 0 is the end.
    async fn more(&mut self, missing: usize) -> io::Result<usize> {
        self.read.reserve(missing);
        self.stream.read_buf(&mut self.read).await
    }
}

/// Why a page is none.
enum Broken {
    CutOff,
    TooLarge,
    NoHttp(&'static str),
}

/// What is of interest in the head of an answer.
struct Head {
    status: u16,
    length: Length,
    last: bool,
}

/// What tells where a page ends.
#[derive(Clone, Copy)]
enum Length {
    Counted(u64),
    Chunks,
    UntilTheEnd,
}

impl Head {
    /// A head and how long it is, or a reason why there will be none.
    fn parse(bytes: &[u8]) -> Result<Status<(usize, Self)>, String> {
        let mut headers = [EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let length = match response.parse(bytes) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) => return Ok(Status::Partial),
            Err(error) => return Err(error.to_string()),
        };
        let keeps = response.version == Some(1);
        let mut head = Self {
            status: response.code.unwrap_or_default(),
            length: Length::UntilTheEnd,
            last: !keeps,
        };
        for header in response.headers.iter() {
            head.note(header)?;
        }
        Ok(Status::Complete((length, head)))
    }

    fn note(&mut self, header: &Header<'_>) -> Result<(), String> {
        let value = || String::from_utf8_lossy(header.value);
        if header.name.eq_ignore_ascii_case("content-length") {
            let size = value()
                .trim()
                .parse()
                .map_err(|_| "no length of its page")?;
            match self.length {
                Length::Counted(other) if other != size => {
                    return Err("two lengths of one page".to_owned());
                }
                // Chunks go before a length.
                Length::Chunks => {}
                _ => self.length = Length::Counted(size),
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if !value().trim().eq_ignore_ascii_case("chunked") {
                return Err(format!("its page is encoded as {:?}", value()));
            }
            self.length = Length::Chunks;
        } else if header.name.eq_ignore_ascii_case("connection") {
            for word in value().split(',').map(str::trim) {
                if word.eq_ignore_ascii_case("close") {
                    self.last = true;
                } else if word.eq_ignore_ascii_case("keep-alive") {
                    self.last = false;
                }
            }
        }
        Ok(())
    }
}

fn no_http(reason: impl std::fmt::Display) -> FetchError {
    FetchError::Other(format!("does not answer as a web server does: {reason}"))
}

/// The connection broke before there was an answer.
fn broken(error: io::Error) -> FetchError {
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => FetchError::Closed,
        _ => FetchError::Other(format!("cannot be read: {error}")),
    }
}
