//! Probes many nodes at once over HTTP.

mod descriptors;
mod fetch;
mod fetch_error;
mod responses;
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
use wnm_core::program::{NodeProgram, PagePaths};
use wnm_core::quantity::Milliseconds;

/// How many nodes to probe at once. As many as a large machine has, so a fleet that hangs takes one
/// deadline and not several. A waiting connection costs a descriptor and a few kilobytes.
const MOST_IN_FLIGHT: usize = 1024;

/// How many nodes to probe at once that may still answer quickly. Their pages (about 40 KB each)
/// are in memory together, and a few cores would not read more of them any sooner.
const MOST_FRESH: usize = 64;

/// How long a node may still answer quickly. A healthy one takes a few milliseconds. A thousand
/// hung nodes are all probed within sixteen times this.
const FRESH: Duration = Duration::from_millis(50);

/// The longest wait for a connection. On the same machine one takes microseconds or is refused.
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);

/// The longest time for one node, from connecting to the end of its last page.
const NODE_DEADLINE: Duration = Duration::from_secs(5);

/// The largest page in bytes. Nodes serve about 40 KB.
const PAGE_LIMIT: usize = 1024 * 1024;

/// Limits of a survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurveyLimits {
    /// Nodes to probe at once. Fewer if the process may not open enough descriptors.
    pub in_flight: usize,
    /// The longest wait for a connection.
    pub connect: Duration,
    /// The longest time for one node in total.
    pub node: Duration,
    /// The largest page in bytes.
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

/// Probes nodes over HTTP: fetches the metadata and the metrics page over one connection.
///
/// If a survey needs more descriptors than the process may open, it raises the soft limit as far as
/// needed, but never past the hard limit.
pub struct HttpProbe {
    program: Arc<dyn NodeProgram>,
    limits: SurveyLimits,
}

impl HttpProbe {
    /// Creates a probe for nodes of `program`, which names the pages and reads them.
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
        let Some(pages) = self.program.pages() else {
            return HashMap::new();
        };
        let pages = Arc::new(pages);
        let in_flight = descriptors::available(self.limits.in_flight.min(targets.len())).max(1);
        let fresh = Arc::new(Semaphore::new(MOST_FRESH));
        let mut pace = (pacing.0 > 0).then(|| {
            let mut pace = interval(pacing.duration());
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            pace
        });
        let mut hosts: HashMap<&str, Arc<Host>> = HashMap::new();
        let mut probes = HashMap::with_capacity(targets.len());
        // Dropping the survey drops the set and cancels all requests.
        let mut tasks = JoinSet::new();
        for target in targets {
            while tasks.len() >= in_flight {
                store_result(&mut probes, tasks.join_next().await);
            }
            if let Some(pace) = &mut pace {
                pace.tick().await;
            }
            let permit = Arc::clone(&fresh).acquire_owned().await;
            let host = hosts
                .entry(&target.host)
                .or_insert_with(|| Arc::new(Host::new(&target.host)));
            let request = Request {
                program: Arc::clone(&self.program),
                pages: Arc::clone(&pages),
                limits: self.limits,
                host: Arc::clone(host),
                port: target.port.get(),
            };
            let id = target.id;
            tasks.spawn(async move {
                let mut answer = Box::pin(request.send());
                let in_time = timeout(FRESH, &mut answer).await;
                drop(permit);
                match in_time {
                    Ok(probe) => (id, probe),
                    Err(_) => (id, answer.await),
                }
            });
        }
        while !tasks.is_empty() {
            store_result(&mut probes, tasks.join_next().await);
        }
        for target in targets {
            probes
                .entry(target.id)
                .or_insert_with(|| ProbeResult::Silent("its answer could not be read".to_owned()));
        }
        probes
    }
}

/// Stores the result of a task. A task that panicked has none; the survey fills in its node at the
/// end.
fn store_result(
    probes: &mut HashMap<NodeId, ProbeResult>,
    ended: Option<Result<(NodeId, ProbeResult), tokio::task::JoinError>>,
) {
    if let Some(Ok((id, probe))) = ended {
        probes.insert(id, probe);
    }
}

/// All pages of a connection, and the reason why no more follow.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) async fn read_pages(
    stream: impl tokio::io::AsyncRead + Unpin,
    limit: usize,
) -> (Vec<bytes::Bytes>, String) {
    let mut responses = responses::Responses::new(stream);
    let mut pages = Vec::new();
    loop {
        match responses.page("/page", limit).await {
            Ok(page) => pages.push(page),
            Err(FetchError::Other(reason)) => return (pages, reason),
            Err(fault) => return (pages, format!("{fault:?}")),
        }
    }
}

/// The request to one node.
struct Request {
    program: Arc<dyn NodeProgram>,
    pages: Arc<PagePaths>,
    limits: SurveyLimits,
    host: Arc<Host>,
    port: u16,
}

impl Request {
    async fn send(self) -> ProbeResult {
        let paths = [self.pages.metadata.as_str(), self.pages.metrics.as_str()];
        let fetch = async {
            let addresses = self.host.addresses().await?;
            fetch::fetch(addresses, self.port, &self.host.name, paths, &self.limits).await
        };
        let pages = match timeout(self.limits.node, fetch).await {
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

/// A host of nodes. Its name is resolved once for all nodes, because each lookup takes a thread.
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
                    Err(error) => Err(format!("cannot resolve host {}: {error}", self.name)),
                }
            })
            .await;
        match found {
            Ok(addresses) => Ok(addresses),
            Err(reason) => Err(FetchError::Other(reason.clone())),
        }
    }
}
