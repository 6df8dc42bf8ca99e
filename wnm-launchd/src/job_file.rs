//! The file that describes a job, as launchd.plist(5) has it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use plist::{Dictionary, Value};
use thiserror::Error;

use crate::label::Label;

/// A comment in the files that wnm writes: one without it is a person's or another program's and is not written
/// over.
pub(crate) const MARK: &str = "<!-- Written by wnm, which may write it again. -->";

/// Seconds between two starts of a node that does not stay up: launchd's own default, and long enough for a port
/// to be let go.
const THROTTLE_SECONDS: u64 = 10;

/// Seconds a node may take to end before it is killed: it writes its records as they come, so a loaded disk is
/// all it waits for. Without it launchd waits for five.
pub(crate) const EXIT_SECONDS: u64 = 20;

/// Open files a node may have. Without it they are 256. It is the most that macOS grants to anyone who asks,
/// whatever the machine's own limits are set to (`OPEN_MAX`).
const OPEN_FILES: u64 = 10_240;

/// Light limits only: a node on background terms is late with its answers and shunned by its peers.
const PROCESS_TYPE: &str = "Standard";

/// What a node's job is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobFile {
    pub label: Label,
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub environment: Vec<(OsString, OsString)>,
    /// Its data, which it starts in.
    pub root_dir: PathBuf,
    /// The file that gets what it says on its standard streams.
    pub output: PathBuf,
    /// The account it runs as, for a job of the machine.
    pub user: Option<String>,
    /// Whether it is for a user who is not logged in at the screen.
    pub background: bool,
}

impl JobFile {
    /// The text of the file.
    pub fn render(&self) -> Result<String, Unwritable> {
        let mut xml = Vec::new();
        Value::Dictionary(self.dictionary()?)
            .to_writer_xml(&mut xml)
            .map_err(|error| Unwritable::Plist(error.to_string()))?;
        let text = String::from_utf8(xml).map_err(|error| Unwritable::Plist(error.to_string()))?;
        // What is quoted in there has no "<", so the first is the root's.
        Ok(text.replacen("<plist", &format!("{MARK}\n<plist"), 1))
    }

    fn dictionary(&self) -> Result<Dictionary, Unwritable> {
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

    fn variables(&self) -> Result<Dictionary, Unwritable> {
        let variable = |(key, value): &(OsString, OsString)| {
            let key = text(key)?;
            if key.is_empty() || key.contains('=') {
                return Err(Unwritable::Variable(key.to_owned()));
            }
            Ok((key.to_owned(), string(value)?))
        };
        self.environment.iter().map(variable).collect()
    }
}

fn entry((key, value): (String, u64)) -> (String, Value) {
    (key, value.into())
}

/// A path that means the same wherever it is read.
fn path(path: &Path) -> Result<Value, Unwritable> {
    if !path.is_absolute() {
        return Err(Unwritable::Relative(path.to_owned()));
    }
    string(path.as_os_str())
}

fn string(words: &OsStr) -> Result<Value, Unwritable> {
    text(words).map(Value::from)
}

/// A property list holds text, and XML no control characters; readers change line ends.
fn text(words: &OsStr) -> Result<&str, Unwritable> {
    let unwritable = || Unwritable::Words(words.to_string_lossy().into_owned());
    let text = words.to_str().ok_or_else(unwritable)?;
    let is_written = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    if text.chars().all(is_written) {
        Ok(text)
    } else {
        Err(unwritable())
    }
}

/// What cannot stand in a file of launchd.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Unwritable {
    #[error("'{}' is no text that a property list can hold", .0.escape_debug())]
    Words(String),
    #[error("{} is not a full path", .0.display())]
    Relative(PathBuf),
    #[error("'{0}' is no name of a variable")]
    Variable(String),
    #[error("{0}")]
    Plist(String),
}

#[cfg(test)]
mod tests;
