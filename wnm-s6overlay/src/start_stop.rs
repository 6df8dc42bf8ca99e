//! Starts and stops nodes, all nodes of a container with one exec.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use wnm_core::fault;
use wnm_core::id::ContainerId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::{layout, rollback};

use crate::S6Overlay;
use crate::run_script::RunScript;
use crate::scripts::{Script, service_name};
use crate::status_output::{self, ServiceStatus};

/// How many bytes to read from the end of a node's output to find its last line.
const TAIL_BYTES: u64 = 1024;

/// How many characters of the last line to report.
const MAX_LINE: usize = 200;

type Outcome = Result<(), ManagerError>;

impl S6Overlay {
    /// Starts nodes. If a node does not start after an upgrade, restores its previous program and starts that.
    pub(crate) async fn start_nodes(&self, nodes: &[Node]) -> Vec<Outcome> {
        let mut outcomes = self.start_once(nodes).await;
        let mut rolled_back = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            let files = self.files.as_ref();
            match &outcomes[index] {
                Ok(()) => rollback::forget(files, &node.binary).await,
                Err(ManagerError::Rejected { .. }) if rollback::is_kept(&node.binary) => {
                    match rollback::put_back(files, &node.binary).await {
                        Ok(rollback) => rolled_back.push((index, rollback)),
                        Err(error) => outcomes[index] = Err(error),
                    }
                }
                Err(_) => {}
            }
        }
        let nodes: Vec<Node> = rolled_back
            .iter()
            .map(|(index, _)| nodes[*index].clone())
            .collect();
        for ((index, rollback), second) in
            rolled_back.into_iter().zip(self.start_once(&nodes).await)
        {
            if let Err(ManagerError::Rejected { words, .. }) = &mut outcomes[index] {
                *words = format!("{words}; {}", rollback.told_with(second));
            }
        }
        outcomes
    }

    /// Writes the services of nodes and brings them up. Brings those that exit at once down again: s6 would restart
    /// them without end, and wnm decides when to retry.
    async fn start_once(&self, nodes: &[Node]) -> Vec<Outcome> {
        let services: Vec<Result<(String, String), ManagerError>> =
            nodes.iter().map(|node| self.service(node)).collect();
        for node in nodes {
            // Somebody may have deleted the log directory. Without it, the node could not report why it fails.
            let logs = layout::log_dir(node, &self.context.paths);
            if !logs.is_dir()
                && let Err(error) = self.files.own_directory(&logs).await
            {
                tracing::warn!(node = %node.service, %error, "cannot create the log directory");
            }
        }
        let to_outcome = |node: &Node, status: Option<&ServiceStatus>| match status {
            Some(ServiceStatus::Up) => Ok(()),
            Some(ServiceStatus::Down(exit)) => Err(ManagerError::Rejected {
                what: format!("starting {}", node.service),
                words: format!("it exited at once ({exit}){}", self.last_output(node)),
            }),
            // The node may run, so do not treat this as a failed start.
            Some(ServiceStatus::Unclear) | None => Err(self.no_status(node)),
        };
        let outcomes = self
            .run_in_containers(nodes, services, Script::Start, to_outcome)
            .await;
        let rejected: Vec<Node> = nodes
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| matches!(outcome, Err(ManagerError::Rejected { .. })))
            .map(|(node, _)| node.clone())
            .collect();
        if !rejected.is_empty() {
            // The caller gets the first error, so only log these.
            for error in self
                .stop_nodes(&rejected)
                .await
                .into_iter()
                .filter_map(Result::err)
            {
                tracing::warn!(%error, "cannot stop a node after its failed start");
            }
        }
        outcomes
    }

    fn no_status(&self, node: &Node) -> ManagerError {
        ManagerError::Unreachable {
            supervisor: format!("s6 in container {}", self.container_of(node)),
            reason: format!("it does not say whether {} runs", node.service),
        }
    }

    /// Stops nodes and keeps their services down.
    pub(crate) async fn stop_nodes(&self, nodes: &[Node]) -> Vec<Outcome> {
        self.bring_down(nodes, Script::Stop).await
    }

    /// Runs [`Script::Stop`] or [`Script::Remove`]. Succeeds if the container is missing or does not run: then no
    /// node in it is up.
    pub(crate) async fn bring_down(&self, nodes: &[Node], script: Script) -> Vec<Outcome> {
        let services = nodes
            .iter()
            .map(|node| Ok((service_name(node)?, String::new())))
            .collect();
        self.run_in_containers(nodes, services, script, |node, status| match status {
            None => Ok(()),
            Some(ServiceStatus::Unclear) => Err(self.no_status(node)),
            Some(_) => Err(ManagerError::Rejected {
                what: format!("stopping {}", node.service),
                words: "it still runs".to_owned(),
            }),
        })
        .await
    }

    /// Runs a script in all containers of these nodes at once. `services` has the service name and run script of
    /// each node, in the same order. `to_outcome` maps the status that the script reports to the node's outcome.
    async fn run_in_containers(
        &self,
        nodes: &[Node],
        mut services: Vec<Result<(String, String), ManagerError>>,
        script: Script,
        to_outcome: impl Fn(&Node, Option<&ServiceStatus>) -> Outcome,
    ) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = nodes.iter().map(|_| None).collect();
        let mut calls = Vec::new();
        for (id, group) in self.group_by_container(nodes) {
            let (mut args, mut indexed_names) = (Vec::new(), Vec::new());
            for (index, _) in group {
                let service = std::mem::replace(&mut services[index], Ok(Default::default()));
                match service {
                    Ok((name, run_script)) => {
                        indexed_names.push((index, name.clone()));
                        args.push(name);
                        if script == Script::Start {
                            args.push(run_script);
                        }
                    }
                    Err(error) => outcomes[index] = Some(Err(error)),
                }
            }
            if !indexed_names.is_empty() {
                calls.push(async move {
                    let output = self.run_if_up(id, script, args).await;
                    let statuses = output.and_then(|output| status_output::parse(id, &output));
                    (indexed_names, statuses)
                });
            }
        }
        for (indexed_names, statuses) in join_all(calls).await {
            match statuses {
                Ok(statuses) => {
                    for (index, name) in indexed_names {
                        outcomes[index] = Some(to_outcome(&nodes[index], statuses.get(&name)));
                    }
                }
                Err(error) => {
                    for (index, _) in indexed_names {
                        outcomes[index] = Some(Err(error.repeat()));
                    }
                }
            }
        }
        fault::point(match script {
            Script::Start => "s6overlay.start.started",
            Script::Remove => "s6overlay.remove.dropped",
            _ => "s6overlay.stop.stopped",
        });
        outcomes
            .into_iter()
            .zip(nodes)
            .map(|(outcome, node)| {
                outcome.unwrap_or_else(|| Err(ManagerError::NotFound(node.service.clone())))
            })
            .collect()
    }

    /// Runs a script. For a script that stops nodes, a container that is missing or does not run is a success with
    /// empty output.
    async fn run_if_up(
        &self,
        id: ContainerId,
        script: Script,
        args: Vec<String>,
    ) -> Result<Vec<u8>, ManagerError> {
        match self.run_script(id, script, args).await {
            Err(ManagerError::NotFound(_)) if script != Script::Start => Ok(Vec::new()),
            Err(ManagerError::Rejected { words, .. })
                if script != Script::Start && words.contains("is not running") =>
            {
                Ok(Vec::new())
            }
            other => other,
        }
    }

    /// The name of a node's service and its run script.
    fn service(&self, node: &Node) -> Result<(String, String), ManagerError> {
        let name = service_name(node)?;
        if !node.binary.is_file() {
            return Err(ManagerError::NotFound(node.binary.display().to_string()));
        }
        let rejected = |words: String| ManagerError::Rejected {
            what: format!("starting {name}"),
            words,
        };
        let (program, launch) = (&self.context.program, &self.context.launch);
        let mapped = self.container_paths.map_node(node, &self.context.paths)?;
        let paths = self.container_paths.paths();
        let logs = mapped
            .log_dir
            .clone()
            .unwrap_or_else(|| mapped.root_dir.clone());
        let script = RunScript {
            args: program
                .arguments(&mapped, launch, &paths)
                .map_err(|error| rejected(error.to_string()))?,
            environment: program
                .environment(&mapped, launch)
                .map_err(|error| rejected(error.to_string()))?,
            program: mapped.binary,
            root_dir: mapped.root_dir,
            output: logs.join(self.output_file_name()),
        };
        let text = script
            .render()
            .map_err(|error| rejected(error.to_string()))?;
        Ok((name, text))
    }

    fn output_file_name(&self) -> String {
        format!("{}.out", self.context.program.name())
    }

    /// The last line of a node's output, as a suffix for an error message. Empty if there is none.
    fn last_output(&self, node: &Node) -> String {
        let logs: PathBuf = layout::log_dir(node, &self.context.paths);
        let line = last_line(&logs.join(self.output_file_name())).unwrap_or_default();
        match line.is_empty() {
            true => String::new(),
            false => format!(": {line}"),
        }
    }
}

fn last_line(file: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(file)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail)?;
    let text = String::from_utf8_lossy(&tail);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    let printable = line.unwrap_or_default().chars().filter(|c| !c.is_control());
    Ok(printable.take(MAX_LINE).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_line_is_printable_and_not_empty() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("antnode.out");
        std::fs::write(&file, "first\nError: \u{1b}[31mport in use\n\n").unwrap();
        assert_eq!(last_line(&file).unwrap(), "Error: [31mport in use");
    }
}
