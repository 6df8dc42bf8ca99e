use std::fmt::Write;
use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::SurveyLimits;
use super::answers::Answers;
use super::fetch_error::FetchError;

/// Gets both pages.
///
/// They are asked for together and over one connection, so that a node is woken once for both. A server need not
/// like that: one that closes after an answer, or never sends the second, is asked for what is missing by itself.
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
    let mut at_once = paths.len();
    while pages.len() < paths.len() {
        let before = pages.len();
        let asked = &paths[before..paths.len().min(before + at_once)];
        match talk(&addresses, &authority, asked, &mut pages, limits).await {
            Err(FetchError::Closed) if at_once > 1 || pages.len() > before => at_once = 1,
            ended => ended?,
        }
    }
    pages.try_into().map_err(|_| FetchError::Closed)
}

/// Gets pages over one connection and closes it.
///
/// It is closed from here and not by asking the server to: the side that closes is left with the port in
/// TIME_WAIT, and that must not be the node.
async fn talk(
    addresses: &[SocketAddr],
    authority: &str,
    paths: &[&str],
    pages: &mut Vec<Bytes>,
    limits: &SurveyLimits,
) -> Result<(), FetchError> {
    let mut stream = connect(addresses, limits).await?;
    // One that has closed already may have answered before.
    stream
        .write_all(questions(paths, authority).as_bytes())
        .await
        .ok();
    let mut answers = Answers::new(stream);
    let mut paths = paths.iter();
    if let Some(first) = paths.next() {
        pages.push(answers.page(first, limits.page).await?);
    }
    for path in paths {
        let page = timeout(limits.node / 2, answers.page(path, limits.page)).await;
        pages.push(page.unwrap_or(Err(FetchError::Closed))?);
    }
    Ok(())
}

fn questions(paths: &[&str], authority: &str) -> String {
    paths.iter().fold(String::new(), |mut questions, path| {
        // Writing into a string has no way to fail.
        write!(
            questions,
            "GET {path} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: wnm\r\n\r\n"
        )
        .ok();
        questions
    })
}

async fn connect(addresses: &[SocketAddr], limits: &SurveyLimits) -> Result<TcpStream, FetchError> {
    match timeout(limits.connect, TcpStream::connect(addresses)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Err(FetchError::Refused)
        }
        Ok(Err(error)) => Err(FetchError::Other(format!(
            "cannot be connected to: {error}"
        ))),
        Err(_) => Err(FetchError::Other(format!(
            "did not take the connection within {:?}",
            limits.connect
        ))),
    }
}
