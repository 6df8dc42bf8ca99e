//! Runs the node from its arguments to its exit, in the same order as the real one.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::arguments::{LogOutput, Options};
use crate::http::{self, PageSource};
use crate::process::{self, ExitReason, SignalRequest, Signals};
use crate::root::RootDir;
use crate::stderr::print_error;
use crate::switches::Silence;
use crate::{pages, readings, switches, trailer};

/// Stack size of a thread in bytes. Pages are on the heap, so a thread needs little.
const THREAD_STACK: usize = 128 * 1024;

/// Runs the node until it exits. A self-upgrade starts the successor with `args`.
pub(crate) fn run(
    options: &Options,
    args: &[OsString],
    version: &str,
) -> Result<Infallible, ExitReason> {
    let address = options.rewards_address.as_deref().ok_or_else(|| {
        ExitReason::Panicked(
            "the following required arguments were not provided: --rewards-address <REWARDS_ADDRESS>"
                .to_owned(),
        )
    })?;
    check_address(address).map_err(ExitReason::Failed)?;
    let failed =
        |what: &'static str| move |error: io::Error| ExitReason::Failed(format!("{what}: {error}"));

    let signals = Signals::block().map_err(failed("cannot block signals"))?;
    let root = RootDir::open(options.root_dir.as_deref())
        .map_err(failed("cannot open the root directory"))?;
    if switches::crashes(&root.path) {
        return Err(ExitReason::Failed("the crash switch is set".to_owned()));
    }
    let network = options.network.as_deref().unwrap_or("evm-arbitrum-one");
    print_line(&format!("EVM network: {network}"));
    let logs = log_dir(&options.log_output, &root.path);
    let peer_id = root.identity.peer_id();
    let line = format!("simulated antnode v{version}, PeerId {peer_id}");
    log(logs.as_deref(), &line).map_err(failed("cannot write to the log directory"))?;

    let pages = NodePages {
        metadata: pages::metadata(version, &peer_id),
        seed: root.identity.seed(),
        root: root.path.clone(),
        created_at: root.created_at,
        started: Instant::now(),
    };
    if let Some(port) = options.metrics_port {
        serve_metrics(port, pages).map_err(failed("cannot start the metrics server"))?;
    }
    // Nothing reads from the socket. The kernel drops packets once its buffer is full.
    let _socket =
        process::bind(|| UdpSocket::bind((options.ip, options.port))).map_err(|error| {
            ExitReason::Panicked(format!(
                "cannot listen on UDP port {}: {error}",
                options.port
            ))
        })?;
    if let Some(delay) = switches::exit_delay(&root.path) {
        spawn_thread("exit", move || match process::exit_after(delay) {})
            .map_err(failed("cannot start a thread"))?;
    }
    print_line(&format!("\nNode started\n\nPeerId is {peer_id}"));

    loop {
        match signals.wait().map_err(failed("cannot wait for signals"))? {
            SignalRequest::Interrupt => {
                let reason = "interrupted by a signal";
                write_failure_note(logs.as_deref(), reason)
                    .map_err(failed("cannot write to the log directory"))?;
                return Err(ExitReason::Failed(reason.to_owned()));
            }
            SignalRequest::SelfUpgrade => match self_upgrade(&root.path, args) {
                Ok(()) => return Err(ExitReason::Replaced),
                Err(error) => print_error(&format!("self-upgrade failed: {error}")),
            },
        }
    }
}

/// Starts the metrics server. If it cannot bind the port, the node runs without metrics, as the real one does.
fn serve_metrics(port: u16, pages: NodePages) -> io::Result<()> {
    match process::bind(|| TcpListener::bind((Ipv4Addr::LOCALHOST, port))) {
        Ok(listener) => {
            print_line(&format!(
                "Metrics server on http://{}/metrics",
                listener.local_addr()?
            ));
            spawn_thread("metrics", move || http::serve(listener, &pages))
        }
        Err(error) => {
            print_error(&format!(
                "The application panicked (crashed).\nMessage:  error binding to 127.0.0.1:{port}: {error}"
            ));
            Ok(())
        }
    }
}

fn spawn_thread(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(THREAD_STACK)
        .spawn(body)
        .map(drop)
}

fn self_upgrade(root: &Path, args: &[OsString]) -> io::Result<()> {
    if let Some(version) = switches::upgrade_version(root) {
        let own = trailer::own_path()?;
        trailer::stamp(&own, &own, &version)?;
    }
    process::spawn_successor(args)
}

/// The real program accepts 20 bytes in hex.
fn check_address(address: &str) -> Result<(), String> {
    let digits = address.strip_prefix("0x").unwrap_or(address);
    match digits.len() {
        _ if !digits.chars().all(|c| c.is_ascii_hexdigit()) => Err(format!(
            "invalid rewards address '{address}': not hexadecimal"
        )),
        40 => Ok(()),
        _ => Err(format!(
            "invalid rewards address '{address}': not 40 digits"
        )),
    }
}

struct NodePages {
    metadata: String,
    seed: u64,
    root: PathBuf,
    created_at: SystemTime,
    started: Instant,
}

impl PageSource for NodePages {
    fn page(&self, path: &str) -> Option<String> {
        match path {
            "/metadata" => Some(self.metadata.clone()),
            "/metrics" | "/metrics_extended" => {
                let uptime = self.started.elapsed().as_secs();
                // After the clock was set back, the node is as old as this process.
                let age = self
                    .created_at
                    .elapsed()
                    .map_or(uptime, |age| age.as_secs());
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
        print_line(&with_time(line));
        return Ok(());
    };
    fs::create_dir_all(dir)?;
    print_line(&format!("Logging to directory: {dir:?}"));
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join("antnode.log"))?;
    writeln!(file, "{}", with_time(line))
}

/// Writes the note that the real node leaves when it exits by itself.
fn write_failure_note(dir: Option<&Path>, reason: &str) -> io::Result<()> {
    match dir {
        Some(dir) => fs::write(dir.join("critical_failure.log"), with_time(reason)),
        None => Ok(()),
    }
}

/// Prefixes a line with the time, in seconds since 1970.
fn with_time(line: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    format!("[{} INFO] {line}", now.map_or(0, |now| now.as_secs()))
}

/// Prints a line to standard output and ignores a closed pipe, on which `println!` would panic.
pub(crate) fn print_line(line: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_must_have_40_hex_digits() {
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
