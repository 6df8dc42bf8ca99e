//! What a person can do about a failure, in options of this program. The libraries say only what failed and why.

mod store;

use wnm_colony::ColonyError;
use wnm_core::decide::Refusal;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::ManagerError;
use wnm_core::reports::UnknownReport;
use wnm_report::ReportError;

use crate::error::ProgramError;
use crate::managers;

/// A failure in one line: what failed, why, and what to do.
pub fn message(error: &ProgramError) -> String {
    match error {
        // Here the count is an option, which the line can name at once.
        ProgramError::Colony(ColonyError::Refused(Refusal::CountZero)) => {
            "--count must be at least 1".to_owned()
        }
        error => match hint(error) {
            Some(hint) => format!("{error}; {hint}"),
            None => error.to_string(),
        },
    }
}

fn hint(error: &ProgramError) -> Option<String> {
    match error {
        ProgramError::Colony(error) => of_colony(error),
        ProgramError::UnknownReport(unknown)
        | ProgramError::Report(ReportError::Unknown(unknown)) => of_report(unknown),
        _ => None,
    }
}

fn of_colony(error: &ColonyError) -> Option<String> {
    match error {
        ColonyError::Refused(refusal) => of_refusal(refusal),
        ColonyError::Store(error) => store::store_hint(error).map(str::to_owned),
        ColonyError::Lock(error) => store::lock_hint(error).map(str::to_owned),
        ColonyError::Manager {
            kind,
            source: ManagerError::NotFound(_),
        } => Some(other_managers(kind)),
        _ => None,
    }
}

/// A manager cannot be built on this machine: the managers of other supervisors may be.
fn other_managers(kind: &ManagerKind) -> String {
    let kinds = managers::registry(None).kinds().into_iter();
    let others = kinds.filter(|other| other.supervisor() != kind.supervisor());
    let names: Vec<String> = others.map(|other| other.to_string()).collect();
    format!("give another with --process-manager: {}", names.join(", "))
}

fn of_refusal(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::AddByName => Some("give --count and no --service-name".to_owned()),
        Refusal::DisableUnnamed => Some("name them with --service-name antnode0001,…".to_owned()),
        Refusal::PastCap { nodes, wanted, .. } => Some(format!(
            "raise it with --node-cap {}",
            nodes.saturating_add(*wanted)
        )),
        _ => None,
    }
}

fn of_report(unknown: &UnknownReport) -> Option<String> {
    match unknown {
        UnknownReport::Format { kind, .. } => {
            let formats = kind.formats().iter().map(|format| format.word());
            let formats: Vec<_> = formats.collect();
            Some(format!("give --report-format {}", formats.join(" or ")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wnm_core::reports::{ReportFormat, ReportKind};

    fn refused(refusal: Refusal) -> String {
        message(&ProgramError::Colony(refusal.into()))
    }

    #[test]
    fn a_refusal_names_the_option_that_helps() {
        assert_eq!(
            refused(Refusal::AddByName),
            "new nodes get their numbers from wnm; give --count and no --service-name"
        );
        assert_eq!(
            refused(Refusal::DisableUnnamed),
            "disabling is for certain nodes; name them with --service-name antnode0001,…"
        );
        assert_eq!(refused(Refusal::CountZero), "--count must be at least 1");
        let past = Refusal::PastCap {
            nodes: 8,
            wanted: 13,
            cap: 20,
        };
        assert_eq!(
            refused(past),
            "8 + 13 nodes would pass the cap of 20; raise it with --node-cap 21"
        );
    }

    #[test]
    fn a_report_names_the_formats_it_comes_in() {
        let expected =
            "machine-metrics does not come as config; give --report-format text or json or env";
        let wrong = || {
            let checked = ReportKind::MachineMetrics.check(ReportFormat::Config);
            checked.unwrap_err()
        };
        assert_eq!(message(&wrong().into()), expected);
        assert_eq!(message(&ReportError::from(wrong()).into()), expected);
    }

    #[test]
    fn what_needs_no_option_stays_as_it_is() {
        let error = ProgramError::Usage("no".to_owned());
        assert_eq!(message(&error), "no");
    }
}
