//! Starting a simulated node, hearing that it is up, talking to it, and ending it whatever happens.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill as send};
use nix::unistd::Pid;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_antnode-sim");

/// For an answer that must come: longer than any machine needs.
pub const LONG: Duration = Duration::from_secs(30);
/// For an answer that must not come.
pub const SHORT: Duration = Duration::from_millis(300);

pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null());
    command
}

pub fn arguments(root: &Path, udp: u16, metrics: u16) -> Vec<String> {
    let root = root.to_str().unwrap();
    let words = format!(
        "--port {udp} --metrics-server-port {metrics} --no-upnp --ip 127.0.0.1 --rewards-address \
         0x03B770D9cD32077cC0bF330c13C114a87643B124 --root-dir {root} --log-output-dest {root}/logs \
         evm-arbitrum-one"
    );
    words.split(' ').map(str::to_owned).collect()
}

/// A copy of the program with this version, ready to run: a child that another test forked while the copy was
/// written holds it until its own exec.
pub fn stamped(copy: &Path, version: &str) {
    wnm_simnode::stamp(Path::new(PROGRAM), copy, version).unwrap();
    for _ in 0..1000 {
        match command(copy).arg("--version").output() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(5));
            }
            told => return assert!(told.unwrap().status.success()),
        }
    }
    panic!("{} stays busy", copy.display());
}

pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub fn run(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What a node said of itself on its way up.
pub struct Announced {
    pub peer_id: String,
    /// 0 when it announced none.
    pub metrics_port: u16,
}

/// A node that is up; killed when dropped.
pub struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
    pub peer_id: String,
    pub metrics_port: u16,
}

impl Running {
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
        let mut running = Self {
            child,
            output,
            peer_id: String::new(),
            metrics_port: 0,
        };
        let announced = running.read_until_started();
        running.peer_id = announced.peer_id;
        running.metrics_port = announced.metrics_port;
        running
    }

    /// Reads on until a node has said that it is up: this one, or the one that takes over from it.
    pub fn read_until_started(&mut self) -> Announced {
        let mut metrics_port = 0;
        loop {
            let mut line = String::new();
            let count = self.output.read_line(&mut line).unwrap();
            assert!(count > 0, "the node ended before it was up");
            let line = line.trim_end();
            if let Some(rest) = line.strip_prefix("Metrics server on http://127.0.0.1:") {
                metrics_port = rest.split('/').next().unwrap().parse().unwrap();
            }
            if let Some(peer_id) = line.strip_prefix("PeerId is ") {
                return Announced {
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
        send(Pid::from_raw(self.pid().cast_signed()), signal).unwrap();
    }

    pub fn wait(&mut self) -> ExitStatus {
        // A test that was started with signals ignored, as nohup does, hands that down: then nothing ends here.
        let deadline = Instant::now() + LONG;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn end_with(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Kills a node that is no child of the test.
pub fn kill(pid: &str) {
    send(Pid::from_raw(pid.parse().unwrap()), Signal::SIGKILL).unwrap();
}

pub fn connect(port: u16) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap()
}

/// Asks for a page and gives the head and the body of the answer.
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
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| io::Error::other("no head"))?;
    Ok((head.to_owned(), body.to_owned()))
}

pub fn fetch(port: u16, path: &str) -> (String, String) {
    exchange(&mut connect(port), path, LONG).unwrap()
}

pub fn free_udp_port() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.local_addr().unwrap().port()
}

pub fn free_tcp_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
