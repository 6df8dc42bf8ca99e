//! Words written so that systemd reads back exactly what was meant.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::Path;

use thiserror::Error;

/// What cannot stand in a unit, whatever the quoting.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{word}' {reason}")]
pub(crate) struct Unwritable {
    /// The word, as far as it can be shown.
    pub word: String,
    /// Why not.
    pub reason: &'static str,
}

fn unwritable(word: &OsStr, reason: &'static str) -> Unwritable {
    Unwritable {
        word: word.to_string_lossy().into_owned(),
        reason,
    }
}

/// A word of a command line or of `Environment=`: quoted where need be, `%` doubled. `$` stays as it is, see
/// [`command`].
pub(crate) fn word(word: &OsStr) -> Result<String, Unwritable> {
    let text = word
        .to_str()
        .ok_or_else(|| unwritable(word, "is not UTF-8, which systemd drops"))?;
    if text.contains('\0') {
        return Err(unwritable(word, "holds a zero byte"));
    }
    // A lone ";" would begin a second command.
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
            // Only ASCII has control characters that end a line or a file early.
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

/// A directory or a program. systemd takes no program with quotes or backslashes in its path, and reads paths
/// in its other settings without undoing escapes, so that they can have neither.
pub(crate) fn path(path: &Path) -> Result<&str, Unwritable> {
    let refused = |reason| unwritable(path.as_os_str(), reason);
    let text = path
        .to_str()
        .ok_or_else(|| refused("is not UTF-8, which systemd drops"))?;
    if !path.is_absolute() {
        return Err(refused("is not a full path"));
    }
    if text.contains(['"', '\'', '\\']) || text.chars().any(char::is_control) {
        return Err(refused(
            "has a quote, backslash or control character, which systemd refuses",
        ));
    }
    if text.ends_with(char::is_whitespace) {
        return Err(refused("ends with a blank, which systemd drops"));
    }
    Ok(text)
}

/// One variable for `Environment=`.
pub(crate) fn assignment(key: &OsStr, value: &OsStr) -> Result<String, Unwritable> {
    let name = key.to_str().unwrap_or_default();
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    let valid = name.starts_with(starts) && name.chars().all(|c| starts(c) || c.is_ascii_digit());
    if !valid {
        return Err(unwritable(key, "is no name of a variable"));
    }
    let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n');
    if value.to_str().is_some_and(|value| value.contains(control)) {
        return Err(unwritable(
            value,
            "has control characters, which systemd drops",
        ));
    }
    let mut both = key.to_owned();
    both.push("=");
    both.push(value);
    word(&both)
}

/// A whole command line. Where a `$` occurs the line begins with `:`, which turns variables off: doubling it
/// would be undone in arguments and not in the path of the program.
pub(crate) fn command(program: &Path, args: &[impl AsRef<OsStr>]) -> Result<String, Unwritable> {
    let mut words = vec![word(path(program)?.as_ref())?];
    for arg in args {
        words.push(word(arg.as_ref())?);
    }
    let line = words.join(" ");
    Ok(if line.contains('$') {
        format!(":{line}")
    } else {
        line
    })
}
