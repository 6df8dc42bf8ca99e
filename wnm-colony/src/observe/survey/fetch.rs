//! Fetches the pages of one node over HTTP.

use std::fmt::Write;
use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::SurveyLimits;
use super::fetch_error::FetchError;
use super::responses::Responses;

/// Fetches both pages.
///
/// Requests both at once over one connection, so that a node wakes once for both. Some servers
/// close after one response or never send the second. From these, fetches the missing page with a
/// new connection.
pub(super) async fn fetch(
    addresses: &[IpAddr],
    port: u16,
    host: &str,
    paths: [&str; 2],
    limits: &SurveyLimits,
) -> Result<[Bytes; 2], FetchError> {
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
    let mut batch = paths.len();
    while pages.len() < paths.len() {
        let before = pages.len();
        let missing = &paths[before..paths.len().min(before + batch)];
        match exchange(&addresses, &authority, missing, &mut pages, limits).await {
            Err(FetchError::Closed) if batch > 1 || pages.len() > before => batch = 1,
            ended => ended?,
        }
    }
    pages.try_into().map_err(|_| FetchError::Closed)
}

/// Fetches pages over one connection and closes it.
///
/// The client closes the connection and does not ask the server to: the closing side keeps the port
/// in TIME_WAIT, and that must not be the node.
async fn exchange(
    addresses: &[SocketAddr],
    authority: &str,
    paths: &[&str],
    pages: &mut Vec<Bytes>,
    limits: &SurveyLimits,
) -> Result<(), FetchError> {
    let mut stream = connect(addresses, limits).await?;
    // The server may have responded before it closed the connection, so a failed write is no error
    // yet.
    stream
        .write_all(requests(paths, authority).as_bytes())
        .await
        .ok();
    let mut responses = Responses::new(stream);
    let mut paths = paths.iter();
    if let Some(first) = paths.next() {
        pages.push(responses.page(first, limits.page).await?);
    }
    for path in paths {
        let page = timeout(limits.node / 2, responses.page(path, limits.page)).await;
        pages.push(page.unwrap_or(Err(FetchError::Closed))?);
    }
    Ok(())
}

fn requests(paths: &[&str], authority: &str) -> String {
    paths.iter().fold(String::new(), |mut requests, path| {
        // Writing to a string cannot fail.
        write!(
            requests,
            "GET {path} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: wnm\r\n\r\n"
        )
        .ok();
        requests
    })
}

async fn connect(addresses: &[SocketAddr], limits: &SurveyLimits) -> Result<TcpStream, FetchError> {
    match timeout(limits.connect, TcpStream::connect(addresses)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Err(FetchError::Refused)
        }
        Ok(Err(error)) => Err(FetchError::Other(format!("cannot connect: {error}"))),
        Err(_) => Err(FetchError::Other(format!(
            "did not accept the connection within {:?}",
            limits.connect
        ))),
    }
}
