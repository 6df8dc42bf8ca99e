//! A client of the container engine.

mod error;
mod exec;

use std::collections::HashMap;
use std::time::Duration;

use bollard::Docker;
use bollard::models::{ContainerCreateBody, ContainerSummary};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
    WaitContainerOptionsBuilder,
};
use futures_util::StreamExt;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use wnm_core::manager::ManagerError;

/// The engine's name in error messages.
const ENGINE_NAME: &str = "the Docker engine";

/// Environment variable with the engine's address, as for `docker`.
const HOST_VARIABLE: &str = "DOCKER_HOST";

/// The engine's address without the variable.
const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// Timeout of a request that the engine answers from memory.
const QUERY_TIMEOUT: Duration = Duration::from_secs(30);

/// Timeout for creating, starting and removing a container. Publishing a thousand ports takes 90 seconds.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(300);

/// A client that connects on first use.
pub(crate) struct Engine {
    host: String,
    docker: OnceCell<Docker>,
}

impl Engine {
    /// The engine at the address in the environment, or the machine's own.
    pub fn from_env() -> Self {
        let host = std::env::var(HOST_VARIABLE).ok();
        Self {
            host: host
                .filter(|host| !host.is_empty())
                .unwrap_or_else(|| DEFAULT_HOST.to_owned()),
            docker: OnceCell::new(),
        }
    }

    async fn docker(&self) -> Result<&Docker, ManagerError> {
        let connect = || async {
            let unreachable =
                |error| error::to_manager_error(&self.host, error, "connecting", QUERY_TIMEOUT);
            let docker = Docker::connect_with_host(&self.host).map_err(unreachable)?;
            // This is the upper limit. Each call sets its own timeout.
            let docker = docker.with_timeout(CHANGE_TIMEOUT);
            match timeout(QUERY_TIMEOUT, docker.negotiate_version()).await {
                Ok(negotiated) => negotiated.map_err(unreachable),
                Err(_) => Err(ManagerError::Unreachable {
                    supervisor: ENGINE_NAME.to_owned(),
                    reason: format!("no answer within {QUERY_TIMEOUT:?}"),
                }),
            }
        };
        self.docker.get_or_try_init(connect).await
    }

    /// Runs a call with a time limit. `what` describes the call in errors.
    async fn with_timeout<T>(
        &self,
        limit: Duration,
        what: &str,
        call: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, ManagerError> {
        match timeout(limit, call).await {
            Ok(answer) => {
                answer.map_err(|error| error::to_manager_error(&self.host, error, what, limit))
            }
            Err(_) => Err(ManagerError::TimedOut {
                what: what.to_owned(),
                limit,
            }),
        }
    }

    /// Lists the containers with this label, running or not.
    pub async fn list(&self, label: &str) -> Result<Vec<ContainerSummary>, ManagerError> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let docker = self.docker().await?;
        let call = docker.list_containers(Some(options));
        self.with_timeout(QUERY_TIMEOUT, "listing containers", call)
            .await
    }

    /// Creates a container with this name and returns its engine id.
    pub async fn create(
        &self,
        name: &str,
        body: ContainerCreateBody,
    ) -> Result<String, ManagerError> {
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        let docker = self.docker().await?;
        let call = docker.create_container(Some(options), body);
        let what = format!("creating container {name}");
        Ok(self.with_timeout(CHANGE_TIMEOUT, &what, call).await?.id)
    }

    /// Starts a container. Succeeds if it already runs.
    pub async fn start(&self, name: &str) -> Result<(), ManagerError> {
        let docker = self.docker().await?;
        let call = docker.start_container(name, None);
        let what = format!("starting container {name}");
        self.with_timeout(CHANGE_TIMEOUT, &what, call).await
    }

    /// Waits until a container has exited. Succeeds if it does not exist.
    pub async fn wait_for_exit(&self, name: &str, limit: Duration) -> Result<(), ManagerError> {
        let options = WaitContainerOptionsBuilder::new()
            .condition("not-running")
            .build();
        let docker = self.docker().await?;
        let call = async {
            let mut exits = std::pin::pin!(docker.wait_container(name, Some(options)));
            match exits.next().await {
                // bollard reports an exit code other than 0 as an error. After a signal, that is normal.
                Some(Err(bollard::errors::Error::DockerContainerWaitError { .. })) | None => Ok(()),
                Some(Err(error)) => Err(error),
                Some(Ok(_)) => Ok(()),
            }
        };
        let what = format!("waiting for container {name} to exit");
        ignore_not_found(self.with_timeout(limit, &what, call).await)
    }

    /// Removes a container, running or not. Succeeds if it does not exist. Mounted directories remain.
    pub async fn remove(&self, name: &str) -> Result<(), ManagerError> {
        let options = RemoveContainerOptionsBuilder::new()
            .force(true)
            .v(true)
            .build();
        let docker = self.docker().await?;
        let call = docker.remove_container(name, Some(options));
        let what = format!("removing container {name}");
        ignore_not_found(self.with_timeout(CHANGE_TIMEOUT, &what, call).await)
    }
}

fn ignore_not_found(outcome: Result<(), ManagerError>) -> Result<(), ManagerError> {
    match outcome {
        Err(ManagerError::NotFound(_)) => Ok(()),
        other => other,
    }
}
