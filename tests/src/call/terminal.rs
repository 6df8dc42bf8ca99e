//! A call on a terminal: what a person in front of it would see.

use std::fs::File;
use std::io::{self, Read};

use nix::errno::Errno;
use nix::pty::{OpenptyResult, Winsize, openpty};

use super::{Call, Event, Outcome, read};

/// As wide as most are.
const SIZE: Winsize = Winsize {
    ws_row: 24,
    ws_col: 100,
    ws_xpixel: 0,
    ws_ypixel: 0,
};

impl Call {
    /// Calls it on a terminal of its own and waits for its end. Everything that was written there, in order and
    /// with what moves the cursor, is in `stdout`.
    #[must_use = "say whether it should have succeeded"]
    pub fn run_on_terminal(mut self) -> Outcome {
        let OpenptyResult { master, slave } = openpty(&SIZE, None).expect("no terminal");
        let both = slave.try_clone().expect("no second handle of the terminal");
        self.command.env("TERM", "xterm").stdout(both).stderr(slave);
        let screen = Screen(File::from(master));
        let running = self.begin(|_, sender| {
            read(Some(screen), sender.clone(), Event::Stdout);
            sender.send(Event::Stderr(String::new())).ok();
        });
        running.finish()
    }
}

/// The side of a terminal from which it is seen. Linux tells of its end as a failure.
struct Screen(File);

impl Read for Screen {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            Err(error) if error.raw_os_error() == Some(Errno::EIO as i32) => Ok(0),
            other => other,
        }
    }
}
