//! Another program for a node, through antctl, and what antctl drops on the way put back.

use std::path::Path;
use std::time::Duration;

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::blocking;
use wnm_host::files::same_content;
use wnm_host::rollback;

use crate::caller::Call;
use crate::registry::Service;
use crate::running::{INTERVAL, START, STOP};
use crate::{Antctl, arguments};

/// How often it is tried while nothing is replaced. antctl writes into the file of the program, which cannot be done
/// while a last thread of the node, or someone who asks it for its version, still runs it.
const TRIES: usize = 3;

/// It copies a program.
const COPY: Duration = Duration::from_secs(60);

impl Antctl {
    /// Replaces the program and, if the node ran, runs it again. The old program is kept until the new one has started
    /// once, in this act or in a later one.
    pub(crate) async fn replace_program(
        &self,
        node: &Node,
        to: &NodeBinary,
    ) -> Result<(), ManagerError> {
        if let Some(other) = arguments::fetched(&self.context, to) {
            return Err(ManagerError::Rejected {
                what: format!("upgrading {} to {}", node.service, to.version),
                words: format!(
                    "--antctl-version says {other}; set it to the version of --antnode-path, or \
                     clear it with --antctl-version="
                ),
            });
        }
        let service = self.known(node).await?;
        if !service.data_dir.is_dir() {
            return Err(ManagerError::NotFound(
                service.data_dir.display().to_string(),
            ));
        }
        let ran = self.runs(&service).await?;
        self.keep(&service).await?;
        fault::point("antctl.upgrade.kept");
        let mut called = self.install(&service, &to.path, ran).await;
        fault::point("antctl.upgrade.called");
        for _ in 1..TRIES {
            let refused = matches!(called, Err(ManagerError::Rejected { .. }));
            if !refused || self.has(&service, &to.path).await? {
                break;
            }
            called = self.install(&service, &to.path, ran).await;
        }
        if !self.has(&service, &to.path).await? {
            return self.stay_with_old(&service, ran, called).await;
        }
        if !ran {
            return called;
        }
        if called.as_ref().is_err_and(ManagerError::leaves_it_open) && !self.runs(&service).await? {
            return called;
        }
        let started = self.launch(&service).await;
        let again = self.launch(&service);
        rollback::settle(self.files.as_ref(), &service.program, started, again).await
    }

    /// The end of an upgrade that replaced nothing, so that the copy of the program is of no use. antctl stopped the
    /// node for it and does not start it again then.
    async fn stay_with_old(
        &self,
        service: &Service,
        ran: bool,
        called: Result<(), ManagerError>,
    ) -> Result<(), ManagerError> {
        let error = match called {
            Err(error) if error.leaves_it_open() => return Err(error),
            Err(error) => error,
            Ok(()) => ManagerError::Rejected {
                what: format!("upgrading {}", service.name),
                words: "antctl left the old program in place".to_owned(),
            },
        };
        let failed = rollback::after_copy(self.files.as_ref(), &service.program, Err(error)).await;
        if ran && let Err(also) = self.launch(service).await {
            tracing::warn!(service = service.name, error = %also, "the old program does not start");
        }
        failed
    }

    /// Writes the unit of a service anew that has lost it, with the program that it has.
    pub(crate) async fn rebuild(&self, service: &Service) -> Result<(), ManagerError> {
        self.keep(service).await?;
        let program = rollback::path(&service.program);
        self.install(service, &program, false).await
    }

    /// A copy of the program and not a second name: antctl writes the new one into the file of the old one.
    async fn keep(&self, service: &Service) -> Result<(), ManagerError> {
        let kept = rollback::path(&service.program);
        if std::fs::symlink_metadata(&kept).is_err() && service.program.is_file() {
            self.files.install(&service.program, &kept).await?;
        }
        Ok(())
    }

    /// Has antctl replace the program and the unit of a service, which it stops for that. A service that came up with
    /// the machine does so afterwards.
    async fn install(
        &self,
        service: &Service,
        program: &Path,
        start: bool,
    ) -> Result<(), ManagerError> {
        let comes_up = self.units.comes_up(&service.name).await;
        self.units.stand_in(service).await?;
        self.units.forgive(&service.name).await;
        let mut call = Call::quiet("upgrade")
            .within(STOP + COPY + START)
            .arg("--path")
            .arg(program);
        if !start {
            call = call.arg("--do-not-start");
        }
        let call = call.args(INTERVAL).args(["--service-name", &service.name]);
        let called = self.caller.act(call).await.map(drop);
        if comes_up {
            self.units.let_come_up(&service.name).await?;
        }
        called
    }

    async fn has(&self, service: &Service, program: &Path) -> Result<bool, ManagerError> {
        let (one, other) = (service.program.clone(), program.to_owned());
        blocking(move || {
            same_content(&one, &other)
                .map_err(|source| ManagerError::io(format!("reading {}", one.display()), source))
        })
        .await
    }
}
