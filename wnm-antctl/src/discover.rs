//! Discovers antctl's services for adoption, whoever made them.

use wnm_core::manager::{FoundNode, ManagerError};
use wnm_host::Account;
use wnm_host::layout;

use crate::Antctl;
use crate::status::trusted_state;

impl Antctl {
    /// Returns every service in antctl's registry.
    pub(crate) async fn discover_services(&self) -> Result<Vec<FoundNode>, ManagerError> {
        let registry = self.client.registry().await?;
        let services = registry.services().to_vec();
        let states = self.process_table.states(services.clone()).await?;
        let caller = Account::name_of(nix::unistd::geteuid().as_raw());
        let mut found = Vec::with_capacity(services.len());
        for (service, state) in services.into_iter().zip(states) {
            let Some(ports) = service.ports() else {
                tracing::warn!(service = service.name, "ignored: its port is unknown");
                continue;
            };
            let state = trusted_state(&service, state);
            found.push(FoundNode {
                id: layout::id_of(&service.name),
                user: service.user.unwrap_or_else(|| caller.clone()),
                service: service.name,
                binary: service.program,
                root_dir: service.data_dir,
                log_dir: service.log_dir,
                ports,
                network: service.network,
                wallet: service.wallet,
                state,
            });
        }
        Ok(found)
    }
}
