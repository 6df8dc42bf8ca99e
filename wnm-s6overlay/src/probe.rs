//! Probes nodes whose metrics servers are not reachable from the machine.
//!
//! Nodes serve metrics on loopback. Nothing outside can reach the loopback of a container with its own network, so
//! a script in the container requests the pages: one exec for all nodes of a container.

use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::future::join_all;
use wnm_core::container::ContainerNetwork;
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::manager::InsideProbe;
use wnm_core::node::Node;
use wnm_core::node::ProbeResult;
use wnm_core::ports::Port;
use wnm_core::program::{NodeProgram, PagePaths};

use crate::S6Overlay;
use crate::containers::ContainerState;
use crate::scripts::Script;

/// The HTTP status of a successful response.
const OK: u16 = 200;

/// curl's exit code for a refused connection.
const CONNECTION_REFUSED: u8 = 7;

/// The result of one page request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page<'a> {
    pub body: &'a [u8],
    /// The HTTP status; 0 without a response.
    pub status: u16,
    /// curl's exit code; 0 with a response.
    pub exit_code: u8,
}

#[async_trait]
impl InsideProbe for S6Overlay {
    async fn probe(&self, nodes: &[Node]) -> HashMap<NodeId, ProbeResult> {
        let containers = match self.containers().await {
            Ok(containers) => containers,
            // Without the engine, the network mode of each container is unknown. Assume the setting for new ones: in
            // the host network, the caller can probe the ports itself.
            Err(error) => {
                return match self.settings.network {
                    ContainerNetwork::Host => HashMap::new(),
                    ContainerNetwork::Published => silent(nodes.iter(), &error.to_string()),
                };
            }
        };
        let probes = self
            .group_by_container(nodes)
            .into_iter()
            .filter_map(|(id, group)| {
                let found = containers.get(&id)?;
                let nodes: Vec<&Node> = group.into_iter().map(|(_, node)| node).collect();
                (found.network == ContainerNetwork::Published).then_some((id, found.state, nodes))
            })
            .map(|(id, state, nodes)| async move { self.probe_container(id, state, nodes).await });
        join_all(probes).await.into_iter().flatten().collect()
    }
}

impl S6Overlay {
    async fn probe_container(
        &self,
        id: ContainerId,
        state: ContainerState,
        nodes: Vec<&Node>,
    ) -> HashMap<NodeId, ProbeResult> {
        if state != ContainerState::Running {
            return nodes
                .into_iter()
                .map(|node| (node.id, ProbeResult::Refused))
                .collect();
        }
        let program = &self.context.program;
        let Some(paths) = program.pages() else {
            return HashMap::new();
        };
        // No page can guess a random marker during one exec.
        let marker = format!("wnm-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let mut args = vec![
            marker.clone(),
            paths.metadata.clone(),
            paths.metrics.clone(),
        ];
        let enabled = nodes.iter().filter(|node| !node.is_disabled());
        let ports = enabled.filter_map(|node| node.ports.metrics);
        args.extend(ports.map(|port| port.to_string()));
        let output = match self.run_script(id, Script::Probe, args).await {
            Ok(output) => output,
            Err(error) => return silent(nodes.into_iter(), &error.to_string()),
        };
        let pages = parse_pages(&output, &marker);
        nodes
            .into_iter()
            .filter(|node| !node.is_disabled())
            .map(|node| {
                (
                    node.id,
                    probe_result(program.as_ref(), &paths, &pages, node.ports.metrics),
                )
            })
            .collect()
    }
}

/// The probe result of the node with this metrics port.
pub(crate) fn probe_result(
    program: &dyn NodeProgram,
    paths: &PagePaths,
    pages: &HashMap<&str, Page<'_>>,
    port: Option<Port>,
) -> ProbeResult {
    let page = |path: &str| pages.get(page_url(port?, path).as_str());
    match (page(&paths.metadata), page(&paths.metrics)) {
        (Some(metadata), Some(metrics)) if metadata.status == OK && metrics.status == OK => {
            match program.read_report(metadata.body, metrics.body) {
                Some(report) => ProbeResult::Answered(Box::new(report)),
                None => ProbeResult::Silent(format!("answers, but not as {} does", program.name())),
            }
        }
        (Some(page), _) if page.exit_code == CONNECTION_REFUSED => ProbeResult::Refused,
        (Some(page), _) if page.exit_code == 0 => {
            ProbeResult::Silent(format!("answers with status {}", page.status))
        }
        (Some(page), _) => ProbeResult::Silent(format!(
            "did not answer (curl: exit code {})",
            page.exit_code
        )),
        (None, _) => ProbeResult::Silent("was not probed in time".to_owned()),
    }
}

/// The URL of a node's page, as the script requests and prints it.
pub(crate) fn page_url(port: Port, path: &str) -> String {
    format!("http://127.0.0.1:{port}{path}")
}

fn silent<'a>(nodes: impl Iterator<Item = &'a Node>, reason: &str) -> HashMap<NodeId, ProbeResult> {
    nodes
        .map(|node| (node.id, ProbeResult::Silent(reason.to_owned())))
        .collect()
}

/// Parses the output of the probe script into pages by URL. A line with marker, HTTP status, exit code and URL ends
/// each page. A truncated page has no such line, so the result does not contain it.
pub(crate) fn parse_pages<'a>(output: &'a [u8], marker: &str) -> HashMap<&'a str, Page<'a>> {
    let marker = format!("\n{marker} ");
    let mut pages = HashMap::new();
    let mut rest = output;
    while let Some(at) = find(rest, marker.as_bytes()) {
        let (body, after) = (&rest[..at], &rest[at + marker.len()..]);
        let Some(end) = after.iter().position(|&byte| byte == b'\n') else {
            break;
        };
        let line = std::str::from_utf8(&after[..end]).unwrap_or_default();
        let mut fields = line.split(' ');
        if let (Some(status), Some(code), Some(url)) = (fields.next(), fields.next(), fields.next())
            && let (Ok(status), Ok(exit_code)) = (status.parse(), code.parse())
        {
            let page = Page {
                body,
                status,
                exit_code,
            };
            pages.insert(url, page);
        }
        rest = &after[end + 1..];
    }
    pages
}

fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    let first = *pattern.first()?;
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|&byte| byte == first) {
        if text[from + at..].starts_with(pattern) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marker_separates_pages() {
        let output = b"one\nwnm-x 200 0 http://h:1/a\nline\nwnm-y 200 0 http://h:9/a\nmore\n\
            \nwnm-x 200 0 http://h:1/b\n\nwnm-x 000 7 http://h:2/a\nhalf a page\nwnm-x 200 0 http://h:3/a";
        let pages = parse_pages(output, "wnm-x");
        let body = |url: &str| String::from_utf8_lossy(pages[url].body).into_owned();
        assert_eq!(pages.len(), 3);
        assert_eq!(body("http://h:1/a"), "one");
        assert_eq!(
            body("http://h:1/b"),
            "line\nwnm-y 200 0 http://h:9/a\nmore\n"
        );
        assert_eq!(pages["http://h:2/a"].exit_code, CONNECTION_REFUSED);
    }
}
