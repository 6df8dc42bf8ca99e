mod remedy;

use serde::Serialize;

use self::remedy::remedy;
use crate::table::one_line;
use wnm_core::doctor::{Finding, Severity};

/// Findings and what repairs each: two lines for one.
pub fn doctor(findings: &[Finding], nodes: usize) -> String {
    if findings.is_empty() {
        return format!("nothing to mend: {nodes} nodes looked at\n");
    }
    let mut text = String::new();
    for finding in findings {
        let severity = finding.severity().as_str();
        let words: String = one_line(&finding.to_string()).collect();
        let command: String = one_line(&remedy(finding)).collect();
        text.push_str(&format!("{severity:<6} {words}\n       → {command}\n"));
    }
    text
}

/// A finding for programs: its kind and fields, its words, and what repairs it.
#[derive(Debug, Clone, Serialize)]
pub struct FindingReport<'a> {
    /// The finding itself.
    #[serde(flatten)]
    pub finding: &'a Finding,
    /// How bad it is.
    pub severity: Severity,
    /// It in words.
    pub words: String,
    /// The command that repairs it, or what a person has to do.
    pub mend: String,
    /// Whether wnm can repair it without a person.
    pub safe: bool,
}

/// Findings for programs.
pub fn finding_reports(findings: &[Finding]) -> Vec<FindingReport<'_>> {
    let report = |finding| FindingReport {
        finding,
        severity: finding.severity(),
        words: finding.to_string(),
        mend: remedy(finding),
        safe: finding.fix().is_some(),
    };
    findings.iter().map(report).collect()
}

#[cfg(test)]
mod tests;
