//! A launchd for tests on systems that have none: `launchctl` as far as nodes need it, with its codes and texts, and
//! the launchd behind it, which really runs its jobs.
//!
//! `fake-launchctl serve` is the launchd. All of its files are in the directory that `WNM_FAKE_LAUNCHD` names, and it
//! ends with all of its processes when its standard input closes. With other arguments it is launchctl. It reads its
//! behaviour from `settings.json` there, with every request.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answer;
mod described;
mod job;
mod launchd;
mod printing;
mod server;
mod settings;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;

use answer::{Answer, Request};

/// The variable that names the directory of one launchd.
const VARIABLE: &str = "WNM_FAKE_LAUNCHD";

/// The socket on which it listens.
const SOCKET: &str = "socket";

fn main() -> ExitCode {
    let Some(dir) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        eprintln!("{VARIABLE} names no directory");
        return ExitCode::FAILURE;
    };
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words == ["serve"] {
        server::serve(&dir);
        return ExitCode::SUCCESS;
    }
    match ask(&dir, words) {
        Ok(answer) => {
            print!("{}", answer.stdout);
            eprint!("{}", answer.stderr);
            ExitCode::from(answer.code)
        }
        Err(error) => {
            eprintln!("Could not contact launchd: {error}");
            ExitCode::from(answer::NO_LAUNCHD)
        }
    }
}

fn ask(dir: &std::path::Path, words: Vec<String>) -> std::io::Result<Answer> {
    let mut stream = UnixStream::connect(dir.join(SOCKET))?;
    let request = Request {
        uid: nix::unistd::geteuid().as_raw(),
        words,
    };
    writeln!(stream, "{}", serde_json::to_string(&request)?)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}
