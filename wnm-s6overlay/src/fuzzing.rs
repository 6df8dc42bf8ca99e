//! Fuzz targets for the parsers of container output and engine data. The fuzzer calls them, and tests replay its
//! corpus. Programs must not use the feature `fuzz`.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bollard::models::ContainerSummary;
use semver::Version;
use wnm_core::id::ContainerId;
use wnm_core::machine::Launch;
use wnm_core::node::ProbeResult;
use wnm_core::node::ProcessState;
use wnm_core::node::{Node, NodeReport};
use wnm_core::paths::Paths;
use wnm_core::ports::Port;
use wnm_core::program::{NodeProgram, PagePaths, ProgramError};

use crate::containers::{ContainerSet, FoundContainer};
use crate::probe::{self, Page};
use crate::status;
use crate::status_output::{self, ServiceStatus};

/// The marker in the corpus. In production, each probe draws a random one.
const MARKER: &str = "wnm-0000";

/// A program that takes every page for its own.
struct AnyPages;

#[async_trait]
impl NodeProgram for AnyPages {
    fn name(&self) -> &str {
        "antnode"
    }

    fn network(&self) -> &str {
        "evm-arbitrum-one"
    }

    fn arguments(&self, _: &Node, _: &Launch, _: &Paths) -> Result<Vec<OsString>, ProgramError> {
        Ok(Vec::new())
    }

    fn environment(&self, _: &Node, _: &Launch) -> Result<Vec<(OsString, OsString)>, ProgramError> {
        Ok(Vec::new())
    }

    async fn version(&self, _: &Path) -> Result<Version, ProgramError> {
        Ok(Version::new(0, 4, 17))
    }

    fn identity_file(&self, root_dir: &Path) -> PathBuf {
        root_dir.join("secret-key")
    }

    fn pages(&self) -> Option<PagePaths> {
        Some(PagePaths {
            metadata: "/metadata".to_owned(),
            metrics: "/metrics".to_owned(),
        })
    }

    fn read_report(&self, _: &[u8], _: &[u8]) -> Option<NodeReport> {
        Some(NodeReport::default())
    }
}

/// Parses an input as status output, as probe output and as the engine's list of containers.
///
/// # Panics
///
/// Panics if a result violates an invariant.
pub fn svstat(input: &[u8]) {
    check_services(input);
    check_pages(input);
    check_containers(input);
}

/// A service is up or down only if its own line says so. A service without a line has no status.
fn check_services(input: &[u8]) {
    let Ok(services) = status_output::parse(ContainerId(1), input) else {
        return;
    };
    let text = String::from_utf8_lossy(input);
    for (name, status) in &services {
        let has_line = |word: &str| {
            text.lines().any(|line| {
                let rest = line.strip_prefix(name.as_str());
                rest.is_some_and(|rest| rest.split_whitespace().next() == Some(word))
            })
        };
        match status::process_state(Some(status)) {
            ProcessState::Running { .. } => assert!(has_line("true"), "{name}"),
            ProcessState::Stopped => assert!(has_line("false"), "{name}"),
            ProcessState::Unknown(_) => {}
            ProcessState::Missing => panic!("{name} has a status but counts as missing"),
        }
        if let ServiceStatus::Down(exit) = status {
            assert!(
                exit.len() < 40 && exit.is_ascii() && !exit.contains(char::is_control),
                "{exit}"
            );
        }
    }
    let line = |(name, status): (&String, &ServiceStatus)| match status {
        ServiceStatus::Up => format!("{name} true\n"),
        ServiceStatus::Unclear => format!("{name} \n"),
        ServiceStatus::Down(exit) => match exit.split_once(' ') {
            Some(("signal", signal)) => format!("{name} false -1 {signal}\n"),
            Some(("exit", code)) => format!("{name} false {} NA\n", &code["code ".len()..]),
            _ => format!("{name} false\n"),
        },
    };
    let text: String = services.iter().map(line).collect();
    let reparsed =
        status_output::parse(ContainerId(1), text.as_bytes()).expect("rendered output must parse");
    assert_eq!(reparsed, services, "{text}");
}

/// Pages do not overlap, and a node's probe result comes only from its own pages.
fn check_pages(input: &[u8]) {
    let program = AnyPages;
    let paths = program.pages().unwrap();
    let pages = probe::parse_pages(input, MARKER);
    let length: usize = pages.values().map(|page| page.body.len()).sum();
    assert!(length <= input.len());
    for port in [1, 13_001, u16::MAX].map(Port::new) {
        let page = |path: &str| pages.get(probe::page_url(port?, path).as_str());
        let own_pages = [page(&paths.metadata), page(&paths.metrics)];
        match probe::probe_result(&program, &paths, &pages, port) {
            ProbeResult::Answered(_) => {
                assert!(
                    own_pages
                        .iter()
                        .all(|page| page.is_some_and(|page| page.status == 200))
                );
            }
            ProbeResult::Refused => assert!(own_pages[0].is_some_and(|page| page.exit_code != 0)),
            ProbeResult::Silent(reason) => {
                assert!(
                    reason.len() < 80 && !reason.contains(char::is_control),
                    "{reason}"
                );
            }
        }
    }
    let (text, urls) = render_pages(&pages);
    let reparsed = probe::parse_pages(&text, MARKER);
    assert!(urls.iter().all(|url| reparsed.get(url) == pages.get(url)));
}

/// Renders pages as the script prints them, and returns their URLs.
fn render_pages<'a>(pages: &HashMap<&'a str, Page<'_>>) -> (Vec<u8>, Vec<&'a str>) {
    let mut text = Vec::new();
    for (url, page) in pages {
        text.extend(page.body);
        text.extend(format!("\n{MARKER} {} {} {url}\n", page.status, page.exit_code).as_bytes());
    }
    (text, pages.keys().copied().collect())
}

/// A container that the parser accepts has the labels that wnm gives to its containers.
fn check_containers(input: &[u8]) {
    let Ok(listed) = serde_json::from_slice::<Vec<ContainerSummary>>(input) else {
        return;
    };
    let container_set = ContainerSet::of_storage(Path::new("/srv/ant"));
    for summary in listed {
        let Some(found) = FoundContainer::from_summary(summary.clone()) else {
            continue;
        };
        assert!(found.id.0 > 0);
        let labels = Some(container_set.labels(found.id, found.network));
        let reparsed = FoundContainer::from_summary(ContainerSummary { labels, ..summary });
        assert_eq!(reparsed, Some(found));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wnm_fixtures::Corpus;

    use super::*;

    #[test]
    fn replays_the_fuzzing_corpus() {
        Corpus::of("svstat").replay(svstat);
    }

    proptest! {
        #[test]
        fn mutated_inputs_keep_the_invariants(seed: u64) {
            svstat(&Corpus::of("svstat").changed(seed));
        }
    }
}
