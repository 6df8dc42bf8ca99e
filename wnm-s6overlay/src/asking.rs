//! What nodes say of themselves, where they cannot be asked from here.
//!
//! Nodes serve their metrics on the loopback of the network they are in. In a container with a network of its own
//! that is reached by nothing from outside, so they are asked from inside: one exec for all nodes of a container.

use std::collections::HashMap;

use futures_util::future::join_all;
use wnm_core::container::ContainerNetwork;
use wnm_core::id::ContainerId;
use wnm_core::id::NodeId;
use wnm_core::node::Node;
use wnm_core::node::Probe;
use wnm_core::ports::Port;
use wnm_core::program::NodeProgram;

use crate::S6Overlay;
use crate::containers::Phase;
use crate::scripts::Script;

/// The status of an answer that is one.
const OK: u16 = 200;

/// curl's exit code for a connection that was refused.
const REFUSED: u8 = 7;

/// A page and what came of asking for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page<'a> {
    pub body: &'a [u8],
    /// The status in the answer, 0 without one.
    pub status: u16,
    /// How curl ended, 0 with an answer.
    pub code: u8,
}

impl S6Overlay {
    pub(crate) async fn ask_inside(&self, nodes: &[Node]) -> HashMap<NodeId, Probe> {
        let containers = match self.containers().await {
            Ok(containers) => containers,
            // Without the engine nobody knows which of them are connected how; their ports can still be tried
            // where that is what new ones would have.
            Err(error) => {
                return match self.context.machine.containers.network {
                    ContainerNetwork::Host => HashMap::new(),
                    ContainerNetwork::Published => silent(nodes.iter(), &error.to_string()),
                };
            }
        };
        let asked = self
            .by_container(nodes)
            .into_iter()
            .filter_map(|(id, group)| {
                let found = containers.get(&id)?;
                let nodes: Vec<&Node> = group.into_iter().map(|(_, node)| node).collect();
                (found.network == ContainerNetwork::Published).then_some((id, found.state, nodes))
            })
            .map(|(id, phase, nodes)| async move { self.ask_container(id, phase, nodes).await });
        join_all(asked).await.into_iter().flatten().collect()
    }

    async fn ask_container(
        &self,
        id: ContainerId,
        phase: Phase,
        nodes: Vec<&Node>,
    ) -> HashMap<NodeId, Probe> {
        if phase != Phase::Running {
            return nodes
                .into_iter()
                .map(|node| (node.id, Probe::Refused))
                .collect();
        }
        let program = &self.context.program;
        // As good as any secret for as long as one exec takes.
        let mark = format!("wnm-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let (what, how) = (program.metadata_path(), program.metrics_path());
        let mut args = vec![mark.clone(), what.to_owned(), how.to_owned()];
        let asked = nodes.iter().filter(|node| !node.is_disabled());
        let ports = asked.filter_map(|node| node.ports.metrics);
        args.extend(ports.map(|port| port.to_string()));
        let output = match self.run(id, Script::Ask, args).await {
            Ok(output) => output,
            Err(error) => return silent(nodes.into_iter(), &error.to_string()),
        };
        let pages = pages(&output, &mark);
        nodes
            .into_iter()
            .filter(|node| !node.is_disabled())
            .map(|node| (node.id, probe(program.as_ref(), &pages, node.ports.metrics)))
            .collect()
    }
}

/// What the pages of the node with this metrics port say.
pub(crate) fn probe(
    program: &dyn NodeProgram,
    pages: &HashMap<&str, Page<'_>>,
    port: Option<Port>,
) -> Probe {
    let page = |path: &str| pages.get(address(port?, path).as_str());
    match (page(program.metadata_path()), page(program.metrics_path())) {
        (Some(what), Some(how)) if what.status == OK && how.status == OK => {
            match program.read_report(what.body, how.body) {
                Some(report) => Probe::Answered(Box::new(report)),
                None => Probe::Silent(format!("answers, but not as {} does", program.name())),
            }
        }
        (Some(page), _) if page.code == REFUSED => Probe::Refused,
        (Some(page), _) if page.code == 0 => {
            Probe::Silent(format!("answers with status {}", page.status))
        }
        (Some(page), _) => Probe::Silent(format!("did not answer (curl: exit code {})", page.code)),
        (None, _) => Probe::Silent("was not asked in time".to_owned()),
    }
}

/// Where a node serves a page, as the script asks for it.
pub(crate) fn address(port: Port, path: &str) -> String {
    format!("http://127.0.0.1:{port}{path}")
}

fn silent<'a>(nodes: impl Iterator<Item = &'a Node>, reason: &str) -> HashMap<NodeId, Probe> {
    nodes
        .map(|node| (node.id, Probe::Silent(reason.to_owned())))
        .collect()
}

/// The pages in the output of the script, by address. Each ends with a line of the mark, status, exit code and
/// address; what is cut off has none and is no page.
pub(crate) fn pages<'a>(output: &'a [u8], mark: &str) -> HashMap<&'a str, Page<'a>> {
    let mark = format!("\n{mark} ");
    let mut pages = HashMap::new();
    let mut rest = output;
    while let Some(at) = find(rest, mark.as_bytes()) {
        let (body, after) = (&rest[..at], &rest[at + mark.len()..]);
        let Some(end) = after.iter().position(|&byte| byte == b'\n') else {
            break;
        };
        let line = std::str::from_utf8(&after[..end]).unwrap_or_default();
        let mut words = line.split(' ');
        if let (Some(status), Some(code), Some(url)) = (words.next(), words.next(), words.next())
            && let (Ok(status), Ok(code)) = (status.parse(), code.parse())
        {
            pages.insert(url, Page { body, status, code });
        }
        rest = &after[end + 1..];
    }
    pages
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|&byte| byte == first) {
        if text[from + at..].starts_with(wanted) {
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
    fn pages_are_told_apart_by_the_mark_alone() {
        let output = b"one\nwnm-x 200 0 http://h:1/a\nline\nwnm-y 200 0 http://h:9/a\nmore\n\
            \nwnm-x 200 0 http://h:1/b\n\nwnm-x 000 7 http://h:2/a\nhalf a page\nwnm-x 200 0 http://h:3/a";
        let pages = pages(output, "wnm-x");
        let body = |url: &str| String::from_utf8_lossy(pages[url].body).into_owned();
        assert_eq!(pages.len(), 3);
        assert_eq!(body("http://h:1/a"), "one");
        assert_eq!(
            body("http://h:1/b"),
            "line\nwnm-y 200 0 http://h:9/a\nmore\n"
        );
        assert_eq!(pages["http://h:2/a"].code, REFUSED);
    }
}
