//! Renders job files; see launchd.plist(5).

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use plist::{Dictionary, Value};
use thiserror::Error;

use crate::label::Label;

/// A comment in every file wnm writes. wnm never overwrites a file without it.
pub(crate) const MARK: &str = "<!-- Written by wnm, which may write it again. -->";

/// Minimum seconds between two starts of a node that does not stay up: launchd's default, and long
/// enough to free a port.
const THROTTLE_SECONDS: u64 = 10;

/// Seconds a node may take to stop before launchd kills it. Nodes write records as they arrive, so
/// they only ever wait for a busy disk. The default is five seconds.
pub(crate) const EXIT_SECONDS: u64 = 20;

/// Maximum open files of a node. The default is 256. This is the most that macOS grants to any
/// process, whatever the machine's limits are (`OPEN_MAX`).
const OPEN_FILES: u64 = 10_240;

/// Applies only light resource limits. Nodes at background priority answer late, and their peers
/// drop them.
const PROCESS_TYPE: &str = "Standard";

/// The job of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobFile {
    pub label: Label,
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub environment: Vec<(OsString, OsString)>,
    /// The data directory, which is the working directory.
    pub root_dir: PathBuf,
    /// The file for its standard streams.
    pub output: PathBuf,
    /// The account to run as, for a system job.
    pub user: Option<String>,
    /// Whether it runs in the background domain of a user.
    pub background: bool,
}

impl JobFile {
    /// Renders the text of the job file.
    pub fn render(&self) -> Result<String, RenderError> {
        let mut xml = Vec::new();
        Value::Dictionary(self.dictionary()?)
            .to_writer_xml(&mut xml)
            .map_err(|error| RenderError::Plist(error.to_string()))?;
        let text = String::from_utf8(xml).map_err(|error| RenderError::Plist(error.to_string()))?;
        // Quoted text contains no "<", so the first match is the root element.
        Ok(text.replacen("<plist", &format!("{MARK}\n<plist"), 1))
    }

    fn dictionary(&self) -> Result<Dictionary, RenderError> {
        let words = std::iter::once(self.program.as_os_str());
        let words = words.chain(self.args.iter().map(OsString::as_os_str));
        let arguments: Vec<Value> = words.map(string).collect::<Result<_, _>>()?;
        let output = path(&self.output)?;
        let files = || {
            Value::Dictionary(
                [("NumberOfFiles".to_owned(), OPEN_FILES)]
                    .into_iter()
                    .map(entry)
                    .collect(),
            )
        };

        let mut job = Dictionary::new();
        let mut set = |key: &str, value: Value| {
            job.insert(key.to_owned(), value);
        };
        set("Label", self.label.to_string().into());
        path(&self.program)?;
        set("ProgramArguments", Value::Array(arguments));
        set("WorkingDirectory", path(&self.root_dir)?);
        if !self.environment.is_empty() {
            set("EnvironmentVariables", Value::Dictionary(self.variables()?));
        }
        if let Some(user) = &self.user {
            set("UserName", string(user.as_ref())?);
        }
        set("RunAtLoad", true.into());
        set("KeepAlive", true.into());
        set("ThrottleInterval", THROTTLE_SECONDS.into());
        set("ExitTimeOut", EXIT_SECONDS.into());
        set("ProcessType", PROCESS_TYPE.into());
        set("SoftResourceLimits", files());
        set("HardResourceLimits", files());
        set("StandardOutPath", output.clone());
        set("StandardErrorPath", output);
        if self.background {
            set("LimitLoadToSessionType", "Background".into());
        }
        Ok(job)
    }

    fn variables(&self) -> Result<Dictionary, RenderError> {
        let variable = |(key, value): &(OsString, OsString)| {
            let key = text(key)?;
            if key.is_empty() || key.contains('=') {
                return Err(RenderError::Variable(key.to_owned()));
            }
            Ok((key.to_owned(), string(value)?))
        };
        self.environment.iter().map(variable).collect()
    }
}

fn entry((key, value): (String, u64)) -> (String, Value) {
    (key, value.into())
}

/// Renders an absolute path.
fn path(path: &Path) -> Result<Value, RenderError> {
    if !path.is_absolute() {
        return Err(RenderError::Relative(path.to_owned()));
    }
    string(path.as_os_str())
}

fn string(words: &OsStr) -> Result<Value, RenderError> {
    text(words).map(Value::from)
}

/// Checks that a property list can hold this text: UTF-8 without control characters. XML forbids
/// most of them, and parsers change line ends.
fn text(words: &OsStr) -> Result<&str, RenderError> {
    let render_error = || RenderError::Text(words.to_string_lossy().into_owned());
    let text = words.to_str().ok_or_else(render_error)?;
    let is_written = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    if text.chars().all(is_written) {
        Ok(text)
    } else {
        Err(render_error())
    }
}

/// A value that a job file cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum RenderError {
    #[error("'{}' cannot be written to a property list", .0.escape_debug())]
    Text(String),
    #[error("{} is not an absolute path", .0.display())]
    Relative(PathBuf),
    #[error("'{0}' is not a valid variable name")]
    Variable(String),
    #[error("{0}")]
    Plist(String),
}

#[cfg(test)]
mod tests;
