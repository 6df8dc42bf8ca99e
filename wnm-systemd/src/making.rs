//! A node made: directories, program and unit.

use std::io::ErrorKind;
use std::path::PathBuf;

use wnm_core::fault;
use wnm_core::kind::Mode;
use wnm_core::manager::{AddedNode, ManagerError};
use wnm_core::node::Node;
use wnm_core::program::{NodeBinary, ProgramError};
use wnm_host::blocking;
use wnm_host::layout;

use crate::unit::{MARK, Reach, ServiceUnit, Unwritable};
use crate::{Systemd, unit_of};

/// What is where a unit of ours belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing.
    Free,
    /// A unit that wnm wrote.
    Ours,
    /// Another's, or one that systemd is told to ignore.
    Foreign,
}

impl Systemd {
    pub(crate) async fn make(
        &self,
        node: &Node,
        binary: &NodeBinary,
    ) -> Result<AddedNode, ManagerError> {
        let paths = &self.context.paths;
        layout::check_storage(paths)?;
        let mut node = node.clone();
        node.service = format!("{}.service", node.id.directory_name());
        node.root_dir = paths.node_dir(node.id);
        node.binary = node.root_dir.join(self.context.program.name());
        node.log_dir = Some(paths.log_dir(node.id));
        let (place, _) = self.place(&node.service).await?;
        if place == Place::Foreign {
            return Err(ManagerError::Rejected {
                what: format!("adding {}", node.service),
                words: format!(
                    "{} is there and not written by wnm; take its node over with --import",
                    self.unit_file(&node.service).display()
                ),
            });
        }
        // Before anything is made: a path that systemd refuses leaves nothing behind.
        let text = self.unit_text(&node)?;
        self.make_directories(&node).await?;
        fault::point("systemd.add.directories");
        self.files
            .install_unless_same(&binary.path, &node.binary)
            .await?;
        fault::point("systemd.add.binary");
        if self.write_slice().await? {
            fault::point("systemd.add.slice");
        }
        self.files
            .write(&self.unit_path(&node.service), &text)
            .await?;
        fault::point("systemd.add.unit");
        self.reload().await?;
        fault::point("systemd.add.reloaded");
        Ok(AddedNode {
            service: node.service,
            binary: node.binary,
            root_dir: node.root_dir,
            log_dir: node.log_dir,
            ports: node.ports,
            container: None,
        })
    }

    /// Brings a unit that wnm wrote up to what is set now. Those of others stay as they are.
    pub(crate) async fn refresh_unit(&self, node: &Node) -> Result<(), ManagerError> {
        let unit = &unit_of(node)?;
        let (place, content) = self.place(unit).await?;
        match place {
            Place::Free => Err(ManagerError::NotFound(
                self.unit_path(unit).display().to_string(),
            )),
            Place::Foreign => Ok(()),
            Place::Ours => {
                let text = self.unit_text(node)?;
                if text.as_bytes() != content {
                    self.files.write(&self.unit_path(unit), &text).await?;
                    fault::point("systemd.unit.written");
                }
                self.reload_if_outdated(unit).await
            }
        }
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

    /// What is at the place of a unit, with its content.
    pub(crate) async fn place(&self, unit: &str) -> Result<(Place, Vec<u8>), ManagerError> {
        let path = self.unit_file(unit);
        let elsewhere = path != self.unit_path(unit);
        blocking(move || match std::fs::read(&path) {
            // Ours would hide it, and not be it.
            Ok(content) if elsewhere => Ok((Place::Foreign, content)),
            Ok(content) if content.starts_with(MARK.as_bytes()) => Ok((Place::Ours, content)),
            Ok(content) => Ok((Place::Foreign, content)),
            // A link to nowhere is still someone's.
            Err(_) if path.is_symlink() => Ok((Place::Foreign, Vec::new())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok((Place::Free, Vec::new())),
            Err(source) => Err(ManagerError::io(
                format!("reading {}", path.display()),
                source,
            )),
        })
        .await
    }

    /// The file that systemd takes for a unit: the one in the directory of ours, or else the first elsewhere; the
    /// place for ours where there is none.
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
        let what = || format!("the unit of {}", node.service);
        let program = |error: ProgramError| ManagerError::Rejected {
            what: what(),
            words: error.to_string(),
        };
        let mut node = node.clone();
        let logs = layout::log_dir(&node, &context.paths);
        node.log_dir = Some(logs.clone());
        let unit = ServiceUnit {
            description: node.id.directory_name(),
            reach: match self.kind.mode() {
                Mode::Sudo => Reach::System {
                    user: context.owner.clone(),
                },
                Mode::User | Mode::Zen => Reach::User,
            },
            args: context
                .program
                .arguments(&node, &context.launch, &context.paths)
                .map_err(program)?,
            environment: context
                .program
                .environment(&node, &context.launch)
                .map_err(program)?,
            writes: vec![logs, context.paths.bootstrap_cache.clone()],
            program: node.binary,
            root_dir: node.root_dir,
        };
        unit.render()
            .map_err(|error: Unwritable| ManagerError::Rejected {
                what: what(),
                words: error.to_string(),
            })
    }
}
