//! The output of launchctl, in the form of the real one.

use std::fmt::Write;

use crate::job::Job;
use crate::launchd::Jobs;

/// `launchctl list`, with a job that is not a node's.
pub fn list(domain: &str, jobs: &Jobs) -> String {
    let mut text = "PID\tStatus\tLabel\n-\t0\tcom.apple.SafariHistoryServiceAgent\n".to_owned();
    for (job, label) in shown(domain, jobs) {
        let stand = job.stand();
        let pid = stand.pid.map_or("-".to_owned(), |pid| pid.to_string());
        let status = stand.last.unwrap_or_default();
        writeln!(text, "{pid}\t{status}\t{label}").unwrap();
    }
    text
}

/// `launchctl list LABEL`. The exit status is that of wait(2).
pub fn dictionary(job: &Job) -> String {
    let stand = job.stand();
    let last = match stand.last.unwrap_or_default() {
        code if code >= 0 => code << 8,
        signal => -signal,
    };
    let mut text = format!(
        "{{\n\t\"LimitLoadToSessionType\" = \"Aqua\";\n\t\"Label\" = \"{}\";\n\t\"OnDemand\" = false;\n\t\"LastExitStatus\" = {last};\n",
        job.described.label
    );
    if let Some(pid) = stand.pid {
        writeln!(text, "\t\"PID\" = {pid};").unwrap();
    }
    text + "};\n"
}

/// `launchctl print DOMAIN`.
pub fn domain(domain: &str, jobs: &Jobs, strange: bool) -> String {
    let mut text = format!("{domain} = {{\n\ttype = login\n\thandle = 100005\n\n\tservices = {{\n");
    if strange {
        text = format!("{domain}:\n  services:\n");
    }
    writeln!(
        text,
        "\t\t       0      - \tcom.apple.SafariHistoryServiceAgent"
    )
    .unwrap();
    for (job, label) in shown(domain, jobs) {
        let stand = job.stand();
        let pid = stand.pid.unwrap_or_default();
        let last = stand.last.map_or("-".to_owned(), |last| last.to_string());
        writeln!(text, "\t\t{pid:>8} {last:>6} \t{label}").unwrap();
    }
    text + "\t}\n\n\tunmanaged processes = {\n\t}\n}\n"
}

/// `launchctl print DOMAIN/LABEL`.
pub fn job(target: &str, job: &Job) -> String {
    let stand = job.stand();
    let described = &job.described;
    let state = match stand.pid {
        Some(_) => "running",
        None if stand.runs == 0 || described.is_kept_alive() => "spawn scheduled",
        None => "not running",
    };
    let mut text = format!(
        "{target} = {{\n\tactive count = 1\n\tpath = {}\n\ttype = LaunchAgent\n\tstate = {state}\n\n\targuments = {{\n",
        job.file.display()
    );
    for word in &described.program_arguments {
        writeln!(text, "\t\t{word}").unwrap();
    }
    let domain = &job.domain;
    write!(
        text,
        "\t}}\n\n\tdomain = {domain} [100005]\n\truns = {}\n",
        stand.runs
    )
    .unwrap();
    if let Some(pid) = stand.pid {
        writeln!(text, "\tpid = {pid}").unwrap();
    }
    match stand.last {
        None => writeln!(text, "\tlast exit code = (never exited)").unwrap(),
        Some(78) => writeln!(text, "\tlast exit code = 78: EX_CONFIG").unwrap(),
        Some(code) if code >= 0 => writeln!(text, "\tlast exit code = {code}").unwrap(),
        Some(signal) => writeln!(text, "\tlast terminating signal = Signal: {}", -signal).unwrap(),
    }
    text + "}\n"
}

fn shown<'a>(domain: &str, jobs: &'a Jobs) -> impl Iterator<Item = (&'a Job, &'a str)> {
    let shown = jobs
        .iter()
        .filter(move |((of, _), job)| of == domain && !job.stand().drained);
    let shown: Vec<_> = shown
        .map(|((_, label), job)| (job.as_ref(), label.as_str()))
        .collect();
    shown.into_iter()
}
