//! What goes to standard output and standard error, and in which form.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use tracing::level_filters::LevelFilter;
use wnm_config::{LogLevel, RunSettings};

use crate::documents::{Message, to_json};

/// How a run speaks.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// To programs rather than to people.
    pub json: bool,
    /// Only when something fails.
    pub quiet: bool,
}

impl Output {
    /// As the options say.
    pub fn new(run: &RunSettings) -> Self {
        Self {
            json: run.json,
            quiet: run.quiet,
        }
    }

    /// Text that was asked for: a report, a plan. Never left out.
    pub fn text(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    /// What came of a run: a line or more for people, one line of JSON for programs.
    pub fn outcome(&self, text: &str, document: &impl Serialize) -> io::Result<()> {
        if self.json {
            self.text(&to_json(document)?)
        } else if self.quiet {
            Ok(())
        } else {
            self.text(text)
        }
    }

    /// Something a person should know that fails nothing.
    pub fn warn(&self, text: &str) {
        if !self.quiet {
            anstream::eprintln!("wnm: {text}");
        }
    }
}

/// Tells a failure: one line a fault to people, and an object to programs.
pub fn failure(json: bool, message: &str) -> io::Result<()> {
    for line in message.lines() {
        anstream::eprintln!("wnm: {line}");
    }
    if json {
        let document = Message {
            status: "error",
            message,
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{}", to_json(&document)?)?;
        out.flush()?;
    }
    Ok(())
}

/// Sends the program's log to standard error. `-v` shows what is done, `-vv` everything.
pub fn start_log(run: &RunSettings) {
    let level = match (run.verbosity, run.loglevel) {
        (0, LogLevel::Debug) | (1, _) => LevelFilter::DEBUG,
        (2.., _) => LevelFilter::TRACE,
        (0, LogLevel::Error | LogLevel::Critical) => LevelFilter::ERROR,
        (0, _) => LevelFilter::WARN,
    };
    let filter = tracing_subscriber::EnvFilter::new(format!(
        "off,wnm={level},wnm_core={level},wnm_setsid={level},wnm_systemd={level},wnm_cli={level}"
    ));
    let begun = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .try_init();
    // A second start happens only where the library was given a log by an embedder: that one stays.
    drop(begun);
}
