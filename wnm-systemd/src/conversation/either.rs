//! The bus where it can be reached, `systemctl` where not.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{Bus, Conversation, Details, Systemctl, TalkError, Unit};
use crate::domain::Domain;

/// Speaks over the bus as long as that answers. What only root may do goes through `sudo systemctl` unless the
/// caller is root, since the bus would ask a person for a password.
pub(crate) struct Either {
    domain: Domain,
    commands: Arc<Systemctl>,
    acts_over_bus: bool,
    bus: Mutex<Connection>,
}

#[derive(Clone)]
enum Connection {
    NotTried,
    There(Arc<Bus>),
    /// It cannot be had; this is not tried again with every question.
    Refused,
}

impl Either {
    /// Nothing is connected yet.
    pub fn new(domain: Domain, commands: Systemctl) -> Self {
        let acts_over_bus = domain != Domain::System || nix::unistd::geteuid().is_root();
        Self {
            domain,
            commands: Arc::new(commands),
            acts_over_bus,
            bus: Mutex::new(Connection::NotTried),
        }
    }

    async fn bus(&self) -> Option<Arc<Bus>> {
        let mut connection = self.bus.lock().await;
        if let Connection::NotTried = &*connection {
            *connection = match Bus::connect(&self.domain).await {
                Ok(bus) => Connection::There(Arc::new(bus)),
                Err(error) => {
                    tracing::debug!(%error, "no bus: systemctl is used");
                    Connection::Refused
                }
            };
        }
        match &*connection {
            Connection::There(bus) => Some(Arc::clone(bus)),
            Connection::NotTried | Connection::Refused => None,
        }
    }

    async fn speaker(&self, acts: bool) -> Arc<dyn Conversation> {
        match self.bus().await {
            Some(bus) if !acts || self.acts_over_bus => bus,
            _ => Arc::clone(&self.commands) as Arc<dyn Conversation>,
        }
    }

    /// A connection that broke is made anew at the next question.
    async fn heard<T>(&self, answer: Result<T, TalkError>) -> Result<T, TalkError> {
        if let Err(TalkError::Unreachable(_)) = &answer {
            let mut connection = self.bus.lock().await;
            if let Connection::There(_) = &*connection {
                *connection = Connection::NotTried;
            }
        }
        answer
    }
}

#[async_trait]
impl Conversation for Either {
    async fn loaded(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, TalkError> {
        let answer = self.speaker(false).await.loaded(patterns).await;
        self.heard(answer).await
    }

    async fn units(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, TalkError> {
        let answer = self.speaker(false).await.units(patterns).await;
        self.heard(answer).await
    }

    async fn details(&self, unit: &str) -> Result<Details, TalkError> {
        let answer = self.speaker(false).await.details(unit).await;
        self.heard(answer).await
    }

    async fn is_outdated(&self, unit: &str) -> Result<bool, TalkError> {
        let answer = self.speaker(false).await.is_outdated(unit).await;
        self.heard(answer).await
    }

    async fn start(&self, unit: &str) -> Result<(), TalkError> {
        let answer = self.speaker(true).await.start(unit).await;
        self.heard(answer).await
    }

    async fn restart(&self, unit: &str) -> Result<(), TalkError> {
        let answer = self.speaker(true).await.restart(unit).await;
        self.heard(answer).await
    }

    async fn stop(&self, units: &[String]) -> Result<(), TalkError> {
        let answer = self.speaker(true).await.stop(units).await;
        self.heard(answer).await
    }

    async fn enable(&self, units: &[String]) -> Result<(), TalkError> {
        let answer = self.speaker(true).await.enable(units).await;
        self.heard(answer).await
    }

    async fn disable(&self, units: &[String]) -> Result<(), TalkError> {
        let answer = self.speaker(true).await.disable(units).await;
        self.heard(answer).await
    }

    async fn reload(&self) -> Result<(), TalkError> {
        let answer = self.speaker(true).await.reload().await;
        self.heard(answer).await
    }

    async fn reset_failed(&self, units: &[String]) -> Result<(), TalkError> {
        let answer = self.speaker(true).await.reset_failed(units).await;
        self.heard(answer).await
    }
}
