//! Discovers existing node jobs, whoever wrote them, for adoption.

use std::io::ErrorKind;
use std::path::Path;

use wnm_core::manager::{FoundNode, ManagerError};
use wnm_host::Account;
use wnm_host::blocking;

use crate::Launchd;
use crate::domain::Scope;
use crate::job_description::JobDescription;
use crate::label::Label;

impl Launchd {
    /// Finds every node that has a file in the job directory.
    pub(crate) async fn discover_nodes(&self) -> Result<Vec<FoundNode>, ManagerError> {
        let dir = self.job_dir.clone();
        // Without UserName, a system job runs as root and a user's job as that user.
        let runs_as = match self.scope {
            Scope::Machine => 0,
            Scope::Caller(uid) => uid,
        };
        let descriptions = blocking(move || {
            let account = Account::name_of(runs_as);
            let labels = labels_in(&dir)?;
            let read = |label: Label| {
                let file = dir.join(label.file_name());
                let read = JobDescription::read(&file, label, &account);
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
        let jobs = self.loaded_jobs(&labels).await?;
        let (program, bases) = (self.context.program.name(), &self.context.machine.ports);
        let node = |job: JobDescription| {
            let state = self.job_process_state(&job.label, &jobs);
            let label = job.label.clone();
            job.into_found_node(program, bases, state)
                .inspect_err(|reason| tracing::warn!(%label, "left alone: {reason}"))
                .ok()
        };
        Ok(descriptions.into_iter().filter_map(node).collect())
    }
}

/// Returns the sorted labels of the node job files in `dir`, or none if the directory does not
/// exist.
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
        labels.extend(label.and_then(Label::parse).filter(Label::is_node));
    }
    labels.sort();
    Ok(labels)
}
