//! Splits setting values into words, resolving quotes, escapes, specifiers and variables.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::specifiers::Specifiers;

/// Parses the value of `ExecStart=` into the program and arguments that systemd would run. Returns
/// `None` if systemd would reject it or it has an unsupported specifier. With several commands, the
/// first counts.
pub(crate) fn parse_command(
    value: &str,
    specifiers: &Specifiers,
    environment: &[(OsString, OsString)],
) -> Option<Vec<OsString>> {
    let line = value.trim_start_matches(['@', '-', ':', '+', '!', '|']);
    let prefixes = &value[..value.len() - line.len()];
    let mut words = split_words(line)?;
    if let Some(end) = words
        .iter()
        .position(|word| word.unquoted && word.bytes == b";")
    {
        words.truncate(end);
    }
    if prefixes.contains('@') && words.len() > 1 {
        // The second word is only the displayed process name (argv[0]).
        words.remove(1);
    }
    let mut argv: Vec<OsString> = Vec::with_capacity(words.len());
    for word in words {
        let word = if word.unquoted && word.bytes == b"\\;" {
            b";".to_vec()
        } else {
            word.bytes
        };
        let word = expand(word, specifiers)?;
        let is_program = argv.is_empty();
        if is_program || prefixes.contains(':') {
            argv.push(word);
        } else {
            push_with_variables(&mut argv, &word, environment);
        }
    }
    (!argv.is_empty()).then_some(argv)
}

/// Parses the values of `Environment=`. The last assignment of each name wins. Ignores words that
/// are not assignments, as systemd does.
pub(crate) fn parse_environment(
    values: &[&str],
    specifiers: &Specifiers,
) -> Vec<(OsString, OsString)> {
    let mut variables: Vec<(OsString, OsString)> = Vec::new();
    let words = values
        .iter()
        .filter_map(|value| split_words(value))
        .flatten();
    for word in words.filter_map(|word| expand(word.bytes, specifiers)) {
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

fn expand(word: Vec<u8>, specifiers: &Specifiers) -> Option<OsString> {
    let text = String::from_utf8(word).ok()?;
    specifiers.expand(&text).map(OsString::from)
}

/// A word, and whether it had no quotes.
struct Word {
    bytes: Vec<u8>,
    unquoted: bool,
}

/// Splits at whitespace, resolving quotes and C escapes. Returns `None` on an unclosed quote or
/// invalid escape.
fn split_words(text: &str) -> Option<Vec<Word>> {
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
                        unquoted: false,
                    })
                    .unquoted = false;
            }
            ('\\', _) => {
                let word = current.get_or_insert(Word {
                    bytes: Vec::new(),
                    unquoted: true,
                });
                if chars.as_str().starts_with(';') {
                    // Keep the backslash: the command parser must not take this ";" for a
                    // separator.
                    word.bytes.push(b'\\');
                } else {
                    unescape(&mut chars, &mut word.bytes)?;
                }
            }
            (c, _) => {
                let word = current.get_or_insert(Word {
                    bytes: Vec::new(),
                    unquoted: true,
                });
                word.bytes
                    .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    words.extend(current);
    quote.is_none().then_some(words)
}

/// Decodes the escape after a backslash, as listed in systemd.service(5).
fn unescape(chars: &mut std::str::Chars<'_>, bytes: &mut Vec<u8>) -> Option<()> {
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
        'u' => return push_char(number(chars, 4, 16, None)?, bytes),
        'U' => return push_char(number(chars, 8, 16, None)?, bytes),
        _ => return None,
    };
    // A NUL byte would end the argument early.
    (byte != 0).then(|| bytes.push(byte))
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

fn push_char(value: u32, bytes: &mut Vec<u8>) -> Option<()> {
    let c = char::from_u32(value).filter(|&c| c != '\0')?;
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Some(())
}

/// Expands variables: `$NAME` as a whole word becomes as many words as its value has, `${NAME}`
/// anywhere becomes its value, and `$$` becomes a dollar sign. Unknown names expand to nothing.
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
    use crate::unit::{Scope, ServiceUnit, UnitFile, escape};
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
        let argv = parse_command(value, &specifiers(), &environment)?;
        Some(
            argv.iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
        )
    }

    #[test]
    fn resolves_quotes_escapes_and_variables() {
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
    fn the_last_assignment_of_a_name_wins() {
        let values = ["A=1 \"B=x y\" junk =no", "'A=2' C="];
        let read = parse_environment(&values, &specifiers());
        let pairs: Vec<_> = read
            .iter()
            .map(|(k, v)| (k.to_str().unwrap(), v.to_str().unwrap()))
            .collect();
        assert_eq!(pairs, [("B", "x y"), ("A", "2"), ("C", "")]);
    }

    proptest! {
        #[test]
        fn rendered_units_parse_to_the_same_values(
            args in prop::collection::vec("[^\\x00]{0,12}", 0..6),
            name in "[^\\x00-\\x1f\\x7f-\\x9f\"'\\\\]{0,12}",
            value in "[^\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]{0,12}",
        ) {
            let program = std::path::PathBuf::from(format!("/n/{name}/antnode"));
            let unit = ServiceUnit {
                description: "d".into(),
                scope: Scope::System { user: "ant".into() },
                program: program.clone(),
                args: args.iter().map(OsString::from).collect(),
                environment: vec![("KEY".into(), value.clone().into())],
                root_dir: "/n/x".into(),
                writable: vec![program.clone()],
            };
            let text = unit.render().unwrap();
            let mut file = UnitFile::default();
            file.append(text.as_bytes());
            let read = parse_command(file.value("Service", "ExecStart").unwrap(), &specifiers(), &[]);
            let mut expected = vec![program.into_os_string()];
            expected.extend(unit.args.clone());
            prop_assert_eq!(read.unwrap(), expected);
            let environment = parse_environment(&file.list("Service", "Environment"), &specifiers());
            prop_assert_eq!(environment, unit.environment.clone());
            prop_assert_eq!(file.value("Install", "WantedBy"), Some("multi-user.target"));
        }

        #[test]
        fn any_bytes_are_accepted(content in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut file = UnitFile::default();
            file.append(&content);
            let mut prefixed = b"[Service]\nExecStart=".to_vec();
            prefixed.extend(&content);
            file.append(&prefixed);
            for value in file.list("Service", "ExecStart") {
                let _ = parse_command(value, &specifiers(), &[]);
                let _ = parse_environment(&[value], &specifiers());
            }
        }

        #[test]
        fn a_quoted_word_stays_one_word(text in "[^\\x00]{0,20}") {
            let words = split_words(&escape::quote(text.as_ref()).unwrap()).unwrap();
            prop_assert_eq!(words.len(), 1);
        }
    }
}
