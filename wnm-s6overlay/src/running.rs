//! Starting and stopping, all nodes of a container at once.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use wnm_core::fault;
use wnm_core::id::ContainerId;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::{layout, rollback};

use crate::S6Overlay;
use crate::answer::{self, Said};
use crate::run_script::RunScript;
use crate::scripts::{Script, service_of};

/// How much of the end of a node's output is looked at for its last words.
const TAIL: u64 = 1024;

/// Most of the last line that is told.
const WORDS: usize = 200;

type Outcome = Result<(), ManagerError>;

impl S6Overlay {
    /// Starts nodes. Those whose program was replaced and does not start get the kept one back and are started
    /// with that.
    pub(crate) async fn start_or_go_back(&self, nodes: &[Node]) -> Vec<Outcome> {
        let mut outcomes = self.launch(nodes).await;
        let mut again = Vec::new();
        for (place, node) in nodes.iter().enumerate() {
            let files = self.files.as_ref();
            match &outcomes[place] {
                Ok(()) => rollback::forget(files, &node.binary).await,
                Err(ManagerError::Rejected { .. }) if rollback::is_kept(&node.binary) => {
                    match rollback::put_back(files, &node.binary).await {
                        Ok(back) => again.push((place, back)),
                        Err(error) => outcomes[place] = Err(error),
                    }
                }
                Err(_) => {}
            }
        }
        let nodes: Vec<Node> = again
            .iter()
            .map(|(place, _)| nodes[*place].clone())
            .collect();
        for ((place, back), second) in again.into_iter().zip(self.launch(&nodes).await) {
            if let Err(ManagerError::Rejected { words, .. }) = &mut outcomes[place] {
                *words = format!("{words}; {}", back.told_with(second));
            }
        }
        outcomes
    }

    /// Writes the services of nodes and brings them up. Those that do not stay up are taken down again: s6 would
    /// start them over and over, and they are wnm's to try.
    async fn launch(&self, nodes: &[Node]) -> Vec<Outcome> {
        let scripts: Vec<Result<(String, String), ManagerError>> =
            nodes.iter().map(|node| self.service(node)).collect();
        for node in nodes {
            // A directory that somebody deleted; without it the node could not say why it does not start.
            let logs = layout::log_dir(node, &self.context.paths);
            if !logs.is_dir()
                && let Err(error) = self.files.own_directory(&logs).await
            {
                tracing::warn!(node = %node.service, %error, "no directory for its logs");
            }
        }
        let read = |node: &Node, said: Option<&Said>| match said {
            Some(Said::Up) => Ok(()),
            Some(Said::Down(how)) => Err(ManagerError::Rejected {
                what: format!("starting {}", node.service),
                words: format!("it ended at once ({how}){}", self.last_words(node)),
            }),
            // It may well run, so nothing that is for a start that failed is done.
            Some(Said::Unclear) | None => Err(self.silent_about(node)),
        };
        let outcomes = self
            .in_containers(nodes, scripts, Script::Start, read)
            .await;
        let refused: Vec<Node> = nodes
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| matches!(outcome, Err(ManagerError::Rejected { .. })))
            .map(|(node, _)| node.clone())
            .collect();
        if !refused.is_empty() {
            // The failure to tell is the first one.
            for error in self.end(&refused).await.into_iter().filter_map(Result::err) {
                tracing::warn!(%error, "a node that did not start was not taken down");
            }
        }
        outcomes
    }

    fn silent_about(&self, node: &Node) -> ManagerError {
        ManagerError::Unreachable {
            supervisor: format!("s6 in container {}", self.container_of(node)),
            reason: format!("it does not say whether {} runs", node.service),
        }
    }

    /// Takes nodes down.
    pub(crate) async fn end(&self, nodes: &[Node]) -> Vec<Outcome> {
        self.take_down_by(nodes, Script::Stop).await
    }

    /// Takes nodes down by one of the scripts that do. A container that is gone or does not run has none up.
    pub(crate) async fn take_down_by(&self, nodes: &[Node], script: Script) -> Vec<Outcome> {
        let names = nodes
            .iter()
            .map(|node| Ok((service_of(node)?, String::new())))
            .collect();
        self.in_containers(nodes, names, script, |node, said| match said {
            None => Ok(()),
            Some(Said::Unclear) => Err(self.silent_about(node)),
            Some(_) => Err(ManagerError::Rejected {
                what: format!("stopping {}", node.service),
                words: "it still runs".to_owned(),
            }),
        })
        .await
    }

    /// Runs a script in each of the containers that nodes are in, at once, and reads what it said of each node.
    async fn in_containers(
        &self,
        nodes: &[Node],
        mut words: Vec<Result<(String, String), ManagerError>>,
        script: Script,
        read: impl Fn(&Node, Option<&Said>) -> Outcome,
    ) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = nodes.iter().map(|_| None).collect();
        let mut calls = Vec::new();
        for (id, group) in self.by_container(nodes) {
            let (mut args, mut places) = (Vec::new(), Vec::new());
            for (place, _) in group {
                let taken = std::mem::replace(&mut words[place], Ok(Default::default()));
                match taken {
                    Ok((name, text)) => {
                        places.push((place, name.clone()));
                        args.push(name);
                        if script == Script::Start {
                            args.push(text);
                        }
                    }
                    Err(error) => outcomes[place] = Some(Err(error)),
                }
            }
            if !places.is_empty() {
                calls.push(async move {
                    let output = self.run_where_up(id, script, args).await;
                    (places, output.and_then(|output| answer::read(id, &output)))
                });
            }
        }
        for (places, said) in join_all(calls).await {
            match said {
                Ok(said) => {
                    for (place, name) in places {
                        outcomes[place] = Some(read(&nodes[place], said.get(&name)));
                    }
                }
                Err(error) => {
                    for (place, _) in places {
                        outcomes[place] = Some(Err(same(&error)));
                    }
                }
            }
        }
        fault::point(match script {
            Script::Start => "s6overlay.start.started",
            Script::Drop => "s6overlay.remove.dropped",
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

    /// Runs a script. What takes nodes down has nothing to do in a container that does not run.
    async fn run_where_up(
        &self,
        id: ContainerId,
        script: Script,
        args: Vec<String>,
    ) -> Result<Vec<u8>, ManagerError> {
        match self.run(id, script, args).await {
            Err(ManagerError::NotFound(_)) if script != Script::Start => Ok(Vec::new()),
            Err(ManagerError::Rejected { words, .. })
                if script != Script::Start && words.contains("is not running") =>
            {
                Ok(Vec::new())
            }
            other => other,
        }
    }

    /// The name of a node's service, and its run script.
    fn service(&self, node: &Node) -> Result<(String, String), ManagerError> {
        let name = service_of(node)?;
        if !node.binary.is_file() {
            return Err(ManagerError::NotFound(node.binary.display().to_string()));
        }
        let rejected = |words: String| ManagerError::Rejected {
            what: format!("starting {name}"),
            words,
        };
        let (program, launch) = (&self.context.program, &self.context.launch);
        let seen = self.inside.node(node, &self.context.paths)?;
        let paths = self.inside.paths();
        let logs = seen
            .log_dir
            .clone()
            .unwrap_or_else(|| seen.root_dir.clone());
        let script = RunScript {
            args: program
                .arguments(&seen, launch, &paths)
                .map_err(|error| rejected(error.to_string()))?,
            environment: program
                .environment(&seen, launch)
                .map_err(|error| rejected(error.to_string()))?,
            program: seen.binary,
            root_dir: seen.root_dir,
            output: logs.join(self.output_name()),
        };
        let text = script
            .render()
            .map_err(|error| rejected(error.to_string()))?;
        Ok((name, text))
    }

    fn output_name(&self) -> String {
        format!("{}.out", self.context.program.name())
    }

    /// The last line that a node printed, to be put behind what became of it.
    fn last_words(&self, node: &Node) -> String {
        let logs: PathBuf = layout::log_dir(node, &self.context.paths);
        let line = last_line(&logs.join(self.output_name())).unwrap_or_default();
        match line.is_empty() {
            true => String::new(),
            false => format!(": {line}"),
        }
    }
}

fn last_line(file: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(file)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let text = String::from_utf8_lossy(&tail);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    let printable = line.unwrap_or_default().chars().filter(|c| !c.is_control());
    Ok(printable.take(WORDS).collect())
}

/// The error of a call that was for many, for one of them.
pub(crate) fn same(error: &ManagerError) -> ManagerError {
    match error {
        ManagerError::NotPermitted(words) => ManagerError::NotPermitted(words.clone()),
        ManagerError::Unreachable { supervisor, reason } => ManagerError::Unreachable {
            supervisor: supervisor.clone(),
            reason: reason.clone(),
        },
        ManagerError::TimedOut { what, limit } => ManagerError::TimedOut {
            what: what.clone(),
            limit: *limit,
        },
        ManagerError::Rejected { what, words } => ManagerError::Rejected {
            what: what.clone(),
            words: words.clone(),
        },
        ManagerError::Ports(error) => ManagerError::Ports(error.clone()),
        ManagerError::NotFound(what) => ManagerError::NotFound(what.clone()),
        ManagerError::Io { what, source } => {
            ManagerError::io(what.clone(), std::io::Error::from(source.kind()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_one_clean_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("antnode.out");
        std::fs::write(&file, "first\nError: \u{1b}[31mport in use\n\n").unwrap();
        assert_eq!(last_line(&file).unwrap(), "Error: [31mport in use");
    }
}
