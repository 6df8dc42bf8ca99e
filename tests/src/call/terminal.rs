//! A call on a terminal.

use std::fs::File;
use std::io::{self, Read};

use nix::errno::Errno;
use nix::pty::{OpenptyResult, Winsize, openpty};

use super::{Call, Event, Outcome, read};

/// The size of most terminals.
const SIZE: Winsize = Winsize {
    ws_row: 24,
    ws_col: 100,
    ws_xpixel: 0,
    ws_ypixel: 0,
};

impl Call {
    /// Runs it on its own terminal and waits for its end. `stdout` is all output in order, with the control sequences.
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

/// The other side of a terminal. Linux reports its end as an error.
struct Screen(File);

impl Read for Screen {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            Err(error) if error.raw_os_error() == Some(Errno::EIO as i32) => Ok(0),
            other => other,
        }
    }
}
