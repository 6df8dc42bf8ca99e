//! A program that has the metrics port of a node.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a question may take to come.
const QUESTION: Duration = Duration::from_secs(2);

/// Answers everything with what no node says.
pub struct Thief {
    port: u16,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Thief {
    /// Takes the port, unless somebody has it.
    pub fn of(port: u16) -> Option<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            for asked in listener.incoming() {
                if seen.load(Ordering::Acquire) {
                    break;
                }
                asked.map(answer).ok();
            }
        });
        Some(Self {
            port,
            over,
            thread: Some(thread),
        })
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
        self.over.store(true, Ordering::Release);
        // It looks once more when somebody comes.
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
