//! `key=value` lines that a POSIX shell reads back unchanged.

use wnm_core::machine::ConfigValue;

/// Keys whose text the Python wnm always quotes. Scripts that split these lines themselves expect
/// the quotes.
const ALWAYS_QUOTED: [&str; 7] = [
    "node_storage",
    "environment",
    "start_args",
    "antnode_path",
    "dbpath",
    "antnode",
    "nodes_by_version",
];

/// A line of a configuration file, `key=value`, without a newline.
pub fn config_line(key: &str, value: &ConfigValue) -> String {
    format!("{key}={}", assigned(key, value))
}

/// A line for a shell, `KEY=value`, without a newline.
pub fn environment_line(key: &str, value: &ConfigValue) -> String {
    format!("{}={}", key.to_ascii_uppercase(), assigned(key, value))
}

/// The right side of an assignment to `key`. A missing value is empty, which reads back as missing.
/// The Python wnm wrote `None`, which it then read back as a value.
fn assigned(key: &str, value: &ConfigValue) -> String {
    match value {
        ConfigValue::Null => String::new(),
        ConfigValue::Text(text) if ALWAYS_QUOTED.contains(&key) || !is_plain(text) => quoted(text),
        other => other.to_string(),
    }
}

/// Puts a text in double quotes, as the Python wnm does, and escapes the four characters that are
/// special between them (POSIX shell, 2.2.3). Our configuration files follow the same rules.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '$' | '`' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Whether a shell reads the unquoted text as one word.
fn is_plain(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-+.,:/@%=".contains(&b);
    !text.is_empty() && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    /// The values that a real shell reads from assignments, each followed by `|` to preserve a
    /// final newline.
    fn read_by_a_shell(texts: &[String]) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut script = String::from(". \"$1\" || exit; printf '%s|'");
        for (i, text) in texts.iter().enumerate() {
            let value = assigned("host", &ConfigValue::Text(text.clone()));
            writeln!(file, "K{i}={value}").unwrap();
            script.push_str(&format!(" \"$K{i}\""));
        }
        let path = file.path().to_str().unwrap();
        let output = Command::new("sh")
            .args(["-c", &script, "sh", path])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn joined(texts: &[String]) -> String {
        texts.iter().map(|text| format!("{text}|")).collect()
    }

    #[test]
    fn a_shell_reads_special_characters_back() {
        let texts = [
            "",
            "plain",
            "two words",
            "~",
            "~/x",
            "*",
            "a;b",
            "#",
            "no\"de s$x",
            "it's",
            "'$HOME'",
            "`id`",
            "$(id)",
            "a\\",
            "\\\\",
            "new\nline\n",
            "!x",
            "a=b",
            "&",
            "größer",
            "-n",
            "\t",
        ]
        .map(str::to_owned);
        assert_eq!(read_by_a_shell(&texts), joined(&texts));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn a_shell_reads_any_text_back(
            texts in prop::collection::vec("[a-zé \"'$`\\\\\n!#~*(){}=;&|<>?\\[\\]-]{0,24}", 1..40)
        ) {
            prop_assert_eq!(read_by_a_shell(&texts), joined(&texts));
        }
    }

    #[test]
    fn a_missing_value_is_empty() {
        assert_eq!(assigned("antctl_version", &ConfigValue::Null), "");
        assert_eq!(
            assigned("environment", &ConfigValue::Text(String::new())),
            "\"\""
        );
    }
}
