use serde_json::{Value, json};

use crate::table::one_line;
use wnm_core::doctor::{Finding, Severity};

/// Findings and what mends each: two lines for one.
pub fn doctor(findings: &[Finding], nodes: usize) -> String {
    if findings.is_empty() {
        return format!("nothing to mend: {nodes} nodes looked at\n");
    }
    let mut text = String::new();
    for finding in findings {
        let severity = word(finding.severity());
        let words: String = one_line(&finding.to_string()).collect();
        let command: String = one_line(&finding.remedy().command).collect();
        text.push_str(&format!("{severity:<6} {words}\n       → {command}\n"));
    }
    text
}

/// The same for programs: the kind and the fields of each finding, its words, and what mends it.
pub fn doctor_json(findings: &[Finding]) -> Value {
    let one = |finding: &Finding| {
        let remedy = finding.remedy();
        let mut value = json!(finding);
        value["severity"] = json!(word(finding.severity()));
        value["words"] = json!(finding.to_string());
        value["mend"] = json!(remedy.command);
        value["safe"] = json!(remedy.fix.is_some());
        value
    };
    findings.iter().map(one).collect()
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Fault => "fault",
        Severity::Risk => "risk",
        Severity::Note => "note",
    }
}

#[cfg(test)]
mod tests;
