//! One run of a node, from its arguments to its end, in the order of the real one.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::arguments::{LogOutput, Options};
use crate::http::{self, Site};
use crate::lifetime::{self, Asked, End, Signals};
use crate::root::Root;
use crate::switches::Silence;
use crate::{pages, readings, switches, trailer};

/// Stack of a thread here: pages are built on the heap, so little is needed.
const THREAD_STACK: usize = 128 * 1024;

/// Runs until something ends it. `words` are its arguments, for the process that takes over in a
/// self-upgrade.
pub(crate) fn run(options: &Options, words: &[OsString], version: &str) -> Result<Infallible, End> {
    let address = options.rewards_address.as_deref().ok_or_else(|| {
        End::Panicked(
            "the following required arguments were not provided: --rewards-address <REWARDS_ADDRESS>"
                .to_owned(),
        )
    })?;
    check_address(address).map_err(End::Failed)?;
    let failed =
        |what: &'static str| move |error: io::Error| End::Failed(format!("{what}: {error}"));

    let signals = Signals::hold_back().map_err(failed("cannot hold back signals"))?;
    let root = Root::open(options.root_dir.as_deref()).map_err(failed("root directory"))?;
    if switches::crashes(&root.dir) {
        return Err(End::Failed("told to crash".to_owned()));
    }
    let network = options.network.as_deref().unwrap_or("evm-arbitrum-one");
    say(&format!("EVM network: {network}"));
    let logs = log_dir(&options.log_output, &root.dir);
    let peer_id = root.identity.peer_id();
    let line = format!("simulated antnode v{version} is {peer_id}");
    log(logs.as_deref(), &line).map_err(failed("log directory"))?;

    let site = Pages {
        metadata: pages::metadata(version, &peer_id),
        seed: root.identity.seed(),
        root: root.dir.clone(),
        born: root.born,
        started: Instant::now(),
    };
    if let Some(port) = options.metrics_port {
        open_metrics(port, site).map_err(failed("cannot start the metrics server"))?;
    }
    // Never read: what arrives is dropped by the kernel once its small buffer is full.
    let _socket =
        lifetime::bind(|| UdpSocket::bind((options.ip, options.port))).map_err(|error| {
            End::Panicked(format!(
                "cannot listen on UDP port {}: {error}",
                options.port
            ))
        })?;
    if let Some(delay) = switches::exits_after(&root.dir) {
        thread("end", move || match lifetime::end_after(delay) {})
            .map_err(failed("cannot start a thread"))?;
    }
    say(&format!("\nNode started\n\nPeerId is {peer_id}"));

    loop {
        match signals.wait().map_err(failed("cannot wait for signals"))? {
            Asked::Interrupt => {
                let reason = "interrupted by a signal";
                leave_note(logs.as_deref(), reason).map_err(failed("log directory"))?;
                return Err(End::Failed(reason.to_owned()));
            }
            Asked::SelfUpgrade => match upgrade(&root.dir, words) {
                Ok(()) => return Err(End::Replaced),
                Err(error) => complain(&format!("the self-upgrade failed: {error}")),
            },
        }
    }
}

/// An error that the process goes on with, unlike every other: a node without metrics is still a node.
fn open_metrics(port: u16, site: Pages) -> io::Result<()> {
    match lifetime::bind(|| TcpListener::bind((Ipv4Addr::LOCALHOST, port))) {
        Ok(listener) => {
            say(&format!(
                "Metrics server on http://{}/metrics",
                listener.local_addr()?
            ));
            thread("metrics", move || http::serve(listener, &site))
        }
        Err(error) => {
            complain(&format!(
                "The application panicked (crashed).\nMessage:  error binding to 127.0.0.1:{port}: {error}"
            ));
            Ok(())
        }
    }
}

fn thread(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(THREAD_STACK)
        .spawn(body)
        .map(drop)
}

fn upgrade(root: &Path, words: &[OsString]) -> io::Result<()> {
    if let Some(version) = switches::upgrades_to(root) {
        let own = trailer::own_path()?;
        trailer::stamp(&own, &own, &version)?;
    }
    lifetime::replace(words)
}

/// The real program takes 20 bytes in hex.
fn check_address(address: &str) -> Result<(), String> {
    let digits = address.strip_prefix("0x").unwrap_or(address);
    match digits.len() {
        _ if !digits.chars().all(|c| c.is_ascii_hexdigit()) => {
            Err(format!("rewards address '{address}': invalid character"))
        }
        40 => Ok(()),
        _ => Err(format!("rewards address '{address}': not 40 digits")),
    }
}

struct Pages {
    metadata: String,
    seed: u64,
    root: PathBuf,
    born: SystemTime,
    started: Instant,
}

impl Site for Pages {
    fn page(&self, path: &str) -> Option<String> {
        match path {
            "/metadata" => Some(self.metadata.clone()),
            "/metrics" | "/metrics_extended" => {
                let uptime = self.started.elapsed().as_secs();
                // A clock that was set back makes the node as old as this process.
                let age = self.born.elapsed().map_or(uptime, |age| age.as_secs());
                Some(pages::metrics(&readings::readings(self.seed, uptime, age)))
            }
            _ => None,
        }
    }

    fn silence(&self) -> Option<Silence> {
        switches::silence(&self.root)
    }
}

fn log_dir(output: &LogOutput, root: &Path) -> Option<PathBuf> {
    match output {
        LogOutput::Stdout => None,
        LogOutput::RootDir => Some(root.join("logs")),
        LogOutput::Directory(dir) => Some(dir.clone()),
    }
}

fn log(dir: Option<&Path>, line: &str) -> io::Result<()> {
    let Some(dir) = dir else {
        say(&stamped(line));
        return Ok(());
    };
    fs::create_dir_all(dir)?;
    say(&format!("Logging to directory: {dir:?}"));
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join("antnode.log"))?;
    writeln!(file, "{}", stamped(line))
}

/// What the real node leaves when it ends by itself.
fn leave_note(dir: Option<&Path>, reason: &str) -> io::Result<()> {
    match dir {
        Some(dir) => fs::write(dir.join("critical_failure.log"), stamped(reason)),
        None => Ok(()),
    }
}

/// A line with its time, in seconds since 1970.
fn stamped(line: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    format!("[{} INFO] {line}", now.map_or(0, |now| now.as_secs()))
}

/// Prints a line. A reader that is gone must not end the node, as `println!` would.
pub(crate) fn say(line: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
}

/// The same on standard error.
pub(crate) fn complain(line: &str) {
    writeln!(io::stderr(), "{line}").ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_40_hex_digits() {
        assert!(check_address("0x03B770D9cD32077cC0bF330c13C114a87643B124").is_ok());
        for bad in [
            "",
            "0x",
            "0x123",
            "donate",
            &format!("0x{}", "g".repeat(40)),
        ] {
            assert!(check_address(bad).is_err(), "{bad}");
        }
    }
}
