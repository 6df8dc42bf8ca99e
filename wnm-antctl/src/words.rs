//! What antctl says to people: on its output, and of its failures.

/// Longest text of a failure that is told on.
const LONGEST: usize = 600;

/// The text without the escape sequences of a terminal, which antctl writes to pipes as well.
pub(crate) fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut chars),
            '\r' => plain.push('\n'),
            '\n' | '\t' => plain.push(c),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

/// `ESC [ … letter` as a rule; after any other character than `[` a sequence is over (ECMA-48).
fn skip_sequence(chars: &mut std::str::Chars<'_>) {
    let mut ahead = chars.clone();
    if ahead.next() != Some('[') {
        return;
    }
    *chars = ahead;
    for c in chars.by_ref() {
        if ('@'..='~').contains(&c) {
            return;
        }
    }
}

/// The name that `antctl add` prints for the service it made.
pub(crate) fn added_name(stdout: &[u8]) -> Option<String> {
    let text = plain(stdout);
    let marked = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix('✓'));
    let mut names = marked.map(str::trim).filter(|name| is_name(name));
    names.next().map(str::to_owned)
}

/// Whether a text can be the name of a service of antctl: it goes into commands and paths.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    begins && text.len() <= 100 && text.chars().all(plain)
}

/// Why a call failed, in antctl's own words and in one line: the errors of its report, what it says of single
/// services, or the complaint about its arguments.
pub(crate) fn failure(code: Option<i32>, stdout: &[u8], stderr: &[u8]) -> String {
    let (out, err) = (plain(stdout), plain(stderr));
    let of_services = out
        .lines()
        .filter_map(|line| line.trim().strip_prefix('✕'))
        .map(str::trim)
        .filter(|words| !words.is_empty());
    let mut words: Vec<&str> = of_services
        .chain(err.lines().filter_map(reported))
        .collect();
    if words.is_empty() {
        words.extend(err.lines().map(str::trim).find(|line| !line.is_empty()));
    }
    if words.is_empty() {
        return match code {
            Some(code) => format!("it ended with exit code {code} and no word"),
            None => "it was ended by a signal".to_owned(),
        };
    }
    words.join("; ").chars().take(LONGEST).collect()
}

/// A line of an error report, `   0: what went wrong`.
fn reported(line: &str) -> Option<&str> {
    let (number, words) = line.trim().split_once(':')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let words = words.trim();
    (is_number && !words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ADDED: &str = "╔═══╗\n║ Add Antnode Services ║\n1 service(s) to be added\nThe ant user already exists\n\
        Services Added:\n \u{1b}[32m✓\u{1b}[0m antnode4\n    - Antnode path: /var/antctl/services/antnode4/antnode\n";

    const FAILED: &str = "Error: \n   0: \u{1b}[91mFailed to start one or more services\u{1b}[0m\n\nLocation:\n   \
        \u{1b}[35m/cargo/src/cmd/node.rs\u{1b}[0m:\u{1b}[35m882\u{1b}[0m\n\nBacktrace omitted.\n";

    #[test]
    fn the_name_is_the_one_behind_the_mark() {
        assert_eq!(added_name(ADDED.as_bytes()).unwrap(), "antnode4");
        assert_eq!(added_name("antnode4 ✓ a b\n ✓\n".as_bytes()), None);
        assert_eq!(added_name("✓ ../x\n✓ -v".as_bytes()), None);
    }

    #[test]
    fn failures_are_told_in_antctls_words() {
        let told = |out: &str, err: &str| failure(Some(1), out.as_bytes(), err.as_bytes());
        assert_eq!(told("", FAILED), "Failed to start one or more services");
        let service = "Failed to start 1 service(s):\n✕ antnode1: no bus\n";
        assert_eq!(
            told(service, FAILED),
            "antnode1: no bus; Failed to start one or more services"
        );
        let usage = "error: unexpected argument '--x' found\n\nUsage: antctl add\n";
        assert_eq!(told("", usage), "error: unexpected argument '--x' found");
        for nothing in ["", " ✕ \n"] {
            assert_eq!(told(nothing, ""), "it ended with exit code 1 and no word");
        }
        assert_eq!(failure(None, b"", b" \n"), "it was ended by a signal");
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(out in proptest::collection::vec(any::<u8>(), 0..400)) {
            let text = plain(&out);
            let escapes = text.contains('\u{1b}');
            prop_assert!(!escapes);
            if let Some(name) = added_name(&out) {
                prop_assert!(is_name(&name));
            }
            let told = failure(Some(1), &out, &out);
            prop_assert!(!told.is_empty() && !told.contains('\n'));
        }

        #[test]
        fn the_name_is_found_behind_any_lines(before in "[^✓\u{1b}]{0,200}") {
            let text = format!("{before}\n{ADDED}");
            prop_assert_eq!(added_name(text.as_bytes()).unwrap(), "antnode4");
        }
    }
}
