//! What goes to standard output and standard error, and in which form.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;
use wnm_core::act::Progress;
use wnm_core::settings::{LogLevel, RunSettings};

/// Work that is over before this shows no progress bar.
const BAR_AFTER: Duration = Duration::from_secs(1);

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
    pub fn outcome(&self, text: &str, value: &Value) -> io::Result<()> {
        if self.json {
            self.text(&value.to_string())
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

    /// Shows how far a plan of `steps` is, on a terminal, once it takes longer than a second.
    pub fn progress(&self, steps: usize) -> Option<Progress> {
        if self.json || self.quiet || !io::stderr().is_terminal() {
            return None;
        }
        let began = Instant::now();
        let shown: Mutex<(usize, Option<ProgressBar>)> = Mutex::new((0, None));
        Some(Arc::new(move |result| {
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            let (done, bar) = &mut *shown;
            *done += 1;
            if bar.is_none() && *done < steps && began.elapsed() > BAR_AFTER {
                *bar = Some(new_bar(steps));
            }
            if let Some(bar) = bar {
                bar.set_message(format!(
                    "{} {}",
                    result.step.act.word(),
                    result.step.node.directory_name()
                ));
                bar.set_position(*done as u64);
                if *done >= steps {
                    bar.finish_and_clear();
                }
            }
        }))
    }
}

fn new_bar(steps: usize) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}  {eta} left") {
        bar.set_style(style);
    }
    bar
}

/// Tells a failure: one line a fault to people, and an object to programs.
pub fn failure(json: bool, message: &str) -> io::Result<()> {
    for line in message.lines() {
        anstream::eprintln!("wnm: {line}");
    }
    if json {
        let value = json!({ "status": "error", "message": message });
        let mut out = io::stdout().lock();
        writeln!(out, "{value}")?;
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
        "off,wnm={level},wnm_core={level},wnm_setsid={level},wnm_cli={level}"
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
