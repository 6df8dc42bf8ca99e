use std::fmt;

use thiserror::Error;

use super::{OptionSpec, Source};

/// Longer values are cut in messages: a line of a wrong file is not worth more.
const SHOWN_VALUE: usize = 80;

/// One thing that is wrong with what was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The option as it is spelled where it came from, or what else was there in its place.
    pub option: String,
    /// What was given, if anything.
    pub value: Option<String>,
    /// Where, if anywhere.
    pub source: Option<Source>,
    /// What is right instead.
    pub problem: String,
}

impl Fault {
    /// A fault of a value that was given.
    pub(super) fn given(
        spec: &OptionSpec,
        value: &str,
        source: &Source,
        problem: impl Into<String>,
    ) -> Self {
        Self {
            option: source.spelling(spec),
            value: Some(value.to_owned()),
            source: Some(source.clone()),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.option))?;
        if let Some(value) = &self.value {
            write!(f, " '{}'", shown(value))?;
        }
        if let Some(source) = &self.source {
            write!(f, " ({source})")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// One line, whatever is in it.
pub(super) fn shown(text: &str) -> String {
    let mut line: String = text
        .chars()
        .take(SHOWN_VALUE)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(SHOWN_VALUE).is_some() {
        line.push('…');
    }
    line
}

/// Everything that is wrong with what was given, never empty. Prints a line per fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", .0.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n"))]
pub struct SettingsError(pub Vec<Fault>);

impl SettingsError {
    /// `value` unless there are faults.
    pub(super) fn unless<T>(faults: Vec<Fault>, value: T) -> Result<T, SettingsError> {
        if faults.is_empty() {
            Ok(value)
        } else {
            Err(SettingsError(faults))
        }
    }
}
