//! What the scripts say of services: a line each, with its name and in s6's words whether it is up.

use std::collections::HashMap;

use wnm_core::id::ContainerId;
use wnm_core::manager::ManagerError;

/// More characters than any name of a signal has.
const LONGEST_SIGNAL: usize = 16;

/// What is said of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is up.
    Up,
    /// It is not: how its last process ended.
    Down(String),
    /// It is not said whether it is up.
    Unclear,
}

/// Reads `antnode0001 true` and `antnode0001 false 101 NA`, by name. An answer that was cut off is none: who is not in
/// it would be taken for gone.
pub(crate) fn read(
    container: ContainerId,
    output: &[u8],
) -> Result<HashMap<String, Said>, ManagerError> {
    let text = String::from_utf8_lossy(output);
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(ManagerError::Unreachable {
            supervisor: format!("s6 in container {container}"),
            reason: "its answer was cut off".to_owned(),
        });
    }
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    Ok(lines
        .map(|(name, words)| (name.to_owned(), said(words)))
        .collect())
}

fn said(words: &str) -> Said {
    let words: Vec<&str> = words.split_whitespace().collect();
    match words[..] {
        ["true", ..] => Said::Up,
        ["false", ref rest @ ..] => Said::Down(how(rest)),
        _ => Said::Unclear,
    }
}

/// `EXITCODE SIGNAL` in words; s6 writes -1 and NA for what does not apply.
fn how(words: &[&str]) -> String {
    let is_signal = |word: &str| {
        word.len() <= LONGEST_SIGNAL && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let code = words.first().and_then(|word| word.parse::<u8>().ok());
    match (code, words) {
        (Some(code), _) => format!("exit code {code}"),
        (None, [_, signal]) if is_signal(signal) && *signal != "NA" => format!("signal {signal}"),
        _ => "how is not known".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(words: &str) -> Said {
        let line = format!("antnode0001 {words}\n");
        let mut said = read(ContainerId(1), line.as_bytes()).unwrap();
        said.remove("antnode0001").unwrap()
    }

    fn down(how: &str) -> Said {
        Said::Down(how.to_owned())
    }

    #[test]
    fn only_what_s6_says_is_believed() {
        assert_eq!(one("true"), Said::Up);
        assert_eq!(one("true -1 NA"), Said::Up);
        assert_eq!(one("false"), down("how is not known"));
        assert_eq!(one("false 101 NA"), down("exit code 101"));
        assert_eq!(one("false -1 SIGKILL"), down("signal SIGKILL"));
        for odd in ["", "tr", "trueish", "falsely", "TRUE", "s6-svstat: fatal"] {
            assert_eq!(one(odd), Said::Unclear, "{odd}");
        }
        for odd in ["-1 NA", "256 NA", "-1 \u{1b}[31m", "-1"] {
            assert_eq!(
                one(&format!("false {odd}")),
                down("how is not known"),
                "{odd}"
            );
        }
    }

    #[test]
    fn half_an_answer_is_none() {
        let whole = b"antnode0001 true\nantnode0002 false\n";
        assert_eq!(read(ContainerId(1), whole).unwrap().len(), 2);
        assert_eq!(read(ContainerId(1), b"").unwrap().len(), 0);
        let error = read(ContainerId(1), &whole[..whole.len() - 1]).unwrap_err();
        assert!(matches!(error, ManagerError::Unreachable { .. }), "{error}");
    }
}
