//! The run script of a node: execline, which s6 comes with and which no shell ever sees. Pure.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use thiserror::Error;

/// Bytes that a script may have: the kernel takes 128 KiB for one argument, and it is passed as one.
const LARGEST: usize = 100_000;

/// What a node is run with, as it is called in its container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunScript {
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub environment: Vec<(OsString, OsString)>,
    pub root_dir: PathBuf,
    /// Where what it prints goes; anew with each start.
    pub output: PathBuf,
}

/// Why a script cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Unwritable {
    #[error("{0:?} is no text, which a run script consists of")]
    NoText(OsString),
    #[error("{0:?} holds a NUL, which no argument can")]
    Nul(String),
    #[error("its arguments and environment are longer than {LARGEST} bytes")]
    TooLong,
}

impl RunScript {
    /// The script. Commands stand in the order in which each becomes the next: first the account, so that all that
    /// follows happens with its rights, then the place, the output, the environment, and the program itself.
    pub fn render(&self) -> Result<String, Unwritable> {
        let mut lines = vec![
            "#!/command/execlineb -P".to_owned(),
            "# Written by wnm at every start.".to_owned(),
            "/command/s6-setuidgid ant".to_owned(),
            line(["/command/cd".as_ref(), self.root_dir.as_os_str()])?,
            line([
                "/command/redirfd".as_ref(),
                "-w".as_ref(),
                "1".as_ref(),
                self.output.as_os_str(),
            ])?,
            "/command/fdmove -c 2 1".to_owned(),
            "/command/export HOME /home/ant".to_owned(),
        ];
        for (key, value) in &self.environment {
            lines.push(line([
                "/command/export".as_ref(),
                key.as_os_str(),
                value.as_os_str(),
            ])?);
        }
        let args = self.args.iter().map(OsString::as_os_str);
        lines.push(line([self.program.as_os_str()].into_iter().chain(args))?);
        let script = lines.join("\n") + "\n";
        match script.len() {
            0..=LARGEST => Ok(script),
            _ => Err(Unwritable::TooLong),
        }
    }
}

fn line<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> Result<String, Unwritable> {
    let words: Result<Vec<String>, Unwritable> = words.into_iter().map(quoted).collect();
    Ok(words?.join(" "))
}

/// A word as execlineb reads it back: between quotes only the quote and the backslash mean anything.
fn quoted(word: &OsStr) -> Result<String, Unwritable> {
    let text = word
        .to_str()
        .ok_or_else(|| Unwritable::NoText(word.to_owned()))?;
    if text.contains('\0') {
        return Err(Unwritable::Nul(text.to_owned()));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
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
    fn a_node_is_run_as_ant_and_nobody_else() {
        let script = script(&["--port", "55001", "evm-arbitrum-one"]).render();
        insta::assert_snapshot!(script.unwrap());
    }

    #[test]
    fn what_no_script_can_hold_is_refused() {
        assert!(matches!(
            script(&["a\0b"]).render(),
            Err(Unwritable::Nul(_))
        ));
        let long = "x".repeat(LARGEST);
        assert_eq!(script(&[&long]).render(), Err(Unwritable::TooLong));
    }

    /// Reads words as execlineb does, as far as quoting goes.
    fn words(line: &str) -> Vec<String> {
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
        fn every_argument_is_read_back_as_it_was(args in prop::collection::vec("[^\0]{0,12}", 0..6)) {
            let borrowed: Vec<&str> = args.iter().map(String::as_str).collect();
            let script = script(&borrowed);
            let text = script.render().unwrap();
            // The last command begins at the program; an argument can hold anything, line ends too.
            let begin = text.find("\n/var/antctl/services/antnode0001/antnode").unwrap();
            let read = words(&text[begin + 1..]);
            prop_assert_eq!(&read[1..], &args[..]);
        }
    }
}
