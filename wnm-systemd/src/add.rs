//! Adds nodes: directories, program and unit.

use std::io::ErrorKind;
use std::path::PathBuf;

use wnm_core::fault;
use wnm_core::kind::Mode;
use wnm_core::manager::{AddedNode, ManagerError};
use wnm_core::node::Node;
use wnm_core::program::{NodeBinary, ProgramError};
use wnm_host::blocking;
use wnm_host::{install, layout};

use crate::unit::{EscapeError, MARK, Scope, ServiceUnit};
use crate::{Systemd, unit_of};

/// Who owns the file at a unit's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// There is no file.
    Absent,
    /// wnm wrote it.
    Ours,
    /// Someone else wrote it, or it is masked.
    Foreign,
}

impl Systemd {
    pub(crate) async fn add_node(
        &self,
        node: &Node,
        binary: &NodeBinary,
    ) -> Result<AddedNode, ManagerError> {
        let service = format!("{}.service", node.id.directory_name());
        let node = install::located(node, service, &self.context)?;
        let (ownership, _) = self.ownership(&node.service).await?;
        if ownership == Ownership::Foreign {
            return Err(ManagerError::Rejected {
                what: format!("adding {}", node.service),
                words: format!(
                    "{} exists and was not written by wnm; adopt its node with --import",
                    self.unit_file(&node.service).display()
                ),
            });
        }
        // Render first, so that a path that systemd refuses leaves nothing behind.
        let text = self.unit_text(&node)?;
        self.make_directories(&node).await?;
        fault::point("systemd.add.directories");
        self.files
            .install_unless_same(&binary.path, &node.binary)
            .await?;
        fault::point("systemd.add.binary");
        if self.update_slice().await? {
            fault::point("systemd.add.slice");
        }
        self.files
            .write(&self.unit_path(&node.service), &text)
            .await?;
        fault::point("systemd.add.unit");
        self.reload().await?;
        fault::point("systemd.add.reloaded");
        Ok(node.into())
    }

    /// Updates a unit that wnm wrote to the current settings. Leaves other units unchanged.
    pub(crate) async fn refresh_unit(&self, node: &Node) -> Result<(), ManagerError> {
        let unit = &unit_of(node)?;
        let (ownership, content) = self.ownership(unit).await?;
        match ownership {
            Ownership::Absent => Err(ManagerError::NotFound(
                self.unit_path(unit).display().to_string(),
            )),
            Ownership::Foreign => Ok(()),
            Ownership::Ours => {
                let text = self.unit_text(node)?;
                if text.as_bytes() != content {
                    self.files.write(&self.unit_path(unit), &text).await?;
                    fault::point("systemd.unit.written");
                }
                self.reload_if_outdated(unit).await
            }
        }
    }

    /// Creates the directories that a node writes to.
    pub(crate) async fn make_directories(&self, node: &Node) -> Result<(), ManagerError> {
        install::make_directories(self.files.as_ref(), node, &self.context.paths).await
    }

    /// Returns who owns the file of a unit, and its content.
    pub(crate) async fn ownership(&self, unit: &str) -> Result<(Ownership, Vec<u8>), ManagerError> {
        let path = self.unit_file(unit);
        let elsewhere = path != self.unit_path(unit);
        blocking(move || match std::fs::read(&path) {
            // It has lower precedence than our directory, so a unit of ours would hide it.
            Ok(content) if elsewhere => Ok((Ownership::Foreign, content)),
            Ok(content) if content.starts_with(MARK.as_bytes()) => Ok((Ownership::Ours, content)),
            Ok(content) => Ok((Ownership::Foreign, content)),
            // A dangling symlink, such as a masked unit, also belongs to someone.
            Err(_) if path.is_symlink() => Ok((Ownership::Foreign, Vec::new())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok((Ownership::Absent, Vec::new()))
            }
            Err(source) => Err(ManagerError::io(
                format!("reading {}", path.display()),
                source,
            )),
        })
        .await
    }

    /// Returns the file that systemd uses for a unit: the one in our directory, else the first in
    /// the other directories. If there is none, returns the path in our directory.
    fn unit_file(&self, unit: &str) -> PathBuf {
        let own = self.unit_path(unit);
        if own.symlink_metadata().is_ok() {
            return own;
        }
        let elsewhere = self.other_unit_dirs.iter().map(|dir| dir.join(unit));
        elsewhere
            .into_iter()
            .find(|path| path.symlink_metadata().is_ok())
            .unwrap_or(own)
    }

    fn unit_text(&self, node: &Node) -> Result<String, ManagerError> {
        let context = &self.context;
        let what = || format!("writing unit {}", node.service);
        let program = |error: ProgramError| ManagerError::Rejected {
            what: what(),
            words: error.to_string(),
        };
        let mut node = node.clone();
        let logs = layout::log_dir(&node, &context.paths);
        node.log_dir = Some(logs.clone());
        let unit = ServiceUnit {
            description: node.id.directory_name(),
            scope: match self.kind.mode() {
                Mode::Sudo => Scope::System {
                    user: context.owner.clone(),
                },
                Mode::User | Mode::Zen => Scope::User,
            },
            args: context
                .program
                .arguments(&node, &context.launch, &context.paths)
                .map_err(program)?,
            environment: context
                .program
                .environment(&node, &context.launch)
                .map_err(program)?,
            writable: vec![logs, context.paths.bootstrap_cache.clone()],
            program: node.binary,
            root_dir: node.root_dir,
        };
        unit.render()
            .map_err(|error: EscapeError| ManagerError::Rejected {
                what: what(),
                words: error.to_string(),
            })
    }
}
