use std::fmt;

use thiserror::Error;

use crate::OptionSpec;
use wnm_core::machine::Source;

/// Longer values are cut in messages: a line of a wrong file is not worth more, and paths are rarely longer.
const SHOWN_VALUE: usize = 160;

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
            option: crate::spelling::spelling(source, spec),
            value: Some(value.to_owned()),
            source: Some(source.clone()),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for Fault {
    /// `/etc/wnm:3: node_cap 'x': …` like a compiler, `NODE_CAP 'x' (environment): …`, `--node-cap 'x': …`. A
    /// value that the problem quotes itself is not said twice.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.source.as_ref();
        if let Some(file @ Source::File { .. }) = place {
            write!(f, "{file}: ")?;
        }
        f.write_str(&shown(&self.option))?;
        let quoted = self
            .value
            .as_deref()
            .map(|value| format!("'{}'", shown(value)));
        if let Some(quoted) = quoted
            && !self.problem.contains(&quoted)
        {
            write!(f, " {quoted}")?;
        }
        if let Some(Source::Environment) = place {
            f.write_str(" (environment)")?;
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
