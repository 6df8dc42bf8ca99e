//! A node made: directories, program and the file of its job.

use std::io::ErrorKind;

use wnm_core::fault;
use wnm_core::kind::Mode;
use wnm_core::manager::{AddedNode, ManagerError};
use wnm_core::node::Node;
use wnm_core::program::{NodeBinary, ProgramError};
use wnm_host::blocking;
use wnm_host::layout;

use crate::Launchd;
use crate::domain::Domain;
use crate::job_file::{JobFile, MARK, Unwritable};
use crate::label::Label;
use crate::looking::Held;

/// What is where the file of a job belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing.
    Free,
    /// What wnm wrote.
    Ours(Vec<u8>),
    /// Another's.
    Foreign,
}

impl Launchd {
    pub(crate) async fn make(
        &self,
        node: &Node,
        binary: &NodeBinary,
    ) -> Result<AddedNode, ManagerError> {
        let paths = &self.context.paths;
        layout::check_storage(paths)?;
        let label = Label::given_to(node.id);
        let mut node = node.clone();
        node.service = label.to_string();
        node.root_dir = paths.node_dir(node.id);
        node.binary = node.root_dir.join(self.context.program.name());
        node.log_dir = Some(paths.log_dir(node.id));
        if self.place(&label).await? == Place::Foreign {
            return Err(ManagerError::Rejected {
                what: format!("adding {label}"),
                words: format!(
                    "{} is there and not written by wnm; take its node over with --import",
                    self.file_of(&label).display()
                ),
            });
        }
        // Before anything is made: a path that cannot be written leaves nothing behind.
        self.text(&node, &label, self.usual_domain())?;
        self.make_directories(&node).await?;
        fault::point("launchd.add.directories");
        self.files
            .install_unless_same(&binary.path, &node.binary)
            .await?;
        fault::point("launchd.add.binary");
        if self.is_outdated(&node, &label, self.usual_domain()).await? {
            if let Held::In(domain, _) = self.held(&label).await? {
                self.let_go(domain, &label).await?;
            }
            self.write(&node, &label, self.usual_domain()).await?;
        }
        fault::point("launchd.add.file");
        self.context.open_port(&node).await?;
        Ok(AddedNode {
            service: node.service,
            binary: node.binary,
            root_dir: node.root_dir,
            log_dir: node.log_dir,
            ports: node.ports,
            container: None,
        })
    }

    /// Whether the file of a job is wnm's to write and not as it should be. One that is not there is an error.
    pub(crate) async fn is_outdated(
        &self,
        node: &Node,
        label: &Label,
        domain: Domain,
    ) -> Result<bool, ManagerError> {
        match self.place(label).await? {
            Place::Free => Ok(true),
            Place::Foreign => Ok(false),
            Place::Ours(content) => Ok(self.text(node, label, domain)?.as_bytes() != content),
        }
    }

    /// Writes the file of a job that launchd does not hold.
    pub(crate) async fn write(
        &self,
        node: &Node,
        label: &Label,
        domain: Domain,
    ) -> Result<(), ManagerError> {
        let text = self.text(node, label, domain)?;
        self.files.write(&self.file_of(label), &text).await?;
        fault::point("launchd.file.written");
        Ok(())
    }

    /// Where a new job belongs.
    pub(crate) fn usual_domain(&self) -> Domain {
        let domains = self.reach.domains();
        domains.first().copied().unwrap_or(Domain::System)
    }

    /// The directories that a node writes to, its own data among them.
    pub(crate) async fn make_directories(&self, node: &Node) -> Result<(), ManagerError> {
        self.files.own_directory(&node.root_dir).await?;
        let logs = layout::log_dir(node, &self.context.paths);
        self.files.own_directory(&logs).await?;
        self.files
            .directory(&self.context.paths.bootstrap_cache)
            .await
    }

    /// What is at the place of the file of a job.
    pub(crate) async fn place(&self, label: &Label) -> Result<Place, ManagerError> {
        let path = self.file_of(label);
        blocking(move || match std::fs::read(&path) {
            Ok(content) if has_mark(&content) => Ok(Place::Ours(content)),
            Ok(_) => Ok(Place::Foreign),
            // A link to nowhere is still someone's.
            Err(_) if path.is_symlink() => Ok(Place::Foreign),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Place::Free),
            Err(source) => Err(ManagerError::io(
                format!("reading {}", path.display()),
                source,
            )),
        })
        .await
    }

    fn text(&self, node: &Node, label: &Label, domain: Domain) -> Result<String, ManagerError> {
        let context = &self.context;
        let rejected = |words: String| ManagerError::Rejected {
            what: format!("the job of {label}"),
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
            .map_err(|error: Unwritable| rejected(error.to_string()))
    }

    /// Name of the file with what a node says on its standard streams, among its logs.
    pub(crate) fn output_name(&self) -> String {
        format!("{}.out", self.context.program.name())
    }
}

/// Whether wnm wrote it: its mark stands before the root, where nothing that is quoted can be.
fn has_mark(content: &[u8]) -> bool {
    let root = b"<plist";
    let head = content.windows(root.len()).position(|part| part == root);
    let head = head.map(|end| &content[..end]).unwrap_or_default();
    head.windows(MARK.len()).any(|part| part == MARK.as_bytes())
}
