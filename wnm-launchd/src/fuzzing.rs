//! Feeds untrusted job files and launchctl output to the parsers and checks the results. Used by
//! the fuzz targets and by tests that replay the corpus. Requires the feature `fuzz`, which is not
//! part of the public API.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use wnm_core::manager::FoundNode;
use wnm_core::node::ProcessState;
use wnm_core::ports::PortBases;
use wnm_host::layout;

use crate::job_description::JobDescription;
use crate::job_file::JobFile;
use crate::label::Label;
use crate::launchctl::Jobs;
use crate::launchctl::parse::{details, list, table};

/// Labels to parse the corpus under: one from wnm, one from antctl and one chosen by a person.
const LABELS: [&str; 3] = ["com.autonomi.antnode-7", "antnode7", "antnode-mine"];

/// Parses any bytes as a job file. A node that is found must be valid, and must be found again in
/// the file that wnm renders for it.
pub fn plist(input: &[u8]) {
    for name in LABELS {
        let label = Label::parse(name).expect("an invalid label");
        let found = |content: &[u8], account| {
            let job = JobDescription::parse(content, label.clone(), account).ok()?;
            let args = job.argv.get(1..).unwrap_or_default().to_vec();
            let node = job.into_found_node("antnode", &PortBases::default(), ProcessState::Stopped);
            Some((node.ok()?, args))
        };
        let Some((node, args)) = found(input, "ann") else {
            continue;
        };
        check(&node, &label);
        let job = JobFile {
            label: label.clone(),
            program: node.binary.clone(),
            args,
            environment: Vec::new(),
            root_dir: node.root_dir.clone(),
            output: node.root_dir.join("antnode.out"),
            user: Some(node.user.clone()),
            background: false,
        };
        let Ok(text) = job.render() else { continue };
        let (again, _) = found(text.as_bytes(), "nobody").expect("a rendered job is not found");
        assert_eq!(again, node, "{text}");
    }
}

fn check(node: &FoundNode, label: &Label) {
    assert_eq!((&node.service, node.id), (&label.to_string(), label.id()));
    assert_eq!(node.binary.file_name(), Some("antnode".as_ref()));
    for path in [&node.binary, &node.root_dir]
        .into_iter()
        .chain(&node.log_dir)
    {
        assert!(layout::is_place(path), "{}", path.display());
    }
}

/// Parses any bytes as launchctl output. Every parsed job must have a line of its own, and
/// rendering and parsing the result must not change it.
pub fn launchctl_list(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for jobs in [list(&text), table(&text)].into_iter().flatten() {
        for (label, job) in &jobs {
            let matches_job = |line: &str| {
                let mut words = line.split_whitespace();
                let pid = words.next().and_then(|word| word.parse().ok());
                pid.filter(|pid| *pid != 0) == job.pid && words.skip(1).eq(label.split_whitespace())
            };
            assert!(text.lines().any(matches_job), "{label} {job:?}");
        }
        check_round_trip(&jobs);
    }
    if let Some(parsed) = details(&text) {
        assert!(!parsed.state.is_empty());
        assert_ne!(parsed.pid, Some(0));
        // Lines may end with either, so a trailing \r belongs to the value unless \n follows.
        let line = |key: &str, value: &str| format!("\t{key} = {value}\r\n");
        let mut text = line("state", &parsed.state);
        text.extend(parsed.pid.map(|pid| line("pid", &pid.to_string())));
        text.extend(
            parsed
                .last_exit
                .iter()
                .map(|exit| line("last terminating signal", exit)),
        );
        assert_eq!(details(&text), Some(parsed), "{text}");
    }
}

/// Renders the jobs as a list and as a domain table, and parses both.
fn check_round_trip(jobs: &Jobs) {
    let rows = |no_process: &str, indent: &str| -> String {
        let row = |(label, job): (&String, &crate::launchctl::Job)| {
            let pid = job.pid.map_or(no_process.to_owned(), |pid| pid.to_string());
            format!("{indent}{pid}\t0\t{label}\n")
        };
        jobs.iter().map(row).collect()
    };
    let as_list = format!("PID\tStatus\tLabel\n{}", rows("-", ""));
    assert_eq!(list(&as_list).as_ref(), Some(jobs), "{as_list}");
    let as_table = format!("\tservices = {{\n{}\t}}\n", rows("0", "\t\t"));
    assert_eq!(table(&as_table).as_ref(), Some(jobs), "{as_table}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wnm_fixtures::Corpus;

    use super::*;

    #[test]
    fn replays_the_corpus() {
        Corpus::of("plist").replay(plist);
        Corpus::of("launchctl_list").replay(launchctl_list);
    }

    proptest! {
        #[test]
        fn accepts_mutated_inputs(seed: u64) {
            plist(&Corpus::of("plist").changed(seed));
            launchctl_list(&Corpus::of("launchctl_list").changed(seed));
        }
    }
}
