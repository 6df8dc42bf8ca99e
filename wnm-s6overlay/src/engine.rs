//! The container engine, spoken to over its socket.

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

/// What the engine is called where something is said of it.
const ENGINE: &str = "the Docker engine";

/// Variable that names the engine, as for `docker`.
const HOST_VARIABLE: &str = "DOCKER_HOST";

/// Where the engine is without it.
const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// A question that the engine answers from memory.
const ANSWER: Duration = Duration::from_secs(30);

/// Making, starting and removing a container: publishing a thousand ports takes a minute and a half.
const CHANGE: Duration = Duration::from_secs(300);

/// The connection, made when it is first needed.
pub(crate) struct Engine {
    host: String,
    docker: OnceCell<Docker>,
}

impl Engine {
    /// The engine that the environment names, or the machine's own.
    pub fn of_environment() -> Self {
        let named = std::env::var(HOST_VARIABLE).ok();
        Self {
            host: named
                .filter(|host| !host.is_empty())
                .unwrap_or_else(|| DEFAULT_HOST.to_owned()),
            docker: OnceCell::new(),
        }
    }

    async fn docker(&self) -> Result<&Docker, ManagerError> {
        let connect = || async {
            let unreachable = |error| error::of(&self.host, error, "connecting", ANSWER);
            let docker = Docker::connect_with_host(&self.host).map_err(unreachable)?;
            // Deadlines are set for each call, here.
            let docker = docker.with_timeout(CHANGE);
            match timeout(ANSWER, docker.negotiate_version()).await {
                Ok(agreed) => agreed.map_err(unreachable),
                Err(_) => Err(ManagerError::Unreachable {
                    supervisor: ENGINE.to_owned(),
                    reason: format!("no answer within {ANSWER:?}"),
                }),
            }
        };
        self.docker.get_or_try_init(connect).await
    }

    /// Waits for the engine, for so long.
    async fn within<T>(
        &self,
        limit: Duration,
        what: &str,
        call: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, ManagerError> {
        match timeout(limit, call).await {
            Ok(answer) => answer.map_err(|error| error::of(&self.host, error, what, limit)),
            Err(_) => Err(ManagerError::TimedOut {
                what: what.to_owned(),
                limit,
            }),
        }
    }

    /// The containers with this label, running or not.
    pub async fn labelled(&self, label: &str) -> Result<Vec<ContainerSummary>, ManagerError> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let docker = self.docker().await?;
        let call = docker.list_containers(Some(options));
        self.within(ANSWER, "listing containers", call).await
    }

    /// Makes a container of this name and gives its id.
    pub async fn create(
        &self,
        name: &str,
        body: ContainerCreateBody,
    ) -> Result<String, ManagerError> {
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        let docker = self.docker().await?;
        let call = docker.create_container(Some(options), body);
        let what = format!("making container {name}");
        Ok(self.within(CHANGE, &what, call).await?.id)
    }

    /// Starts a container; one that runs is a success.
    pub async fn start(&self, name: &str) -> Result<(), ManagerError> {
        let docker = self.docker().await?;
        let call = docker.start_container(name, None);
        let what = format!("starting container {name}");
        self.within(CHANGE, &what, call).await
    }

    /// Waits until a container has ended; one that is gone has.
    pub async fn ended(&self, name: &str, limit: Duration) -> Result<(), ManagerError> {
        let options = WaitContainerOptionsBuilder::new()
            .condition("not-running")
            .build();
        let docker = self.docker().await?;
        let call = async {
            let mut ends = std::pin::pin!(docker.wait_container(name, Some(options)));
            match ends.next().await {
                // A code other than 0 is the way of all that is ended from outside.
                Some(Err(bollard::errors::Error::DockerContainerWaitError { .. })) | None => Ok(()),
                Some(Err(error)) => Err(error),
                Some(Ok(_)) => Ok(()),
            }
        };
        let what = format!("waiting for the end of container {name}");
        gone_is_fine(self.within(limit, &what, call).await)
    }

    /// Removes a container, running or not; one that is gone is a success. What it had mounted stays.
    pub async fn remove(&self, name: &str) -> Result<(), ManagerError> {
        let options = RemoveContainerOptionsBuilder::new()
            .force(true)
            .v(true)
            .build();
        let docker = self.docker().await?;
        let call = docker.remove_container(name, Some(options));
        let what = format!("removing container {name}");
        gone_is_fine(self.within(CHANGE, &what, call).await)
    }
}

fn gone_is_fine(outcome: Result<(), ManagerError>) -> Result<(), ManagerError> {
    match outcome {
        Err(ManagerError::NotFound(_)) => Ok(()),
        other => other,
    }
}
