use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use super::root::Root;
use super::{Firewall, FirewallError, Opening};
use crate::manager::CommandSpec;

/// How long one call may take. The daemon loads its whole permanent configuration for some of them.
const DEADLINE: Duration = Duration::from_secs(30);

/// Ports of firewalld's default zone. It has no comments. What is asked for twice it counts as done, exit
/// code 0 (firewall-cmd(1), "Exit Codes").
pub(super) struct Firewalld {
    root: Root,
    firewall_cmd: PathBuf,
}

impl Firewalld {
    /// firewalld, if it is installed.
    pub fn find(root: &Root) -> Option<Self> {
        Some(Self {
            firewall_cmd: root.find("firewall-cmd")?,
            root: root.clone(),
        })
    }

    /// Whether its daemon runs.
    pub async fn is_active(&self) -> Result<bool, FirewallError> {
        let answer = self.root.run(self.command("--state", None)).await?;
        if answer.output.code == Some(NOT_RUNNING) {
            return Ok(false);
        }
        answer.success()?;
        Ok(true)
    }

    fn command(&self, first: &str, second: Option<&str>) -> CommandSpec {
        CommandSpec::new(&self.firewall_cmd, DEADLINE)
            .arg(first)
            .args(second)
    }

    /// What is in force now and what will be after a reload or a reboot are kept apart by firewalld.
    async fn both(&self, act: &str, ports: &Opening) -> Result<(), FirewallError> {
        let change = format!("--{act}-port={}/udp", ports.ports('-'));
        self.root
            .output(self.command("--permanent", Some(&change)))
            .await?;
        self.root.output(self.command(&change, None)).await?;
        Ok(())
    }
}

/// firewall-cmd's exit code when the daemon does not run (its NOT_RUNNING).
const NOT_RUNNING: i32 = 252;

#[async_trait]
impl Firewall for Firewalld {
    async fn open(&self, ports: &Opening) -> Result<(), FirewallError> {
        self.both("add", ports).await
    }

    async fn close(&self, ports: &Opening) -> Result<(), FirewallError> {
        self.both("remove", ports).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Stage, done, failed, opening};
    use super::*;

    #[tokio::test]
    async fn what_is_kept_and_what_is_in_force_change_together() {
        let stage = Stage::with(&["firewall-cmd"], |_| done("success\n"));
        let firewalld = Firewalld::find(&stage.root).unwrap();
        firewalld
            .open(&opening(55001, 55001, "antnode0001"))
            .await
            .unwrap();
        firewalld.close(&opening(55001, 55200, "a1")).await.unwrap();
        insta::assert_snapshot!(stage.said(), @r"
        firewall-cmd --permanent --add-port=55001/udp
        firewall-cmd --add-port=55001/udp
        firewall-cmd --permanent --remove-port=55001-55200/udp
        firewall-cmd --remove-port=55001-55200/udp
        ");
    }

    #[tokio::test]
    async fn a_daemon_that_does_not_run_is_not_active_and_any_other_answer_an_error() {
        for (answer, active) in [
            (done("running\n"), Some(true)),
            (failed(252, "not running"), Some(false)),
            (failed(251, "failed"), None),
        ] {
            let stage = Stage::with(&["firewall-cmd"], move |_| answer.clone());
            let firewalld = Firewalld::find(&stage.root).unwrap();
            assert_eq!(firewalld.is_active().await.ok(), active);
        }
    }
}
