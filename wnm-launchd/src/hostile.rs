//! Files of jobs that strangers wrote and what launchctl prints, read as the product reads them. For fuzzing and for
//! the tests that read the same inputs again; behind the feature `fuzz`, which is not for programs.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use wnm_core::manager::FoundNode;
use wnm_core::node::ProcessState;
use wnm_core::ports::PortBases;
use wnm_host::layout;

use crate::description::Description;
use crate::job_file::JobFile;
use crate::label::Label;
use crate::launchctl::Jobs;
use crate::launchctl::printed::{details, list, table};

/// What the files in the corpus are called: as wnm, antctl and a person name the jobs of nodes.
const LABELS: [&str; 3] = ["com.autonomi.antnode-7", "antnode7", "antnode-mine"];

/// The file of a job: a node that is found in it is all that can be said of one, and is found the same in the file
/// that wnm would write of it.
pub fn plist(input: &[u8]) {
    for name in LABELS {
        let label = Label::read(name).expect("a label that cannot be read");
        let found = |content: &[u8], account| {
            let job = Description::of(content, label.clone(), account).ok()?;
            let args = job.argv.get(1..).unwrap_or_default().to_vec();
            let node = job.node("antnode", &PortBases::default(), ProcessState::Stopped);
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
        let (again, _) = found(text.as_bytes(), "nobody").expect("a job of ours is not found");
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

/// What launchctl prints: every job in it stands in a line of its own, and what was read is read the same from the
/// text that it stands for.
pub fn launchctl_list(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for jobs in [list(&text), table(&text)].into_iter().flatten() {
        for (label, job) in &jobs {
            let says_so = |line: &str| {
                let mut words = line.split_whitespace();
                let pid = words.next().and_then(|word| word.parse().ok());
                pid.filter(|pid| *pid != 0) == job.pid && words.skip(1).eq(label.split_whitespace())
            };
            assert!(text.lines().any(says_so), "{label} {job:?}");
        }
        read_back(&jobs);
    }
    if let Some(said) = details(&text) {
        assert!(!said.state.is_empty());
        assert_ne!(said.pid, Some(0));
        // A line ends with either, so that a carriage return is part of what stands before this end.
        let line = |key: &str, value: &str| format!("\t{key} = {value}\r\n");
        let mut text = line("state", &said.state);
        text.extend(said.pid.map(|pid| line("pid", &pid.to_string())));
        text.extend(
            said.last_exit
                .iter()
                .map(|exit| line("last terminating signal", exit)),
        );
        assert_eq!(details(&text), Some(said), "{text}");
    }
}

/// As a list and as the table of a domain.
fn read_back(jobs: &Jobs) {
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
    fn what_fuzzing_kept_is_read_again() {
        Corpus::of("plist").replay(plist);
        Corpus::of("launchctl_list").replay(launchctl_list);
    }

    proptest! {
        #[test]
        fn changed_inputs_are_read(seed: u64) {
            plist(&Corpus::of("plist").changed(seed));
            launchctl_list(&Corpus::of("launchctl_list").changed(seed));
        }
    }
}
