//! Starts a simulated node, waits until it is up, talks to it, and kills it when the test ends.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_antnode-sim");

/// For an answer that must arrive: longer than any machine needs.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// For an answer that must not arrive.
pub const NO_ANSWER_WAIT: Duration = Duration::from_millis(300);

pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null());
    command
}

pub fn arguments(root: &Path, udp: u16, metrics: u16) -> Vec<String> {
    let root = root.to_str().unwrap();
    let line = format!(
        "--port {udp} --metrics-server-port {metrics} --no-upnp --ip 127.0.0.1 --rewards-address \
         0x03B770D9cD32077cC0bF330c13C114a87643B124 --root-dir {root} --log-output-dest {root}/logs \
         evm-arbitrum-one"
    );
    line.split(' ').map(str::to_owned).collect()
}

/// Makes a copy of the program with this version and waits until it can run: a child that another test forked
/// during the write holds the copy open until its own exec.
pub fn stamp_program(copy: &Path, version: &str) {
    wnm_simnode::stamp(Path::new(PROGRAM), copy, version).unwrap();
    for _ in 0..1000 {
        match command(copy).arg("--version").output() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(5));
            }
            output => return assert!(output.unwrap().status.success()),
        }
    }
    panic!("{} remains busy", copy.display());
}

pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub fn run(command: &mut Command) -> Finished {
    let output = command.output().unwrap();
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What a node printed during its start.
pub struct Announcement {
    pub peer_id: String,
    /// 0 if the node printed none.
    pub metrics_port: u16,
}

/// A running node. Drop kills it.
pub struct RunningNode {
    child: Child,
    output: BufReader<ChildStdout>,
    pub peer_id: String,
    pub metrics_port: u16,
}

impl RunningNode {
    pub fn start(program: &Path, root: &Path) -> Self {
        Self::start_with(command(program).args(arguments(root, 0, 0)))
    }

    pub fn start_with(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut node = Self {
            child,
            output,
            peer_id: String::new(),
            metrics_port: 0,
        };
        let announced = node.read_until_started();
        node.peer_id = announced.peer_id;
        node.metrics_port = announced.metrics_port;
        node
    }

    /// Reads until a node reports that it is up: this one or its successor.
    pub fn read_until_started(&mut self) -> Announcement {
        let mut metrics_port = 0;
        loop {
            let mut line = String::new();
            let count = self.output.read_line(&mut line).unwrap();
            assert!(count > 0, "the node exited before it was up");
            let line = line.trim_end();
            if let Some(rest) = line.strip_prefix("Metrics server on http://127.0.0.1:") {
                metrics_port = rest.split('/').next().unwrap().parse().unwrap();
            }
            if let Some(peer_id) = line.strip_prefix("PeerId is ") {
                return Announcement {
                    peer_id: peer_id.to_owned(),
                    metrics_port,
                };
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        signal::kill(Pid::from_raw(self.pid().cast_signed()), signal).unwrap();
    }

    pub fn wait(&mut self) -> ExitStatus {
        // If the test runs with signals ignored, as under nohup, the node inherits that and does not exit.
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the node does not exit");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn exit_on(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.wait()
    }
}

impl Drop for RunningNode {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Kills a node that is not a child of the test.
pub fn kill(pid: &str) {
    signal::kill(Pid::from_raw(pid.parse().unwrap()), Signal::SIGKILL).unwrap();
}

pub fn connect(port: u16) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap()
}

/// Requests a page and returns the head and the body of the response.
pub fn exchange(
    stream: &mut TcpStream,
    path: &str,
    deadline: Duration,
) -> io::Result<(String, String)> {
    stream.set_read_timeout(Some(deadline))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let (head, body) = response
        .split_once("\r\n\r\n")
        .ok_or_else(|| io::Error::other("the response has no head"))?;
    Ok((head.to_owned(), body.to_owned()))
}

pub fn fetch(port: u16, path: &str) -> (String, String) {
    exchange(&mut connect(port), path, DEADLINE).unwrap()
}

pub fn free_udp_port() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.local_addr().unwrap().port()
}

pub fn free_tcp_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
