//! Escapes values so that systemd reads back exactly what was meant.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::Path;

use thiserror::Error;

/// A value that no quoting can express in a unit file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{word}' {reason}")]
pub(crate) struct EscapeError {
    /// The value, lossily converted for display.
    pub word: String,
    /// Why it cannot be expressed.
    pub reason: &'static str,
}

fn escape_error(word: &OsStr, reason: &'static str) -> EscapeError {
    EscapeError {
        word: word.to_string_lossy().into_owned(),
        reason,
    }
}

/// Quotes a word for a command line or `Environment=` if needed, and doubles `%`. Leaves `$` alone;
/// see [`command_line`].
pub(crate) fn quote(word: &OsStr) -> Result<String, EscapeError> {
    let text = word
        .to_str()
        .ok_or_else(|| escape_error(word, "is not UTF-8, which systemd drops"))?;
    if text.contains('\0') {
        return Err(escape_error(word, "contains a NUL byte"));
    }
    // A lone ";" would start a second command, so it is not in this set.
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@+,~%$".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return Ok(text.replace('%', "%%"));
    }
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            '%' => quoted.push_str("%%"),
            // Only ASCII control characters can end a line or the file early.
            c if c.is_ascii_control() => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\x{:02x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

/// Checks the path of a directory or program. systemd rejects quotes and backslashes in program
/// paths and does not unescape its path settings, so neither may occur.
pub(crate) fn checked_path(path: &Path) -> Result<&str, EscapeError> {
    let refused = |reason| escape_error(path.as_os_str(), reason);
    let text = path
        .to_str()
        .ok_or_else(|| refused("is not UTF-8, which systemd drops"))?;
    if !path.is_absolute() {
        return Err(refused("is not an absolute path"));
    }
    if text.contains(['"', '\'', '\\']) || text.chars().any(char::is_control) {
        return Err(refused(
            "has a quote, backslash or control character, which systemd refuses",
        ));
    }
    if text.ends_with(char::is_whitespace) {
        return Err(refused("ends with whitespace, which systemd drops"));
    }
    Ok(text)
}

/// Renders one variable for `Environment=`.
pub(crate) fn assignment(key: &OsStr, value: &OsStr) -> Result<String, EscapeError> {
    let name = key.to_str().unwrap_or_default();
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    let valid = name.starts_with(starts) && name.chars().all(|c| starts(c) || c.is_ascii_digit());
    if !valid {
        return Err(escape_error(key, "is not a valid variable name"));
    }
    let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n');
    if value.to_str().is_some_and(|value| value.contains(control)) {
        return Err(escape_error(
            value,
            "has control characters, which systemd drops",
        ));
    }
    let mut both = key.to_owned();
    both.push("=");
    both.push(value);
    quote(&both)
}

/// Renders a command line. If it contains `$`, it starts with `:`, which turns off variable
/// expansion. Doubling `$` would not work: systemd undoes that in arguments but not in the program
/// path.
pub(crate) fn command_line(
    program: &Path,
    args: &[impl AsRef<OsStr>],
) -> Result<String, EscapeError> {
    let mut words = vec![quote(checked_path(program)?.as_ref())?];
    for arg in args {
        words.push(quote(arg.as_ref())?);
    }
    let line = words.join(" ");
    Ok(if line.contains('$') {
        format!(":{line}")
    } else {
        line
    })
}
