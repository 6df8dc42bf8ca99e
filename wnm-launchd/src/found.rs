//! Jobs of nodes that are on this machine, whoever wrote them, for adoption.

use std::io::ErrorKind;
use std::path::Path;

use wnm_core::manager::{FoundNode, ManagerError};
use wnm_host::Account;
use wnm_host::blocking;

use crate::Launchd;
use crate::description::Description;
use crate::domain::Reach;
use crate::label::Label;

impl Launchd {
    /// Every node that a file in the directory of jobs runs.
    pub(crate) async fn find(&self) -> Result<Vec<FoundNode>, ManagerError> {
        let dir = self.job_dir.clone();
        // What runs without UserName runs as root, or as the caller.
        let runs_as = match self.reach {
            Reach::Machine => 0,
            Reach::Caller(uid) => uid,
        };
        let descriptions = blocking(move || {
            let account = Account::name_of(runs_as);
            let labels = labels_in(&dir)?;
            let read = |label: Label| {
                let file = dir.join(label.file_name());
                let read = Description::read(&file, label, &account);
                read.inspect_err(|reason| {
                    tracing::warn!(file = %file.display(), "left alone: {reason}");
                })
                .ok()
            };
            Ok(labels.into_iter().filter_map(read).collect::<Vec<_>>())
        })
        .await?;
        if descriptions.is_empty() {
            return Ok(Vec::new());
        }
        let labels: Vec<Label> = descriptions.iter().map(|job| job.label.clone()).collect();
        let jobs = self.holding(&labels).await?;
        let (program, bases) = (self.context.program.name(), &self.context.machine.ports);
        let node = |job: Description| {
            let state = self.state(&job.label, &jobs);
            let label = job.label.clone();
            job.node(program, bases, state)
                .inspect_err(|reason| tracing::warn!(%label, "left alone: {reason}"))
                .ok()
        };
        Ok(descriptions.into_iter().filter_map(node).collect())
    }
}

/// The labels of nodes by the names of the files in `dir`, in order; none when it is not there.
fn labels_in(dir: &Path) -> Result<Vec<Label>, ManagerError> {
    let unreadable = |source| ManagerError::io(format!("reading {}", dir.display()), source);
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(unreadable)?,
    };
    let mut labels = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        let label = name.to_str().and_then(|name| name.strip_suffix(".plist"));
        labels.extend(label.and_then(Label::read).filter(Label::is_of_a_node));
    }
    labels.sort();
    Ok(labels)
}
