//! Node programs: simulated ones of any version, and the real one where it was built.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::{binaries, real, wait};

/// A rewards address in its canonical spelling.
pub const WALLET: &str = "0x00455d78f850b0358E8cea5be24d415E01E107CF";

/// A well-formed peer address that leads nowhere. With it as `ANT_PEERS` a real node runs without a network and
/// contacts no other machine.
pub const NOWHERE: &str =
    "/ip4/127.0.0.1/udp/1/quic-v1/p2p/12D3KooWRi6wF7yxWLuPSNskXc6kQ5cJ6eaymeMbCRdTnMesPgFx";

/// How long a node may take to answer over the loopback.
const ANSWER: Duration = Duration::from_secs(10);

/// Writes a simulated node program of `version` to `dir/VERSION/antnode`.
pub fn simulated(dir: &Path, version: &str) -> PathBuf {
    let dir = dir.join(version);
    std::fs::create_dir_all(&dir).expect("no directory for the program");
    let bare = dir.join("bare");
    let program = dir.join("antnode");
    let source = if without_symbols(&binaries::simulated_node(), &bare) {
        bare
    } else {
        binaries::simulated_node()
    };
    wnm_simnode::stamp(&source, &program, version).expect("the program cannot be stamped");
    let output = wait::until_some(wait::LONG, "a program that can be run", || {
        match Command::new(&program).arg("--version").output() {
            // A child that another thread forked while the file was written holds it until its own exec.
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => None,
            output => Some(output.expect("the program cannot be run")),
        }
    });
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.starts_with(&format!("Autonomi Node v{version}\n")),
        "{output}"
    );
    program
}

/// Every node gets a copy of its program, and a debug build is seven times as large with its symbols. Without `strip`
/// the copies are merely larger.
fn without_symbols(program: &Path, to: &Path) -> bool {
    let status = Command::new("strip")
        .arg("-o")
        .args([to, program])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    cfg!(target_os = "linux") && status.is_ok_and(|status| status.success())
}

/// The real `antnode` of this version. `None` after saying that the test is skipped.
pub fn real_antnode(version: &str) -> Option<PathBuf> {
    real::PROGRAMS.file(Path::new(version).join("bin/antnode"))
}

/// The real antctl. `None` after saying that the test is skipped.
pub fn real_antctl() -> Option<PathBuf> {
    real::PROGRAMS.file("antctl-0.14.2/bin/antctl")
}

/// The body of a node's page, such as `/metadata`. An error when nothing answers in time.
pub fn page(port: u16, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(ANSWER))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
        _ => Err(io::Error::other(format!("port {port} answers: {answer}"))),
    }
}
