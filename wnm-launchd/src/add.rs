//! Adds nodes: directories, program and job file.

use std::io::ErrorKind;

use wnm_core::fault;
use wnm_core::kind::Mode;
use wnm_core::manager::{AddedNode, ManagerError};
use wnm_core::node::Node;
use wnm_core::program::{NodeBinary, ProgramError};
use wnm_host::blocking;
use wnm_host::{install, layout};

use crate::Launchd;
use crate::domain::Domain;
use crate::job_file::{JobFile, MARK, RenderError};
use crate::label::Label;
use crate::status::JobState;

/// Who owns the file at a job's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// There is no file.
    Absent,
    /// wnm wrote it. Holds the content.
    Ours(Vec<u8>),
    /// Someone else wrote it.
    Foreign,
}

impl Launchd {
    pub(crate) async fn add_node(
        &self,
        node: &Node,
        binary: &NodeBinary,
    ) -> Result<AddedNode, ManagerError> {
        let label = Label::for_id(node.id);
        let node = install::located(node, label.to_string(), &self.context)?;
        if self.ownership(&label).await? == Ownership::Foreign {
            return Err(ManagerError::Rejected {
                what: format!("adding {label}"),
                words: format!(
                    "{} exists and was not written by wnm; adopt its node with --import",
                    self.job_path(&label).display()
                ),
            });
        }
        // Render first, so that a path that cannot be written leaves nothing behind.
        self.job_text(&node, &label, self.default_domain())?;
        self.make_directories(&node).await?;
        fault::point("launchd.add.directories");
        self.files
            .install_unless_same(&binary.path, &node.binary)
            .await?;
        fault::point("launchd.add.binary");
        if self
            .is_outdated(&node, &label, self.default_domain())
            .await?
        {
            if let JobState::Loaded(domain, _) = self.find_job(&label).await? {
                self.unload_job(domain, &label).await?;
            }
            self.write_job(&node, &label, self.default_domain()).await?;
        }
        fault::point("launchd.add.file");
        self.context.open_port(&node).await?;
        Ok(node.into())
    }

    /// Whether wnm must write the job file: it is missing, or wnm wrote it and its settings
    /// changed.
    pub(crate) async fn is_outdated(
        &self,
        node: &Node,
        label: &Label,
        domain: Domain,
    ) -> Result<bool, ManagerError> {
        match self.ownership(label).await? {
            Ownership::Absent => Ok(true),
            Ownership::Foreign => Ok(false),
            Ownership::Ours(content) => {
                Ok(self.job_text(node, label, domain)?.as_bytes() != content)
            }
        }
    }

    /// Writes the job file. The job must not be loaded.
    pub(crate) async fn write_job(
        &self,
        node: &Node,
        label: &Label,
        domain: Domain,
    ) -> Result<(), ManagerError> {
        let text = self.job_text(node, label, domain)?;
        self.files.write(&self.job_path(label), &text).await?;
        fault::point("launchd.file.written");
        Ok(())
    }

    /// Returns the preferred domain for a new job.
    pub(crate) fn default_domain(&self) -> Domain {
        let domains = self.scope.domains();
        domains.first().copied().unwrap_or(Domain::System)
    }

    /// Creates the directories that a node writes to.
    pub(crate) async fn make_directories(&self, node: &Node) -> Result<(), ManagerError> {
        install::make_directories(self.files.as_ref(), node, &self.context.paths).await
    }

    /// Returns who owns the file of a job.
    pub(crate) async fn ownership(&self, label: &Label) -> Result<Ownership, ManagerError> {
        let path = self.job_path(label);
        blocking(move || match std::fs::read(&path) {
            Ok(content) if has_mark(&content) => Ok(Ownership::Ours(content)),
            Ok(_) => Ok(Ownership::Foreign),
            // A dangling symlink also belongs to someone.
            Err(_) if path.is_symlink() => Ok(Ownership::Foreign),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Ownership::Absent),
            Err(source) => Err(ManagerError::io(
                format!("reading {}", path.display()),
                source,
            )),
        })
        .await
    }

    fn job_text(&self, node: &Node, label: &Label, domain: Domain) -> Result<String, ManagerError> {
        let context = &self.context;
        let rejected = |words: String| ManagerError::Rejected {
            what: format!("writing job {label}"),
            words,
        };
        let program = |error: ProgramError| rejected(error.to_string());
        let mut node = node.clone();
        let logs = layout::log_dir(&node, &context.paths);
        node.log_dir = Some(logs.clone());
        let job = JobFile {
            label: label.clone(),
            args: context
                .program
                .arguments(&node, &context.launch, &context.paths)
                .map_err(program)?,
            environment: context
                .program
                .environment(&node, &context.launch)
                .map_err(program)?,
            output: logs.join(self.output_name()),
            user: match self.kind.mode() {
                Mode::Sudo => Some(context.owner.clone()),
                Mode::User | Mode::Zen => None,
            },
            background: matches!(domain, Domain::User(_)),
            program: node.binary,
            root_dir: node.root_dir,
        };
        job.render()
            .map_err(|error: RenderError| rejected(error.to_string()))
    }

    /// Returns the name of the file for a node's standard streams, in its log directory.
    pub(crate) fn output_name(&self) -> String {
        format!("{}.out", self.context.program.name())
    }
}

/// Whether wnm wrote a file: its mark comes before the root element, where no quoted text can be.
fn has_mark(content: &[u8]) -> bool {
    let root = b"<plist";
    let head = content.windows(root.len()).position(|part| part == root);
    let head = head.map(|end| &content[..end]).unwrap_or_default();
    head.windows(MARK.len()).any(|part| part == MARK.as_bytes())
}
