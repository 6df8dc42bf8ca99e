//! A program that has the metrics port of a node.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::socket::{Shutdown, shutdown};

/// How long a question may take to come.
const QUESTION: Duration = Duration::from_secs(2);

/// Answers everything with what no node says.
pub struct Thief {
    listener: TcpListener,
    thread: Option<JoinHandle<()>>,
}

impl Thief {
    /// Answers who comes to `listener`.
    pub fn at(listener: TcpListener) -> Self {
        let hears = listener.try_clone().expect("no second handle");
        let thread = std::thread::spawn(move || {
            // It hears nobody any more once the port is given back.
            hears.incoming().map_while(Result::ok).for_each(answer);
        });
        Self {
            listener,
            thread: Some(thread),
        }
    }
}

/// Who asks may have gone: nothing depends on the answer's arrival.
fn answer(mut asked: TcpStream) {
    asked.set_read_timeout(Some(QUESTION)).ok();
    let _ = asked.read(&mut [0; 1024]);
    let _ = asked.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
}

impl Drop for Thief {
    fn drop(&mut self) {
        shutdown(self.listener.as_raw_fd(), Shutdown::Both).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
