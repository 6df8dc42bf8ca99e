use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

/// What SQLAlchemy wants in front of a file; a fourth slash makes the path absolute.
const SQLITE_URL: &str = "sqlite:///";

/// What paths are expanded with: the home directory and the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expansion {
    /// What `~` stands for.
    pub home: Option<PathBuf>,
    /// What `$NAME` stands for.
    pub variables: BTreeMap<String, String>,
}

/// Why a path was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExpansionError {
    /// `~` without a home directory.
    #[error("HOME is not set, so ~ stands for nothing; give the path in full")]
    NoHome,
    /// `~name`.
    #[error("only ~ itself expands, not the home of another user; give the path in full")]
    OtherHome,
    /// `$NAME` that is not set.
    #[error("the environment variable {0} is not set")]
    NoVariable(String),
    /// `${` without its end.
    #[error("${{ has no closing brace")]
    OpenBrace,
    /// Neither from `/` nor from `~`.
    #[error("takes an absolute path, from / or ~")]
    Relative,
    /// `..` within.
    #[error("takes a path without '..'")]
    Upwards,
    /// Not a file of SQLite.
    #[error("takes a path or sqlite:///path (four slashes for an absolute one)")]
    NoFile,
}

impl Expansion {
    /// Puts the home directory in the place of a leading `~`.
    pub fn tilde(&self, text: &str) -> Result<PathBuf, ExpansionError> {
        let Some(rest) = text.strip_prefix('~') else {
            return Ok(PathBuf::from(text));
        };
        let below = match rest.strip_prefix('/') {
            Some(below) => below.trim_start_matches('/'),
            None if rest.is_empty() => "",
            None => return Err(ExpansionError::OtherHome),
        };
        let home = self.home.as_ref().ok_or(ExpansionError::NoHome)?;
        Ok(if below.is_empty() {
            home.clone()
        } else {
            home.join(below)
        })
    }

    /// An absolute path without `..`, so that what is below it can be told from what is not.
    pub fn absolute(&self, text: &str) -> Result<PathBuf, ExpansionError> {
        let path = self.tilde(text)?;
        if !path.is_absolute() {
            return Err(ExpansionError::Relative);
        }
        if path.components().any(|part| part == Component::ParentDir) {
            return Err(ExpansionError::Upwards);
        }
        Ok(path)
    }

    /// The file that a database path or `sqlite:///…` means. What is relative stays so.
    pub fn database(&self, text: &str) -> Result<PathBuf, ExpansionError> {
        let path = match text.strip_prefix(SQLITE_URL) {
            Some(path) => path,
            None if text.contains("://") => return Err(ExpansionError::NoFile),
            None => text,
        };
        if matches!(path, "" | ":memory:") {
            return Err(ExpansionError::NoFile);
        }
        self.tilde(&self.variables(path)?)
    }

    /// Puts values in the place of `$NAME` and `${NAME}`. A `$` before anything else is itself.
    fn variables(&self, text: &str) -> Result<String, ExpansionError> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let (name, next) = match after.strip_prefix('{') {
                Some(braced) => braced.split_once('}').ok_or(ExpansionError::OpenBrace)?,
                None => {
                    let end = after
                        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                        .unwrap_or(after.len());
                    after.split_at(end)
                }
            };
            if name.is_empty() {
                out.push('$');
            } else {
                let value = self
                    .variables
                    .get(name)
                    .ok_or_else(|| ExpansionError::NoVariable(name.to_owned()))?;
                out.push_str(value);
            }
            rest = next;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// The same path, expanded where that is possible. For what the Python wnm stored with its `~`.
    pub fn stored(&self, path: &Path) -> PathBuf {
        path.to_str()
            .and_then(|text| self.tilde(text).ok())
            .unwrap_or_else(|| path.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> Expansion {
        Expansion {
            home: Some("/home/ann".into()),
            variables: [("HOME", "/home/ann"), ("DISK", "big")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into(),
        }
    }

    #[test]
    fn a_database_is_a_path_or_a_url() {
        for (given, file) in [
            ("/srv/colony.db", "/srv/colony.db"),
            ("colony.db", "colony.db"),
            ("~/colony.db", "/home/ann/colony.db"),
            ("sqlite:////srv/colony.db", "/srv/colony.db"),
            ("sqlite:///colony.db", "colony.db"),
            ("sqlite:///~/colony.db", "/home/ann/colony.db"),
            ("sqlite:///$HOME/c.db", "/home/ann/c.db"),
            ("/mnt/${DISK}1/c.db", "/mnt/big1/c.db"),
            ("/mnt/$/c$-.db", "/mnt/$/c$-.db"),
        ] {
            assert_eq!(ann().database(given).unwrap(), Path::new(file), "{given}");
        }
    }

    #[test]
    fn what_names_no_file_is_refused() {
        for (given, error) in [
            ("sqlite://", ExpansionError::NoFile),
            ("sqlite:///:memory:", ExpansionError::NoFile),
            ("postgres://a/b", ExpansionError::NoFile),
            ("~bob/c.db", ExpansionError::OtherHome),
            ("$NONE/c.db", ExpansionError::NoVariable("NONE".into())),
            ("${HOME/c.db", ExpansionError::OpenBrace),
        ] {
            assert_eq!(ann().database(given), Err(error), "{given}");
        }
        assert_eq!(
            Expansion::default().tilde("~/x"),
            Err(ExpansionError::NoHome)
        );
    }

    #[test]
    fn an_absolute_path_stays_below_where_it_says() {
        assert_eq!(ann().absolute("~").unwrap(), Path::new("/home/ann"));
        assert_eq!(ann().absolute("~//x").unwrap(), Path::new("/home/ann/x"));
        assert_eq!(ann().absolute("srv"), Err(ExpansionError::Relative));
        assert_eq!(ann().absolute("/srv/../etc"), Err(ExpansionError::Upwards));
    }
}
