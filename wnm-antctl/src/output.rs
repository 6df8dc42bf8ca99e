//! Parses what antctl prints: on success and on failure.

/// Most characters of a failure to report.
const MAX_LENGTH: usize = 600;

/// The text without terminal escape sequences, which antctl writes even to pipes.
pub(crate) fn plain_text(bytes: &[u8]) -> String {
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

/// Skips `ESC [ … letter`. After any character other than `[` the sequence has ended (ECMA-48).
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

/// The service name that `antctl add` prints.
pub(crate) fn added_name(stdout: &[u8]) -> Option<String> {
    let text = plain_text(stdout);
    let checked = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix('✓'));
    let mut names = checked.map(str::trim).filter(|name| is_service_name(name));
    names.next().map(str::to_owned)
}

/// Whether the text is a valid service name. Names go into commands and paths.
pub(crate) fn is_service_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let starts_alnum = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    starts_alnum && text.len() <= 100 && text.chars().all(allowed)
}

/// Why a call failed, in antctl's words on one line: the errors from its report, its messages about single
/// services, or its complaint about the arguments.
pub(crate) fn failure_message(code: Option<i32>, stdout: &[u8], stderr: &[u8]) -> String {
    let (out, err) = (plain_text(stdout), plain_text(stderr));
    let service_errors = out
        .lines()
        .filter_map(|line| line.trim().strip_prefix('✕'))
        .map(str::trim)
        .filter(|errors| !errors.is_empty());
    let mut errors: Vec<&str> = service_errors
        .chain(err.lines().filter_map(report_line))
        .collect();
    if errors.is_empty() {
        errors.extend(err.lines().map(str::trim).find(|line| !line.is_empty()));
    }
    if errors.is_empty() {
        return match code {
            Some(code) => format!("exit code {code} and no output"),
            None => "killed by a signal".to_owned(),
        };
    }
    errors.join("; ").chars().take(MAX_LENGTH).collect()
}

/// A line of an error report, `   0: what went wrong`.
fn report_line(line: &str) -> Option<&str> {
    let (number, text) = line.trim().split_once(':')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.trim();
    (is_number && !text.is_empty()).then_some(text)
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
    fn the_added_name_follows_the_check_mark() {
        assert_eq!(added_name(ADDED.as_bytes()).unwrap(), "antnode4");
        assert_eq!(added_name("antnode4 ✓ a b\n ✓\n".as_bytes()), None);
        assert_eq!(added_name("✓ ../x\n✓ -v".as_bytes()), None);
    }

    #[test]
    fn failures_quote_antctl() {
        let message =
            |out: &str, err: &str| failure_message(Some(1), out.as_bytes(), err.as_bytes());
        assert_eq!(message("", FAILED), "Failed to start one or more services");
        let service = "Failed to start 1 service(s):\n✕ antnode1: no bus\n";
        assert_eq!(
            message(service, FAILED),
            "antnode1: no bus; Failed to start one or more services"
        );
        let usage = "error: unexpected argument '--x' found\n\nUsage: antctl add\n";
        assert_eq!(message("", usage), "error: unexpected argument '--x' found");
        for nothing in ["", " ✕ \n"] {
            assert_eq!(message(nothing, ""), "exit code 1 and no output");
        }
        assert_eq!(failure_message(None, b"", b" \n"), "killed by a signal");
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed(out in proptest::collection::vec(any::<u8>(), 0..400)) {
            let text = plain_text(&out);
            let escapes = text.contains('\u{1b}');
            prop_assert!(!escapes);
            if let Some(name) = added_name(&out) {
                prop_assert!(is_service_name(&name));
            }
            let message = failure_message(Some(1), &out, &out);
            prop_assert!(!message.is_empty() && !message.contains('\n'));
        }

        #[test]
        fn the_name_is_found_after_any_lines(before in "[^✓\u{1b}]{0,200}") {
            let text = format!("{before}\n{ADDED}");
            prop_assert_eq!(added_name(text.as_bytes()).unwrap(), "antnode4");
        }
    }
}
