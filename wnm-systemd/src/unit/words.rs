//! Values taken apart into words: quotes, escapes, specifiers and variables.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::specifiers::Specifiers;

/// Reads the value of `ExecStart=`: the program and its arguments, as systemd would run it. `None` for one that systemd would not run either, or that holds a specifier
/// unknown here. Of several commands in a row the first counts.
pub(crate) fn command(
    value: &str,
    specifiers: &Specifiers,
    environment: &[(OsString, OsString)],
) -> Option<Vec<OsString>> {
    let line = value.trim_start_matches(['@', '-', ':', '+', '!', '|']);
    let prefixes = &value[..value.len() - line.len()];
    let mut words = split(line)?;
    if let Some(end) = words
        .iter()
        .position(|word| word.bare && word.bytes == b";")
    {
        words.truncate(end);
    }
    if prefixes.contains('@') && words.len() > 1 {
        // The second word is only the name that the program is shown under.
        words.remove(1);
    }
    let mut argv: Vec<OsString> = Vec::with_capacity(words.len());
    for word in words {
        let word = if word.bare && word.bytes == b"\\;" {
            b";".to_vec()
        } else {
            word.bytes
        };
        let word = expanded(word, specifiers)?;
        let is_program = argv.is_empty();
        if is_program || prefixes.contains(':') {
            argv.push(word);
        } else {
            push_with_variables(&mut argv, &word, environment);
        }
    }
    (!argv.is_empty()).then_some(argv)
}

/// Reads the values of `Environment=`; the last of each name counts. Words that are no assignment are ignored,
/// as systemd does.
pub(crate) fn assignments(values: &[&str], specifiers: &Specifiers) -> Vec<(OsString, OsString)> {
    let mut variables: Vec<(OsString, OsString)> = Vec::new();
    let words = values.iter().filter_map(|value| split(value)).flatten();
    for word in words.filter_map(|word| expanded(word.bytes, specifiers)) {
        let bytes = word.as_bytes();
        let Some(at) = bytes
            .iter()
            .position(|&byte| byte == b'=')
            .filter(|&at| at > 0)
        else {
            continue;
        };
        let (key, value) = (
            OsStr::from_bytes(&bytes[..at]),
            OsStr::from_bytes(&bytes[at + 1..]),
        );
        variables.retain(|(known, _)| known != key);
        variables.push((key.to_owned(), value.to_owned()));
    }
    variables
}

fn expanded(word: Vec<u8>, specifiers: &Specifiers) -> Option<OsString> {
    let text = String::from_utf8(word).ok()?;
    specifiers.expand(&text).map(OsString::from)
}

/// A word, and whether it stood without quotes.
struct Word {
    bytes: Vec<u8>,
    bare: bool,
}

/// Splits at blanks, undoing quotes and C escapes. `None` for an open quote or an escape that is none.
fn split(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut current: Option<Word> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, None) if c.is_ascii_whitespace() => words.extend(current.take()),
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                current
                    .get_or_insert(Word {
                        bytes: Vec::new(),
                        bare: false,
                    })
                    .bare = false;
            }
            ('\\', _) => {
                let word = current.get_or_insert(Word {
                    bytes: Vec::new(),
                    bare: true,
                });
                if chars.as_str().starts_with(';') {
                    // Kept for the reader of commands, to whom it is not a separator.
                    word.bytes.push(b'\\');
                } else {
                    unescape(&mut chars, &mut word.bytes)?;
                }
            }
            (c, _) => {
                let word = current.get_or_insert(Word {
                    bytes: Vec::new(),
                    bare: true,
                });
                word.bytes
                    .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    words.extend(current);
    quote.is_none().then_some(words)
}

/// What follows a backslash, by the table in systemd.service(5).
fn unescape(chars: &mut std::str::Chars<'_>, into: &mut Vec<u8>) -> Option<()> {
    let byte = match chars.next()? {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        's' => b' ',
        '\\' => b'\\',
        '"' => b'"',
        '\'' => b'\'',
        'x' => u8::try_from(number(chars, 2, 16, None)?).ok()?,
        octal @ '0'..='7' => u8::try_from(number(chars, 2, 8, Some(octal))?).ok()?,
        'u' => return push_char(number(chars, 4, 16, None)?, into),
        'U' => return push_char(number(chars, 8, 16, None)?, into),
        _ => return None,
    };
    // A zero byte would end the word where it is used.
    (byte != 0).then(|| into.push(byte))
}

fn number(
    chars: &mut std::str::Chars<'_>,
    digits: usize,
    radix: u32,
    first: Option<char>,
) -> Option<u32> {
    let mut value = first.map_or(Some(0), |c| c.to_digit(radix))?;
    for _ in 0..digits {
        value = value
            .checked_mul(radix)?
            .checked_add(chars.next()?.to_digit(radix)?)?;
    }
    Some(value)
}

fn push_char(value: u32, into: &mut Vec<u8>) -> Option<()> {
    let c = char::from_u32(value).filter(|&c| c != '\0')?;
    into.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Some(())
}

/// Puts variables in: `$NAME` as a word of its own becomes as many words as its value has, `${NAME}` anywhere
/// becomes its value, `$$` a dollar. An unknown name becomes nothing.
fn push_with_variables(
    argv: &mut Vec<OsString>,
    word: &OsStr,
    environment: &[(OsString, OsString)],
) {
    let value_of = |name: &str| {
        let found = environment.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.to_string_lossy().into_owned())
    };
    let text = word.to_string_lossy();
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if let Some(name) = text.strip_prefix('$').filter(|name| is_name(name)) {
        let value = value_of(name).unwrap_or_default();
        argv.extend(value.split_whitespace().map(OsString::from));
        return;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('$') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix('$') {
            bytes.push(b'$');
            rest = tail;
        } else if let Some((name, tail)) = after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
            && is_name(name)
        {
            bytes.extend_from_slice(value_of(name).unwrap_or_default().as_bytes());
            rest = tail;
        } else {
            bytes.push(b'$');
            rest = after;
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    argv.push(OsString::from_vec(bytes));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Reach, ServiceUnit, UnitFile, escape};
    use proptest::prelude::*;

    fn specifiers() -> Specifiers {
        Specifiers {
            unit: "antnode7.service".into(),
            user: "u".into(),
            home: Some("/h".into()),
        }
    }

    fn argv(value: &str) -> Option<Vec<String>> {
        let environment = [("TWO".into(), "a b".into())];
        let argv = command(value, &specifiers(), &environment)?;
        Some(
            argv.iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
        )
    }

    #[test]
    fn quotes_escapes_and_variables_are_undone() {
        let cases: [(&str, &[&str]); 9] = [
            ("/a b  c", &["/a", "b", "c"]),
            (
                r#""/a b/antnode" '--x=y z' "" "\"q\" \\ \x41\101\u00e9\s""#,
                &["/a b/antnode", "--x=y z", "", "\"q\" \\ AA\u{e9} "],
            ),
            ("-@/a shown b", &["/a", "b"]),
            (
                "/a $TWO ${TWO} x${TWO}y $$1 $NONE",
                &["/a", "a", "b", "a b", "xa by", "$1"],
            ),
            (":/a$b $TWO", &["/a$b", "$TWO"]),
            (
                "/a %n 100%% %h/x-y.z",
                &["/a", "antnode7.service", "100%", "/h/x-y.z"],
            ),
            ("/a b ; /c", &["/a", "b"]),
            ("/a \\; ';'", &["/a", ";", ";"]),
            ("/a pre\"mid dle\"post", &["/a", "premid dlepost"]),
        ];
        for (value, expected) in cases {
            assert_eq!(argv(value).as_deref().unwrap(), expected, "{value}");
        }
        for broken in [
            "",
            "-",
            "/a \"open",
            "/a \\q",
            "/a \\x4",
            "/a \\",
            "/a %Z",
            "/a \\x00",
        ] {
            assert_eq!(argv(broken), None, "{broken}");
        }
    }

    #[test]
    fn the_last_assignment_of_a_name_counts() {
        let values = ["A=1 \"B=x y\" junk =no", "'A=2' C="];
        let read = assignments(&values, &specifiers());
        let pairs: Vec<_> = read
            .iter()
            .map(|(k, v)| (k.to_str().unwrap(), v.to_str().unwrap()))
            .collect();
        assert_eq!(pairs, [("B", "x y"), ("A", "2"), ("C", "")]);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            args in prop::collection::vec("[^\\x00]{0,12}", 0..6),
            name in "[^\\x00-\\x1f\\x7f-\\x9f\"'\\\\]{0,12}",
            value in "[^\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]{0,12}",
        ) {
            let program = std::path::PathBuf::from(format!("/n/{name}/antnode"));
            let unit = ServiceUnit {
                description: "d".into(),
                reach: Reach::System { user: "ant".into() },
                program: program.clone(),
                args: args.iter().map(OsString::from).collect(),
                environment: vec![("KEY".into(), value.clone().into())],
                root_dir: "/n/x".into(),
                writes: vec![program.clone()],
            };
            let text = unit.render().unwrap();
            let mut file = UnitFile::default();
            file.read(text.as_bytes());
            let read = command(file.value("Service", "ExecStart").unwrap(), &specifiers(), &[]);
            let mut expected = vec![program.into_os_string()];
            expected.extend(unit.args.clone());
            prop_assert_eq!(read.unwrap(), expected);
            let environment = assignments(&file.list("Service", "Environment"), &specifiers());
            prop_assert_eq!(environment, unit.environment.clone());
            prop_assert_eq!(file.value("Install", "WantedBy"), Some("multi-user.target"));
        }

        #[test]
        fn no_bytes_are_too_much(content in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut file = UnitFile::default();
            file.read(&content);
            let mut prefixed = b"[Service]\nExecStart=".to_vec();
            prefixed.extend(&content);
            file.read(&prefixed);
            for value in file.list("Service", "ExecStart") {
                let _ = command(value, &specifiers(), &[]);
                let _ = assignments(&[value], &specifiers());
            }
        }

        #[test]
        fn a_word_is_one_word(text in "[^\\x00]{0,20}") {
            let words = split(&escape::word(text.as_ref()).unwrap()).unwrap();
            prop_assert_eq!(words.len(), 1);
        }
    }
}
