//! Config files: which there are, and what their lines say.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::fault::{Fault, SettingsError, shown};

/// All options with a page of comments each stay well below this; what is larger is another file.
const MAX_BYTES: u64 = 256 * 1024;

/// Faults told of one file: with more, it is another file.
const MAX_FAULTS: usize = 20;

/// Neither the owner nor the group, but anyone.
const WRITABLE_BY_OTHERS: u32 = 0o002;

/// Where a config file is looked for, below the home directory. The later one wins.
const DEFAULT_FILES: [&str; 2] = [".local/share/wnm/config", "wnm/config"];

/// A config file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub content: Vec<u8>,
}

/// A line of a config file that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which line, from 1.
    pub line: usize,
    /// What is before the separator, as it is spelled there.
    pub key: String,
    /// What is behind it, without quotes and comment. `None` for a key that stands alone.
    pub value: Option<String>,
}

/// Reads the default files, then the one that was asked for, in the order in which they override each other.
///
/// A default file may be missing; the one that was asked for may not.
pub fn read_config_files(
    asked_for: Option<&Path>,
    home: Option<&Path>,
) -> Result<Vec<ConfigFile>, SettingsError> {
    let defaults = DEFAULT_FILES
        .iter()
        .filter_map(|tail| home.map(|home| (home.join(tail), false)));
    let asked_for = asked_for.map(|path| (path.to_owned(), true));
    let mut files = Vec::new();
    let mut faults = Vec::new();
    for (path, needed) in defaults.chain(asked_for) {
        match read_one(&path) {
            Ok(content) => files.push(ConfigFile { path, content }),
            Err(ReadFailure::Missing) if !needed => {}
            Err(failure) => faults.push(Fault {
                option: format!("config file {}", path.display()),
                value: None,
                source: None,
                problem: failure.to_string(),
            }),
        }
    }
    SettingsError::unless(faults, files)
}

#[derive(Debug, thiserror::Error)]
enum ReadFailure {
    #[error("there is no such file")]
    Missing,
    #[error("is not a regular file")]
    NotAFile,
    #[error(
        "can be written by everyone on this machine, who could have the rewards paid to them; chmod o-w it"
    )]
    WritableByAll,
    #[error("is larger than {} KiB, so it is no config file", MAX_BYTES / 1024)]
    TooLarge,
    #[error("cannot be read: {0}")]
    Io(std::io::Error),
}

impl From<std::io::Error> for ReadFailure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => ReadFailure::Missing,
            _ => ReadFailure::Io(error),
        }
    }
}

fn read_one(path: &Path) -> Result<Vec<u8>, ReadFailure> {
    // Asked before opening: opening a pipe would wait for its other end.
    let entry = std::fs::metadata(path)?;
    if !entry.is_file() {
        return Err(ReadFailure::NotAFile);
    }
    if entry.permissions().mode() & WRITABLE_BY_OTHERS != 0 {
        return Err(ReadFailure::WritableByAll);
    }
    let mut content = Vec::new();
    let read = File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut content)?;
    if read as u64 > MAX_BYTES {
        return Err(ReadFailure::TooLarge);
    }
    Ok(content)
}

/// The entries of a config file and what is wrong with its other lines, as line and sentence.
pub(crate) fn parse(content: &[u8]) -> (Vec<Entry>, Vec<(usize, String, String)>) {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut entries = Vec::new();
    let mut faults = Vec::new();
    for (index, bytes) in content.split(|&byte| byte == b'\n').enumerate() {
        let line = index + 1;
        let fault = match std::str::from_utf8(bytes) {
            Err(_) => (String::from_utf8_lossy(bytes).into_owned(), "is not UTF-8"),
            Ok(text) => match parse_line(text.trim()) {
                Ok(Some((key, value))) => {
                    entries.push(Entry {
                        line,
                        key: key.to_owned(),
                        value,
                    });
                    continue;
                }
                Ok(None) => continue,
                Err(problem) => (text.trim().to_owned(), problem),
            },
        };
        faults.push((line, shown(&fault.0), fault.1.to_owned()));
        if faults.len() == MAX_FAULTS {
            break;
        }
    }
    (entries, faults)
}

type Line<'a> = (&'a str, Option<String>);

/// Reads `key = value`, `key: value`, `key value`, `--key value` or a bare key.
fn parse_line(line: &str) -> Result<Option<Line<'_>>, &'static str> {
    if line.is_empty() || line.starts_with(['#', ';', '[']) || line.starts_with("---") {
        return Ok(None);
    }
    let end = line
        .find(|c: char| c.is_whitespace() || "=:;#".contains(c))
        .unwrap_or(line.len());
    let (key, rest) = line.split_at(end);
    if key.trim_start_matches('-').is_empty() || rest.starts_with(['#', ';']) {
        return Err("is no 'key = value'");
    }
    let spaced = rest.trim_start();
    let (text, separated) = match spaced.strip_prefix(['=', ':']) {
        Some(text) => (text, true),
        None => (rest, false),
    };
    let value = value_of(text)?;
    if value.is_empty() && !separated {
        return Ok(Some((key, None)));
    }
    Ok(Some((key, Some(value))))
}

/// What a value is without its quotes and the comment behind it.
///
/// A quoted value is read as a shell reads it. Where that is no single word, the outermost quotes are taken
/// away and nothing else, since the Python wnm writes values with quotes inside them that way.
fn value_of(text: &str) -> Result<String, &'static str> {
    let value = text.trim();
    let Some(quote) = value.chars().next().filter(|&c| c == '"' || c == '\'') else {
        return Ok(without_comment(text).trim().to_owned());
    };
    let inner = &value[1..];
    if let Some((word, rest)) = shell_word(inner, quote)
        && is_end(rest)
    {
        return Ok(word);
    }
    let mut closings = inner.match_indices(quote);
    match closings.clone().next() {
        None => Err("has a quote that is not closed"),
        Some(_) => Ok(closings
            .find(|(at, _)| is_end(&inner[at + 1..]))
            .map_or_else(
                || without_comment(text).trim().to_owned(),
                |(at, _)| inner[..at].to_owned(),
            )),
    }
}

/// The word up to the closing quote, and what is behind that.
fn shell_word(inner: &str, quote: char) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Some((word, &inner[at + 1..]));
        }
        if c == '\\' && quote == '"' {
            match chars.next() {
                Some((_, escaped @ ('"' | '\\' | '$' | '`'))) => word.push(escaped),
                Some((_, other)) => word.extend(['\\', other]),
                None => return None,
            }
            continue;
        }
        word.push(c);
    }
    None
}

/// Whether nothing but space and a comment is left.
fn is_end(rest: &str) -> bool {
    without_comment(rest).trim().is_empty()
}

/// A comment begins with `#` or `;` behind a space, so that `a#b` is a value.
fn without_comment(text: &str) -> &str {
    let mut before = ' ';
    // What follows the key directly is no space: `key=#x` has the value `#x`.
    let mut first = true;
    for (at, c) in text.char_indices() {
        if (c == '#' || c == ';') && before.is_whitespace() && !first {
            return &text[..at];
        }
        before = c;
        first = false;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> String {
        match parse_line(line.trim()) {
            Ok(None) => "nothing".to_owned(),
            Ok(Some((key, None))) => format!("{key} alone"),
            Ok(Some((key, Some(value)))) => format!("{key} <{value}>"),
            Err(problem) => problem.to_owned(),
        }
    }

    /// The expected readings are those of ConfigArgParse 1.9, but for the last group.
    #[test]
    fn lines_are_read_as_the_python_reads_them() {
        for (line, expected) in [
            ("a=v", "a <v>"),
            (" a = v ", "a <v>"),
            ("a: v", "a <v>"),
            ("a v w", "a <v w>"),
            ("a\tv", "a <v>"),
            ("--a v", "--a <v>"),
            ("a", "a alone"),
            ("a # why", "a alone"),
            ("a =", "a <>"),
            ("a = # why", "a <>"),
            ("a==b", "a <=b>"),
            ("a:b=c", "a <b=c>"),
            ("a : b", "a <b>"),
            ("[x]", "nothing"),
            ("--- x", "nothing"),
            ("; x", "nothing"),
            ("# x", "nothing"),
            ("a=x # c", "a <x>"),
            ("a=x#c", "a <x#c>"),
            ("a=#c", "a <#c>"),
            ("a= 'x' ;z", "a <x>"),
            ("a \"q\"", "a <q>"),
            ("a = \"x # y\" # z", "a <x # y>"),
            ("a=\"\"", "a <>"),
            ("a='it's'", "a <it's>"),
            ("a=\"x \"b\" c\"", "a <x \"b\" c>"),
            ("a=\"x\" y", "a <\"x\" y>"),
            ("=v", "is no 'key = value'"),
            (":", "is no 'key = value'"),
            // Ours: a forgotten quote is told, and what a shell escapes is what it was.
            ("a=\"open", "has a quote that is not closed"),
            (r#"a="it's \"x\" \$y \\""#, r#"a <it's "x" $y \>"#),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn marks_and_line_ends_of_other_systems_are_no_fault() {
        let (entries, faults) = parse(b"\xef\xbb\xbfa = 1\r\n\r\nb\r\n");
        assert!(faults.is_empty());
        let read: Vec<_> = entries.iter().map(|e| (e.line, e.key.as_str())).collect();
        assert_eq!(read, [(1, "a"), (3, "b")]);
        assert_eq!(entries[0].value.as_deref(), Some("1"));
    }

    #[test]
    fn a_wrong_file_is_not_told_line_by_line() {
        let (entries, faults) = parse(&b"= \xff\n".repeat(1000));
        assert!(entries.is_empty());
        assert_eq!(faults.len(), MAX_FAULTS);
    }

    #[test]
    fn default_files_may_be_missing_and_others_may_not() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(read_config_files(None, Some(home.path())), Ok(vec![]));
        let missing = home.path().join("nothing");
        assert!(read_config_files(Some(&missing), None).is_err());
        for tail in DEFAULT_FILES {
            let path = home.path().join(tail);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, tail).unwrap();
        }
        let files = read_config_files(None, Some(home.path())).unwrap();
        let read: Vec<_> = files.iter().map(|f| f.content.as_slice()).collect();
        assert_eq!(read, DEFAULT_FILES.map(str::as_bytes));
        assert!(read_config_files(Some(home.path()), None).is_err());
    }

    #[test]
    fn a_large_file_is_not_read() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("large");
        std::fs::write(&path, vec![b'#'; MAX_BYTES as usize]).unwrap();
        assert!(read_config_files(Some(&path), None).is_ok());
        std::fs::write(&path, vec![b'#'; MAX_BYTES as usize + 1]).unwrap();
        let error = read_config_files(Some(&path), None).unwrap_err();
        assert!(error.0[0].problem.contains("256 KiB"));
    }
}
