//! Parses HTTP responses.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use httparse::{EMPTY_HEADER, Header, Status};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::fetch_error::FetchError;

#[cfg(test)]
mod tests;

/// The size of the read buffer in bytes. It holds both pages of a node, so one read usually
/// suffices.
const BUFFER_SIZE: usize = 64 * 1024;

/// The largest head of a response in bytes. A node's head has 150 bytes.
const HEAD_LIMIT: usize = 16 * 1024;

/// The most headers in a head. A node's head has three.
const MOST_HEADERS: usize = 64;

/// Reads the responses of a connection, in the order of the requests ([RFC 9112]).
///
/// [RFC 9112]: https://www.rfc-editor.org/rfc/rfc9112
pub(super) struct Responses<S> {
    stream: S,
    read: BytesMut,
    /// Whether the server announced that this was its last response on the connection.
    last: bool,
}

impl<S: AsyncRead + Unpin> Responses<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            read: BytesMut::with_capacity(BUFFER_SIZE),
            last: false,
        }
    }

    /// Reads the next page, which was requested as `path`.
    ///
    /// Fails if the page is incomplete or larger than `limit` bytes, and unless the status is 200.
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
        page.map_err(|read_error| match read_error {
            PageError::CutOff => FetchError::Other(format!("{path} is incomplete")),
            PageError::TooLarge => {
                FetchError::Other(format!("{path} is larger than {limit} bytes"))
            }
            PageError::NotHttp(reason) => not_http(reason),
        })
    }

    /// Reads the head of the next final response. Skips informational responses (1xx).
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
                    if self.read_some(1).await.map_err(read_error)? == 0 {
                        return Err(FetchError::Closed);
                    }
                }
                Ok(Status::Partial) => return Err(not_http("its head does not end")),
                Err(reason) => return Err(not_http(reason)),
            }
        }
    }

    async fn counted(&mut self, size: u64, limit: usize) -> Result<Bytes, PageError> {
        let size = usize::try_from(size)
            .ok()
            .filter(|&size| size <= limit)
            .ok_or(PageError::TooLarge)?;
        self.fill(size).await?;
        Ok(self.read.split_to(size).freeze())
    }

    async fn chunks(&mut self, limit: usize) -> Result<Bytes, PageError> {
        let mut page = BytesMut::new();
        loop {
            let size = self.chunk_size().await?;
            if size == 0 {
                break;
            }
            let size = usize::try_from(size)
                .ok()
                .filter(|size| size.saturating_add(page.len()) <= limit)
                .ok_or(PageError::TooLarge)?;
            self.fill(size + 2).await?;
            page.extend_from_slice(&self.read[..size]);
            self.read.advance(size);
            if !self.read.starts_with(b"\r\n") {
                return Err(PageError::NotHttp("a chunk does not end"));
            }
            self.read.advance(2);
        }
        self.skip_trailers().await?;
        Ok(page.freeze())
    }

    async fn chunk_size(&mut self) -> Result<u64, PageError> {
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
                Ok(Status::Partial) | Err(_) => {
                    return Err(PageError::NotHttp("a chunk has no valid size"));
                }
            }
        }
    }

    /// Skips the trailers after the last chunk, and the empty line that ends them.
    async fn skip_trailers(&mut self) -> Result<(), PageError> {
        let mut skipped = 0;
        loop {
            match memchr::memchr(b'\n', &self.read) {
                Some(end) => {
                    let empty = matches!(&self.read[..end], b"" | b"\r");
                    self.read.advance(end + 1);
                    skipped += end + 1;
                    if empty {
                        return Ok(());
                    }
                }
                None => {
                    let wanted = self.read.len() + 1;
                    self.fill(wanted).await?;
                }
            }
            if skipped + self.read.len() > HEAD_LIMIT + BUFFER_SIZE {
                return Err(PageError::NotHttp("its trailers do not end"));
            }
        }
    }

    async fn until_the_end(&mut self, limit: usize) -> Result<Bytes, PageError> {
        loop {
            // Some of the page can arrive with the head.
            if self.read.len() > limit {
                return Err(PageError::TooLarge);
            }
            if self.read_some(1).await.map_err(|_| PageError::CutOff)? == 0 {
                break;
            }
        }
        // Only the end of the connection ends such a page, so a complete last line is the only
        // check.
        if !self.read.ends_with(b"\n") {
            return Err(PageError::CutOff);
        }
        Ok(self.read.split().freeze())
    }

    /// Reads until the buffer holds `wanted` bytes.
    async fn fill(&mut self, wanted: usize) -> Result<(), PageError> {
        while let missing @ 1.. = wanted.saturating_sub(self.read.len()) {
            if self
                .read_some(missing)
                .await
                .map_err(|_| PageError::CutOff)?
                == 0
            {
                return Err(PageError::CutOff);
            }
        }
        Ok(())
    }

    /// Reads available bytes into a buffer with room for at least `missing`. Returns 0 at the end.
    async fn read_some(&mut self, missing: usize) -> io::Result<usize> {
        self.read.reserve(missing);
        self.stream.read_buf(&mut self.read).await
    }
}

/// Why a page cannot be read.
enum PageError {
    CutOff,
    TooLarge,
    NotHttp(&'static str),
}

/// The relevant parts of a response head.
struct Head {
    status: u16,
    length: Length,
    last: bool,
}

/// How the end of a page is marked.
#[derive(Clone, Copy)]
enum Length {
    Counted(u64),
    Chunks,
    UntilTheEnd,
}

impl Head {
    /// Parses a head. Returns its length in bytes and its content, or the reason why it is invalid.
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
                .map_err(|_| "the content length is invalid")?;
            match self.length {
                Length::Counted(other) if other != size => {
                    return Err("its content lengths differ".to_owned());
                }
                // Chunked encoding takes precedence over a length.
                Length::Chunks => {}
                _ => self.length = Length::Counted(size),
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if !value().trim().eq_ignore_ascii_case("chunked") {
                return Err(format!("its transfer encoding is {:?}", value()));
            }
            self.length = Length::Chunks;
        } else if header.name.eq_ignore_ascii_case("connection") {
            for token in value().split(',').map(str::trim) {
                if token.eq_ignore_ascii_case("close") {
                    self.last = true;
                } else if token.eq_ignore_ascii_case("keep-alive") {
                    self.last = false;
                }
            }
        }
        Ok(())
    }
}

fn not_http(reason: impl std::fmt::Display) -> FetchError {
    FetchError::Other(format!("does not speak HTTP: {reason}"))
}

/// An error of the connection before any response.
fn read_error(error: io::Error) -> FetchError {
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => FetchError::Closed,
        _ => FetchError::Other(format!("cannot read its response: {error}")),
    }
}
