//! Uses D-Bus if it is available, and `systemctl` otherwise.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{BusClient, Client, ClientError, Details, Systemctl, Unit};
use crate::domain::Domain;

/// A client that uses D-Bus while the connection works. If the caller is not root, changes to the
/// system manager go through `sudo systemctl`, because D-Bus would prompt for a password.
pub(crate) struct FallbackClient {
    domain: Domain,
    systemctl: Arc<Systemctl>,
    changes_over_bus: bool,
    bus: Mutex<Connection>,
}

#[derive(Clone)]
enum Connection {
    Untried,
    Connected(Arc<BusClient>),
    /// The connection failed. Not retried on every request.
    Failed,
}

impl FallbackClient {
    /// Creates a client. Connects on the first request.
    pub fn new(domain: Domain, systemctl: Systemctl) -> Self {
        let changes_over_bus = domain != Domain::System || nix::unistd::geteuid().is_root();
        Self {
            domain,
            systemctl: Arc::new(systemctl),
            changes_over_bus,
            bus: Mutex::new(Connection::Untried),
        }
    }

    async fn bus(&self) -> Option<Arc<BusClient>> {
        let mut connection = self.bus.lock().await;
        if let Connection::Untried = &*connection {
            *connection = match BusClient::connect(&self.domain).await {
                Ok(bus) => Connection::Connected(Arc::new(bus)),
                Err(error) => {
                    tracing::debug!(%error, "no bus, using systemctl");
                    Connection::Failed
                }
            };
        }
        match &*connection {
            Connection::Connected(bus) => Some(Arc::clone(bus)),
            Connection::Untried | Connection::Failed => None,
        }
    }

    async fn client_for(&self, changes: bool) -> Arc<dyn Client> {
        match self.bus().await {
            Some(bus) if !changes || self.changes_over_bus => bus,
            _ => Arc::clone(&self.systemctl) as Arc<dyn Client>,
        }
    }

    /// Drops a broken connection, so that the next request reconnects.
    async fn check_connection<T>(&self, answer: Result<T, ClientError>) -> Result<T, ClientError> {
        if let Err(ClientError::Unreachable(_)) = &answer {
            let mut connection = self.bus.lock().await;
            if let Connection::Connected(_) = &*connection {
                *connection = Connection::Untried;
            }
        }
        answer
    }
}

#[async_trait]
impl Client for FallbackClient {
    async fn loaded(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, ClientError> {
        let answer = self.client_for(false).await.loaded(patterns).await;
        self.check_connection(answer).await
    }

    async fn units(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, ClientError> {
        let answer = self.client_for(false).await.units(patterns).await;
        self.check_connection(answer).await
    }

    async fn details(&self, unit: &str) -> Result<Details, ClientError> {
        let answer = self.client_for(false).await.details(unit).await;
        self.check_connection(answer).await
    }

    async fn is_outdated(&self, unit: &str) -> Result<bool, ClientError> {
        let answer = self.client_for(false).await.is_outdated(unit).await;
        self.check_connection(answer).await
    }

    async fn start(&self, unit: &str) -> Result<(), ClientError> {
        let answer = self.client_for(true).await.start(unit).await;
        self.check_connection(answer).await
    }

    async fn restart(&self, unit: &str) -> Result<(), ClientError> {
        let answer = self.client_for(true).await.restart(unit).await;
        self.check_connection(answer).await
    }

    async fn stop(&self, units: &[String]) -> Result<(), ClientError> {
        let answer = self.client_for(true).await.stop(units).await;
        self.check_connection(answer).await
    }

    async fn enable(&self, units: &[String]) -> Result<(), ClientError> {
        let answer = self.client_for(true).await.enable(units).await;
        self.check_connection(answer).await
    }

    async fn disable(&self, units: &[String]) -> Result<(), ClientError> {
        let answer = self.client_for(true).await.disable(units).await;
        self.check_connection(answer).await
    }

    async fn reload(&self) -> Result<(), ClientError> {
        let answer = self.client_for(true).await.reload().await;
        self.check_connection(answer).await
    }

    async fn reset_failed(&self, units: &[String]) -> Result<(), ClientError> {
        let answer = self.client_for(true).await.reset_failed(units).await;
        self.check_connection(answer).await
    }
}
