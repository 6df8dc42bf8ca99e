//! Starting a node, and seeing that it stays.

use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Child;
use tokio::time::{Instant, timeout, timeout_at};
use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::blocking;
use wnm_host::layout;

use crate::detach::Order;
use crate::output::Output;
use crate::watch::Held;
use crate::{Setsid, rejection};

/// A program that is refused its arguments or its key ends within this; one that still runs is taken as
/// started. What ends it later shows in the next status.
const STAYS_FOR: Duration = Duration::from_millis(300);

/// How long sudo and setsid may take to become the node.
const APPEARS_WITHIN: Duration = Duration::from_secs(5);

/// How often the node is looked for meanwhile: another account's exec is an event that nobody reports.
const LOOK_EVERY: Duration = Duration::from_millis(25);

impl Setsid {
    /// Starts the node's program unless it runs.
    pub(crate) async fn launch(&self, node: &Node) -> Result<(), ManagerError> {
        if !self.processes_of(node).await?.is_empty() {
            return Ok(());
        }
        let order = self.order(node)?;
        let log_dir = layout::log_dir(node, &self.context.paths);
        self.files.own_directory(&log_dir).await?;
        self.files
            .directory(&self.context.paths.bootstrap_cache)
            .await?;
        let output = log_dir.join(format!("{}.out", self.context.program.name()));
        let output = Output::open(self.files.as_ref(), self.hands.as_ref(), &output).await?;
        let child = self.hands.spawn(&order, &output.file).await?;
        fault::point("setsid.start.spawned");
        let early = match child {
            Some(child) => self.ended_early(child).await?,
            None => self.vanished(node).await?,
        };
        let Some(how) = early else {
            return Ok(());
        };
        // A program may hand itself over to a new process and end.
        if !self.processes_of(node).await?.is_empty() {
            return Ok(());
        }
        Err(ManagerError::Rejected {
            what: format!("starting {}", node.service),
            words: format!("it ended at once ({how}): {}", output.last_words()),
        })
    }

    fn order(&self, node: &Node) -> Result<Order, ManagerError> {
        let what = || format!("starting {}", node.service);
        let found =
            |path: &Path, wanted: fn(&std::fs::Metadata) -> bool| match std::fs::metadata(path) {
                Ok(entry) if wanted(&entry) => Ok(()),
                Ok(_) => Err(ManagerError::Rejected {
                    what: what(),
                    words: format!("{} is something else", path.display()),
                }),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    Err(ManagerError::NotFound(path.display().to_string()))
                }
                Err(source) => Err(ManagerError::io(
                    format!("{}: {}", what(), path.display()),
                    source,
                )),
            };
        found(&node.root_dir, std::fs::Metadata::is_dir)?;
        found(&node.binary, std::fs::Metadata::is_file)?;
        let context = &self.context;
        let mut node = node.clone();
        node.log_dir = Some(layout::log_dir(&node, &context.paths));
        Ok(Order {
            program: node.binary.clone().into(),
            args: context
                .program
                .arguments(&node, &context.launch, &context.paths)
                .map_err(rejection::program(what()))?,
            env: context
                .program
                .environment(&node, &context.launch)
                .map_err(rejection::program(what()))?,
            dir: node.root_dir,
        })
    }

    /// How the child ended, if it did. One that stays is let go: it is collected by the runtime should it
    /// end while this program lives.
    async fn ended_early(&self, mut child: Child) -> Result<Option<String>, ManagerError> {
        match timeout(STAYS_FOR, child.wait()).await {
            Err(_) => Ok(None),
            Ok(Ok(status)) => Ok(Some(words(status))),
            Ok(Err(source)) => Err(ManagerError::io("waiting for a node", source)),
        }
    }

    /// The same for a process that is not ours: first it has to be found.
    async fn vanished(&self, node: &Node) -> Result<Option<String>, ManagerError> {
        let gone = || Ok(Some("how is not known".to_owned()));
        let deadline = Instant::now() + APPEARS_WITHIN;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        let process = loop {
            looks.tick().await;
            // In this order, or a process could pass from the one to the other unseen.
            let on_its_way = self.is_on_its_way(node).await?;
            if let Some(process) = self.processes_of(node).await?.into_iter().next() {
                break process;
            }
            if !on_its_way || Instant::now() >= deadline {
                return gone();
            }
        };
        let held = Held::take(&self.table, process.kin)
            .map_err(|source| ManagerError::io("holding a node", source))?;
        let Some(held) = held else {
            return gone();
        };
        match timeout_at(Instant::now() + STAYS_FOR, held.ended(&self.table)).await {
            Err(_) => Ok(None),
            Ok(Ok(())) => gone(),
            Ok(Err(source)) => Err(ManagerError::io("waiting for a node", source)),
        }
    }
}

impl Setsid {
    /// Whether there is a process of `setsid --fork` that has yet to become the node's program.
    async fn is_on_its_way(&self, node: &Node) -> Result<bool, ManagerError> {
        let (table, binary) = (self.view()?, node.binary.clone());
        blocking(move || {
            let processes = table.processes(&|_| true)?;
            Ok(processes.iter().any(|process| {
                let starts = process.argv.first().is_some_and(|word| word == "setsid");
                starts && process.argv.get(2).is_some_and(|word| *word == binary)
            }))
        })
        .await
    }
}

fn words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}
