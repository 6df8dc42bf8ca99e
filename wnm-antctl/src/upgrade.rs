//! Upgrades a node through antctl, and restores what antctl drops in the process.

use std::path::Path;
use std::time::Duration;

use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_host::blocking;
use wnm_host::files::same_content;
use wnm_host::rollback;

use crate::client::Call;
use crate::registry::Service;
use crate::start_stop::{INTERVAL, START, STOP};
use crate::{Antctl, arguments};

/// How often to try while nothing was replaced. antctl writes into the program file, which fails while a last
/// thread of the node, or someone asking for its version, still runs it.
const ATTEMPTS: usize = 3;

/// Time to copy a program.
const COPY: Duration = Duration::from_secs(60);

impl Antctl {
    /// Replaces the program and restarts the node if it ran. Keeps the old program until the new one has
    /// started once, in this operation or a later one.
    pub(crate) async fn replace_program(
        &self,
        node: &Node,
        to: &NodeBinary,
    ) -> Result<(), ManagerError> {
        if let Some(other) = arguments::version_to_fetch(&self.context, to) {
            return Err(ManagerError::Rejected {
                what: format!("upgrading {} to {}", node.service, to.version),
                words: format!(
                    "--antctl-version says {other}; set it to the version of --antnode-path, or \
                     clear it with --antctl-version="
                ),
            });
        }
        let service = self.require_service(node).await?;
        if !service.data_dir.is_dir() {
            return Err(ManagerError::NotFound(
                service.data_dir.display().to_string(),
            ));
        }
        let was_running = self.is_running(&service).await?;
        self.keep_old_program(&service).await?;
        fault::point("antctl.upgrade.kept");
        let mut result = self.call_upgrade(&service, &to.path, was_running).await;
        fault::point("antctl.upgrade.called");
        for _ in 1..ATTEMPTS {
            let refused = matches!(result, Err(ManagerError::Rejected { .. }));
            if !refused || self.has_program(&service, &to.path).await? {
                break;
            }
            result = self.call_upgrade(&service, &to.path, was_running).await;
        }
        if !self.has_program(&service, &to.path).await? {
            return self.keep_old_running(&service, was_running, result).await;
        }
        if !was_running {
            return result;
        }
        if result.as_ref().is_err_and(ManagerError::leaves_it_open)
            && !self.is_running(&service).await?
        {
            return result;
        }
        let started = self.start_service(&service).await;
        let restart = self.start_service(&service);
        rollback::settle(self.files.as_ref(), &service.program, started, restart).await
    }

    /// Ends an upgrade that replaced nothing: discards the kept copy and starts the node again, which antctl
    /// stopped.
    async fn keep_old_running(
        &self,
        service: &Service,
        was_running: bool,
        result: Result<(), ManagerError>,
    ) -> Result<(), ManagerError> {
        let error = match result {
            Err(error) if error.leaves_it_open() => return Err(error),
            Err(error) => error,
            Ok(()) => ManagerError::Rejected {
                what: format!("upgrading {}", service.name),
                words: "antctl left the old program in place".to_owned(),
            },
        };
        let failed = rollback::after_copy(self.files.as_ref(), &service.program, Err(error)).await;
        if was_running && let Err(second) = self.start_service(service).await {
            tracing::warn!(service = service.name, error = %second, "cannot start the old program");
        }
        failed
    }

    /// Rewrites the missing unit of a service, with its current program.
    pub(crate) async fn rewrite_unit(&self, service: &Service) -> Result<(), ManagerError> {
        self.keep_old_program(service).await?;
        let program = rollback::path(&service.program);
        self.call_upgrade(service, &program, false).await
    }

    /// Keeps a copy of the program. A hard link would not do: antctl writes the new program into the file of
    /// the old one.
    async fn keep_old_program(&self, service: &Service) -> Result<(), ManagerError> {
        let kept = rollback::path(&service.program);
        if std::fs::symlink_metadata(&kept).is_err() && service.program.is_file() {
            self.files.install(&service.program, &kept).await?;
        }
        Ok(())
    }

    /// Has antctl replace the program and the unit of a service; antctl stops the service for that. A service
    /// that started at boot still does afterwards.
    async fn call_upgrade(
        &self,
        service: &Service,
        program: &Path,
        start: bool,
    ) -> Result<(), ManagerError> {
        let enabled = self.units.is_enabled(&service.name).await;
        self.units.ensure_exists(service).await?;
        self.units.reset_failed(&service.name).await;
        let mut call = Call::quiet("upgrade")
            .limit(STOP + COPY + START)
            .arg("--path")
            .arg(program);
        if !start {
            call = call.arg("--do-not-start");
        }
        let call = call.args(INTERVAL).args(["--service-name", &service.name]);
        let result = self.client.run_ok(call).await.map(drop);
        if enabled {
            self.units.enable(&service.name).await?;
        }
        result
    }

    async fn has_program(&self, service: &Service, program: &Path) -> Result<bool, ManagerError> {
        let (one, other) = (service.program.clone(), program.to_owned());
        blocking(move || {
            same_content(&one, &other)
                .map_err(|source| ManagerError::io(format!("reading {}", one.display()), source))
        })
        .await
    }
}
