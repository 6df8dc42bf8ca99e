use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{HOST, TRANSFER_ENCODING, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::SurveyLimits;

/// Bytes read ahead per connection, and so the most that the head of an answer may have. A node's has 150.
const BUFFER: usize = 16 * 1024;

/// Why a node could not be read.
#[derive(Debug)]
pub(super) enum Fault {
    /// Nothing listens.
    Refused,
    /// The connection ended before there was a whole answer.
    Closed,
    /// Anything else, in words.
    Other(String),
}

/// Gets both pages, over one connection where the server allows that.
pub(super) async fn fetch(
    addresses: &[IpAddr],
    port: u16,
    host: &str,
    paths: [&str; 2],
    limits: &SurveyLimits,
) -> Result<[Vec<u8>; 2], Fault> {
    let addresses: Vec<_> = addresses
        .iter()
        .map(|&address| SocketAddr::new(address, port))
        .collect();
    let authority = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let mut pages = Vec::with_capacity(paths.len());
    while pages.len() < paths.len() {
        let before = pages.len();
        let left = &paths[before..];
        match talk(&addresses, &authority, left, &mut pages, limits).await {
            // It gives one answer a connection; the next one is asked for over another.
            Err(Fault::Closed) if pages.len() > before => {}
            ended => ended?,
        }
    }
    pages.try_into().map_err(|_| Fault::Closed)
}

/// Gets pages over one connection and closes it.
///
/// It is closed from here and not by asking the server to: the side that closes is left with the port in
/// TIME_WAIT, and that must not be the node.
async fn talk(
    addresses: &[SocketAddr],
    authority: &str,
    paths: &[&str],
    pages: &mut Vec<Vec<u8>>,
    limits: &SurveyLimits,
) -> Result<(), Fault> {
    let stream = connect(addresses, limits).await?;
    let (mut sender, connection) = Builder::new()
        .max_buf_size(BUFFER)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let questions = async {
        for path in paths {
            pages.push(get(&mut sender, authority, path, limits).await?);
        }
        Ok(())
    };
    let mut questions = pin!(questions);
    tokio::select! {
        ended = &mut questions => ended,
        // It is dropped by then, so what still waits for it ends, with the reason why.
        _ = connection => questions.await,
    }
}

async fn connect(addresses: &[SocketAddr], limits: &SurveyLimits) -> Result<TcpStream, Fault> {
    match timeout(limits.connect, TcpStream::connect(addresses)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Err(Fault::Refused),
        Ok(Err(error)) => Err(Fault::Other(format!("cannot be connected to: {error}"))),
        Err(_) => Err(Fault::Other(format!(
            "did not take the connection within {:?}",
            limits.connect
        ))),
    }
}

async fn get(
    sender: &mut SendRequest<Empty<Bytes>>,
    authority: &str,
    path: &str,
    limits: &SurveyLimits,
) -> Result<Vec<u8>, Fault> {
    let request = Request::get(path)
        .header(HOST, authority)
        .header(USER_AGENT, "wnm")
        .body(Empty::new())
        .map_err(|error| Fault::Other(format!("cannot be asked for {path}: {error}")))?;
    sender.ready().await.map_err(broken)?;
    let answer = sender.send_request(request).await.map_err(broken)?;
    if answer.status() != StatusCode::OK {
        let status = answer.status();
        return Err(Fault::Other(format!("answers {path} with {status}")));
    }
    read(answer, path, limits.page).await
}

/// Reads a page up to a limit. What is larger, or breaks off, is no page.
async fn read(answer: Response<Incoming>, path: &str, limit: usize) -> Result<Vec<u8>, Fault> {
    let too_large = || Fault::Other(format!("{path} is larger than {limit} bytes"));
    let cut_off = || Fault::Other(format!("{path} breaks off"));
    let size = answer.body().size_hint().exact();
    let counted = size.is_some() || answer.headers().contains_key(TRANSFER_ENCODING);
    let size = usize::try_from(size.unwrap_or_default()).map_err(|_| too_large())?;
    if size > limit {
        return Err(too_large());
    }
    let mut page = Vec::with_capacity(size);
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| cut_off())?;
        let Some(bytes) = frame.data_ref() else {
            continue;
        };
        if page.len() + bytes.len() > limit {
            return Err(too_large());
        }
        page.extend_from_slice(bytes);
    }
    // The end of the connection is all that ends such a page; only its last line can tell.
    if !counted && !page.ends_with(b"\n") {
        return Err(cut_off());
    }
    Ok(page)
}

fn broken(error: hyper::Error) -> Fault {
    let reset = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|source| {
            matches!(
                source.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
            )
        });
    if reset || error.is_canceled() || error.is_closed() || error.is_incomplete_message() {
        Fault::Closed
    } else {
        Fault::Other(format!("does not answer as a web server does: {error}"))
    }
}
