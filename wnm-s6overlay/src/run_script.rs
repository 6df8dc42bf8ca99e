//! Renders the run script of a node in execline, the script language of s6. No shell reads it. Does no I/O.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use thiserror::Error;

/// Largest script in bytes. wnm passes it as one argument, which the kernel limits to 128 KiB.
const MAX_BYTES: usize = 100_000;

/// How to run a node. All paths are those in its container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunScript {
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub environment: Vec<(OsString, OsString)>,
    pub root_dir: PathBuf,
    /// The file for its standard output and error. Each start truncates it.
    pub output: PathBuf,
}

/// Why a script cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum RenderError {
    #[error("{0:?} is not valid UTF-8")]
    NotUtf8(OsString),
    #[error("{0:?} contains a NUL")]
    Nul(String),
    #[error("arguments and environment are longer than {MAX_BYTES} bytes")]
    TooLong,
}

impl RunScript {
    /// Renders the script. Each command executes the next one: first it switches the account, so that all others
    /// run with its rights, then it sets the working directory, the output and the environment, and runs the program.
    pub fn render(&self) -> Result<String, RenderError> {
        let mut lines = vec![
            "#!/command/execlineb -P".to_owned(),
            "# Written by wnm at every start.".to_owned(),
            "/command/s6-setuidgid ant".to_owned(),
            command(["/command/cd".as_ref(), self.root_dir.as_os_str()])?,
            command([
                "/command/redirfd".as_ref(),
                "-w".as_ref(),
                "1".as_ref(),
                self.output.as_os_str(),
            ])?,
            "/command/fdmove -c 2 1".to_owned(),
            "/command/export HOME /home/ant".to_owned(),
        ];
        for (key, value) in &self.environment {
            lines.push(command([
                "/command/export".as_ref(),
                key.as_os_str(),
                value.as_os_str(),
            ])?);
        }
        let args = self.args.iter().map(OsString::as_os_str);
        lines.push(command([self.program.as_os_str()].into_iter().chain(args))?);
        let script = lines.join("\n") + "\n";
        match script.len() {
            0..=MAX_BYTES => Ok(script),
            _ => Err(RenderError::TooLong),
        }
    }
}

fn command<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> Result<String, RenderError> {
    let words: Result<Vec<String>, RenderError> = words.into_iter().map(quote).collect();
    Ok(words?.join(" "))
}

/// Quotes a word for execlineb. Between quotes, only the quote and the backslash are special.
fn quote(word: &OsStr) -> Result<String, RenderError> {
    let text = word
        .to_str()
        .ok_or_else(|| RenderError::NotUtf8(word.to_owned()))?;
    if text.contains('\0') {
        return Err(RenderError::Nul(text.to_owned()));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Ok(text.to_owned());
    }
    Ok(format!(
        "\"{}\"",
        text.replace('\\', "\\\\").replace('"', "\\\"")
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn script(args: &[&str]) -> RunScript {
        RunScript {
            program: PathBuf::from("/var/antctl/services/antnode0001/antnode"),
            args: args.iter().map(OsString::from).collect(),
            environment: vec![("ANT_PEERS".into(), "a b".into())],
            root_dir: PathBuf::from("/var/antctl/services/antnode0001"),
            output: PathBuf::from("/var/log/antnode/antnode0001/antnode.out"),
        }
    }

    #[test]
    fn node_runs_as_ant() {
        let script = script(&["--port", "55001", "evm-arbitrum-one"]).render();
        insta::assert_snapshot!(script.unwrap());
    }

    #[test]
    fn rejects_nul_and_oversized_scripts() {
        assert!(matches!(
            script(&["a\0b"]).render(),
            Err(RenderError::Nul(_))
        ));
        let long = "x".repeat(MAX_BYTES);
        assert_eq!(script(&[&long]).render(), Err(RenderError::TooLong));
    }

    /// Splits a command into words with the quoting rules of execlineb.
    fn split_words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match (c, quoted) {
                ('"', _) => {
                    quoted = !quoted;
                    word.get_or_insert_default();
                }
                ('\\', true) => word.get_or_insert_default().extend(chars.next()),
                (' ' | '\n', false) => words.extend(word.take()),
                (c, _) => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        words
    }

    proptest! {
        #[test]
        fn every_argument_round_trips(args in prop::collection::vec("[^\0]{0,12}", 0..6)) {
            let borrowed: Vec<&str> = args.iter().map(String::as_str).collect();
            let script = script(&borrowed);
            let text = script.render().unwrap();
            // The last command starts with the program. Its arguments can contain newlines.
            let start = text.find("\n/var/antctl/services/antnode0001/antnode").unwrap();
            let words = split_words(&text[start + 1..]);
            prop_assert_eq!(&words[1..], &args[..]);
        }
    }
}
