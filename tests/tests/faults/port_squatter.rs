//! Another program on the metrics port of a node.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::socket::{Shutdown, shutdown};

/// The time in which a request must arrive.
const QUESTION: Duration = Duration::from_secs(2);

/// Answers every request with 404, which no node does.
pub struct PortSquatter {
    listener: TcpListener,
    thread: Option<JoinHandle<()>>,
}

impl PortSquatter {
    /// Answers the clients of `listener`.
    pub fn at(listener: TcpListener) -> Self {
        let hears = listener.try_clone().expect("no second handle");
        let thread = std::thread::spawn(move || {
            // It ends when the port is closed.
            hears.incoming().map_while(Result::ok).for_each(answer);
        });
        Self {
            listener,
            thread: Some(thread),
        }
    }
}

/// The client may have gone: nothing depends on the arrival of the answer.
fn answer(mut asked: TcpStream) {
    asked.set_read_timeout(Some(QUESTION)).ok();
    let _ = asked.read(&mut [0; 1024]);
    let _ = asked.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
}

impl Drop for PortSquatter {
    fn drop(&mut self) {
        shutdown(self.listener.as_raw_fd(), Shutdown::Both).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
