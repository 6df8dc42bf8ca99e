//! Asks nodes over HTTP, many at once.

mod answers;
mod descriptors;
mod fetch;
mod fetch_error;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use self::fetch_error::FetchError;
use wnm_core::id::NodeId;
use wnm_core::node::ProbeResult;
use wnm_core::probe::{NodeProbe, SurveyTarget};
use wnm_core::program::NodeProgram;
use wnm_core::quantity::Milliseconds;

/// Nodes asked at once. As many as a large machine has: a fleet that hangs takes one deadline and not
/// several, and a connection that waits costs a descriptor and a few kilobytes.
const MOST_IN_FLIGHT: usize = 1024;

/// Nodes asked at once that are expected to answer any moment. Their pages are in memory together (about
/// 40 KB each), and more of them would not be read sooner by the few cores there are.
const MOST_FRESH: usize = 64;

/// How long a node counts as about to answer. A healthy one takes a few milliseconds; a thousand that hang
/// are all asked within sixteen times this.
const FRESH: Duration = Duration::from_millis(50);

/// Longest wait for a connection. On the same machine it takes microseconds or is refused.
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);

/// Longest time for one node, from the connection to the end of its last page.
const NODE_DEADLINE: Duration = Duration::from_secs(5);

/// Largest page. Nodes serve about 40 KB; what goes on past this is no node.
const PAGE_LIMIT: usize = 1024 * 1024;

/// How long and how much a survey takes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurveyLimits {
    /// Nodes asked at once, as far as the process may open as many descriptors.
    pub in_flight: usize,
    /// Wait for a connection.
    pub connect: Duration,
    /// Time for one node, all included.
    pub node: Duration,
    /// Size of one page in bytes.
    pub page: usize,
}

impl Default for SurveyLimits {
    fn default() -> Self {
        Self {
            in_flight: MOST_IN_FLIGHT,
            connect: CONNECT_DEADLINE,
            node: NODE_DEADLINE,
            page: PAGE_LIMIT,
        }
    }
}

/// Asks nodes over HTTP: what they are and then how they are, two pages over one connection.
///
/// A survey of more nodes than the process may open descriptors raises its soft limit, by no more than is
/// needed and never past the hard one.
pub struct HttpProbe {
    program: Arc<dyn NodeProgram>,
    limits: SurveyLimits,
}

impl HttpProbe {
    /// Reads pages as `program` does.
    pub fn new(program: Arc<dyn NodeProgram>, limits: SurveyLimits) -> Self {
        Self { program, limits }
    }
}

#[async_trait]
impl NodeProbe for HttpProbe {
    async fn survey(
        &self,
        targets: &[SurveyTarget],
        pacing: Milliseconds,
    ) -> HashMap<NodeId, ProbeResult> {
        let in_flight = descriptors::available(self.limits.in_flight.min(targets.len())).max(1);
        let fresh = Arc::new(Semaphore::new(MOST_FRESH));
        let mut pace = (pacing.0 > 0).then(|| {
            let mut pace = interval(pacing.duration());
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            pace
        });
        let mut hosts: HashMap<&str, Arc<Host>> = HashMap::new();
        let mut probes = HashMap::with_capacity(targets.len());
        // Dropped with the survey, and every question under way with it.
        let mut asked = JoinSet::new();
        for target in targets {
            while asked.len() >= in_flight {
                note(&mut probes, asked.join_next().await);
            }
            if let Some(pace) = &mut pace {
                pace.tick().await;
            }
            let place = Arc::clone(&fresh).acquire_owned().await;
            let host = hosts
                .entry(&target.host)
                .or_insert_with(|| Arc::new(Host::new(&target.host)));
            let question = Question {
                program: Arc::clone(&self.program),
                limits: self.limits,
                host: Arc::clone(host),
                port: target.port.get(),
            };
            let id = target.id;
            asked.spawn(async move {
                let mut answer = Box::pin(question.ask());
                let early = timeout(FRESH, &mut answer).await;
                drop(place);
                match early {
                    Ok(probe) => (id, probe),
                    Err(_) => (id, answer.await),
                }
            });
        }
        while !asked.is_empty() {
            note(&mut probes, asked.join_next().await);
        }
        for target in targets {
            probes
                .entry(target.id)
                .or_insert_with(|| ProbeResult::Silent("its answer could not be read".to_owned()));
        }
        probes
    }
}

/// Keeps an answer. A question that broke off has none; its node is filled in at the end.
fn note(
    probes: &mut HashMap<NodeId, ProbeResult>,
    ended: Option<Result<(NodeId, ProbeResult), tokio::task::JoinError>>,
) {
    if let Some(Ok((id, probe))) = ended {
        probes.insert(id, probe);
    }
}

/// All pages that a connection brings, and why there are no more of them.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) async fn read_pages(
    stream: impl tokio::io::AsyncRead + Unpin,
    limit: usize,
) -> (Vec<bytes::Bytes>, String) {
    let mut answers = answers::Answers::new(stream);
    let mut pages = Vec::new();
    loop {
        match answers.page("/page", limit).await {
            Ok(page) => pages.push(page),
            Err(FetchError::Other(reason)) => return (pages, reason),
            Err(fault) => return (pages, format!("{fault:?}")),
        }
    }
}

/// One node to be asked.
struct Question {
    program: Arc<dyn NodeProgram>,
    limits: SurveyLimits,
    host: Arc<Host>,
    port: u16,
}

impl Question {
    async fn ask(self) -> ProbeResult {
        let paths = [self.program.metadata_path(), self.program.metrics_path()];
        let talk = async {
            let addresses = self.host.addresses().await?;
            fetch::fetch(addresses, self.port, &self.host.name, paths, &self.limits).await
        };
        let pages = match timeout(self.limits.node, talk).await {
            Ok(pages) => pages,
            Err(_) => Err(FetchError::Other(format!(
                "did not answer within {:?}",
                self.limits.node
            ))),
        };
        match pages {
            Ok([what, how]) => match self.program.read_report(&what, &how) {
                Some(report) => ProbeResult::Answered(Box::new(report)),
                None => {
                    ProbeResult::Silent(format!("answers, but not as {} does", self.program.name()))
                }
            },
            Err(FetchError::Refused) => ProbeResult::Refused,
            Err(FetchError::Closed) => {
                ProbeResult::Silent("closed the connection without an answer".to_owned())
            }
            Err(FetchError::Other(reason)) => ProbeResult::Silent(reason),
        }
    }
}

/// A host that nodes are on. A name is looked up once for all of them: a lookup takes a thread.
struct Host {
    name: String,
    addresses: OnceCell<Result<Vec<IpAddr>, String>>,
}

impl Host {
    fn new(name: &str) -> Self {
        let bare = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        let name = bare.unwrap_or(name).to_owned();
        let addresses = match name.parse() {
            Ok(address) => OnceCell::new_with(Some(Ok(vec![address]))),
            Err(_) => OnceCell::new(),
        };
        Self { name, addresses }
    }

    async fn addresses(&self) -> Result<&[IpAddr], FetchError> {
        let found = self
            .addresses
            .get_or_init(|| async {
                match tokio::net::lookup_host((self.name.as_str(), 0)).await {
                    Ok(found) => Ok(found.map(|address| address.ip()).collect()),
                    Err(error) => Err(format!("host {} is not known: {error}", self.name)),
                }
            })
            .await;
        match found {
            Ok(addresses) => Ok(addresses),
            Err(reason) => Err(FetchError::Other(reason.clone())),
        }
    }
}
