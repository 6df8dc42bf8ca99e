//! Parses the status output of the scripts: one line per service, with its name and the fields that s6 prints.

use std::collections::HashMap;

use wnm_core::id::ContainerId;
use wnm_core::manager::ManagerError;

/// Longer than any signal name.
const MAX_SIGNAL_NAME: usize = 16;

/// The status of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServiceStatus {
    /// The service is up.
    Up,
    /// The service is down; how its last process ended.
    Down(String),
    /// s6 did not report whether it is up.
    Unclear,
}

/// Parses lines such as `antnode0001 true` and `antnode0001 false 101 NA` into statuses by name. Rejects truncated
/// output: the manager would take the services that it does not list for missing.
pub(crate) fn parse(
    container: ContainerId,
    output: &[u8],
) -> Result<HashMap<String, ServiceStatus>, ManagerError> {
    let text = String::from_utf8_lossy(output);
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(ManagerError::Unreachable {
            supervisor: format!("s6 in container {container}"),
            reason: "its answer was truncated".to_owned(),
        });
    }
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    Ok(lines
        .map(|(name, fields)| (name.to_owned(), parse_status(fields)))
        .collect())
}

fn parse_status(fields: &str) -> ServiceStatus {
    let fields: Vec<&str> = fields.split_whitespace().collect();
    match fields[..] {
        ["true", ..] => ServiceStatus::Up,
        ["false", ref rest @ ..] => ServiceStatus::Down(describe_exit(rest)),
        _ => ServiceStatus::Unclear,
    }
}

/// Describes the fields `EXITCODE SIGNAL`. s6 prints -1 and NA for a field that does not apply.
fn describe_exit(fields: &[&str]) -> String {
    let is_signal = |field: &str| {
        field.len() <= MAX_SIGNAL_NAME && field.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let code = fields.first().and_then(|field| field.parse::<u8>().ok());
    match (code, fields) {
        (Some(code), _) => format!("exit code {code}"),
        (None, [_, signal]) if is_signal(signal) && *signal != "NA" => format!("signal {signal}"),
        _ => "cause unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(fields: &str) -> ServiceStatus {
        let line = format!("antnode0001 {fields}\n");
        let mut services = parse(ContainerId(1), line.as_bytes()).unwrap();
        services.remove("antnode0001").unwrap()
    }

    fn down(exit: &str) -> ServiceStatus {
        ServiceStatus::Down(exit.to_owned())
    }

    #[test]
    fn status_comes_only_from_valid_fields() {
        assert_eq!(parse_line("true"), ServiceStatus::Up);
        assert_eq!(parse_line("true -1 NA"), ServiceStatus::Up);
        assert_eq!(parse_line("false"), down("cause unknown"));
        assert_eq!(parse_line("false 101 NA"), down("exit code 101"));
        assert_eq!(parse_line("false -1 SIGKILL"), down("signal SIGKILL"));
        for invalid in ["", "tr", "trueish", "falsely", "TRUE", "s6-svstat: fatal"] {
            assert_eq!(parse_line(invalid), ServiceStatus::Unclear, "{invalid}");
        }
        for invalid in ["-1 NA", "256 NA", "-1 \u{1b}[31m", "-1"] {
            assert_eq!(
                parse_line(&format!("false {invalid}")),
                down("cause unknown"),
                "{invalid}"
            );
        }
    }

    #[test]
    fn truncated_output_is_an_error() {
        let complete = b"antnode0001 true\nantnode0002 false\n";
        assert_eq!(parse(ContainerId(1), complete).unwrap().len(), 2);
        assert_eq!(parse(ContainerId(1), b"").unwrap().len(), 0);
        let error = parse(ContainerId(1), &complete[..complete.len() - 1]).unwrap_err();
        assert!(matches!(error, ManagerError::Unreachable { .. }), "{error}");
    }
}
