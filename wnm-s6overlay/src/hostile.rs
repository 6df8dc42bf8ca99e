//! What comes out of containers and is said of them, read as the product reads it. For fuzzing and for the tests that
//! read the same inputs again; behind the feature `fuzz`, which is not for programs.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use bollard::models::ContainerSummary;
use wnm_core::id::ContainerId;
use wnm_core::node::Probe;
use wnm_core::node::ProcessState;
use wnm_core::ports::Port;
use wnm_core::program::NodeProgram;
use wnm_host::command::SystemRunner;
use wnm_programs::Antnode;

use crate::answer::{self, Said};
use crate::asking::{self, Page};
use crate::containers::{Colony, Found};
use crate::looking;

/// The mark of the outputs in the corpus. The real one is drawn anew for each.
const MARK: &str = "wnm-0000";

/// What the scripts print in a container, of services and of pages, and what the engine lists of containers.
pub fn svstat(input: &[u8]) {
    services(input);
    pages(input);
    containers(input);
}

/// A service is up or down only where a line of its own says so, and nothing is said of one that has none.
fn services(input: &[u8]) {
    let Ok(services) = answer::read(ContainerId(1), input) else {
        return;
    };
    let text = String::from_utf8_lossy(input);
    for (name, said) in &services {
        let says = |word: &str| {
            text.lines().any(|line| {
                let rest = line.strip_prefix(name.as_str());
                rest.is_some_and(|rest| rest.split_whitespace().next() == Some(word))
            })
        };
        match looking::state(Some(said)) {
            ProcessState::Running { .. } => assert!(says("true"), "{name}"),
            ProcessState::Stopped => assert!(says("false"), "{name}"),
            ProcessState::Unknown(_) => {}
            ProcessState::Missing => panic!("{name} is there"),
        }
        if let Said::Down(how) = said {
            assert!(
                how.len() < 40 && how.is_ascii() && !how.contains(char::is_control),
                "{how}"
            );
        }
    }
    let line = |(name, said): (&String, &Said)| match said {
        Said::Up => format!("{name} true\n"),
        Said::Unclear => format!("{name} \n"),
        Said::Down(how) => match how.split_once(' ') {
            Some(("signal", signal)) => format!("{name} false -1 {signal}\n"),
            Some(("exit", code)) => format!("{name} false {} NA\n", &code["code ".len()..]),
            _ => format!("{name} false\n"),
        },
    };
    let text: String = services.iter().map(line).collect();
    let again = answer::read(ContainerId(1), text.as_bytes()).expect("does not read back");
    assert_eq!(again, services, "{text}");
}

/// Pages are parts of the output that do not overlap, and only an answer that is one speaks for a node.
fn pages(input: &[u8]) {
    let program = Antnode::new(Arc::new(SystemRunner));
    let pages = asking::pages(input, MARK);
    let length: usize = pages.values().map(|page| page.body.len()).sum();
    assert!(length <= input.len());
    for port in [1, 13_001, u16::MAX].map(Port::new) {
        let page = |path| pages.get(asking::address(port?, path).as_str());
        let asked = [page(program.metadata_path()), page(program.metrics_path())];
        match asking::probe(&program, &pages, port) {
            Probe::Answered(_) => {
                assert!(
                    asked
                        .iter()
                        .all(|page| page.is_some_and(|page| page.status == 200))
                );
            }
            Probe::Refused => assert!(asked[0].is_some_and(|page| page.code != 0)),
            Probe::Silent(words) => {
                assert!(
                    words.len() < 80 && !words.contains(char::is_control),
                    "{words}"
                );
            }
        }
    }
    let (text, order) = written(&pages);
    let again = asking::pages(&text, MARK);
    assert!(order.iter().all(|url| again.get(url) == pages.get(url)));
}

/// What the script would have printed for these pages, and their addresses.
fn written<'a>(pages: &HashMap<&'a str, Page<'_>>) -> (Vec<u8>, Vec<&'a str>) {
    let mut text = Vec::new();
    for (url, page) in pages {
        text.extend(page.body);
        text.extend(format!("\n{MARK} {} {} {url}\n", page.status, page.code).as_bytes());
    }
    (text, pages.keys().copied().collect())
}

/// A container that is found has the labels that wnm would give it.
fn containers(input: &[u8]) {
    let Ok(listed) = serde_json::from_slice::<Vec<ContainerSummary>>(input) else {
        return;
    };
    let colony = Colony::at(Path::new("/srv/ant"));
    for summary in listed {
        let Some(found) = Found::read(summary.clone()) else {
            continue;
        };
        assert!(found.id.0 > 0);
        let labels = Some(colony.labels(found.id, found.network));
        let again = Found::read(ContainerSummary { labels, ..summary });
        assert_eq!(again, Some(found));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wnm_testkit::Corpus;

    use super::*;

    #[test]
    fn what_fuzzing_kept_is_read_again() {
        Corpus::of("svstat").replay(svstat);
    }

    proptest! {
        #[test]
        fn changed_inputs_are_read(seed: u64) {
            svstat(&Corpus::of("svstat").changed(seed));
        }
    }
}
