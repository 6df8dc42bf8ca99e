use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use super::root::Root;
use wnm_core::command::CommandSpec;
use wnm_core::firewall::{Firewall, FirewallError, Opening};
use wnm_core::ports::PortRange;

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
        let answer = self.root.run(self.firewall_cmd(&["--state"])).await?;
        if answer.output.code == Some(NOT_RUNNING) {
            return Ok(false);
        }
        answer.success()?;
        Ok(true)
    }

    fn firewall_cmd(&self, args: &[&str]) -> CommandSpec {
        CommandSpec::new(&self.firewall_cmd, DEADLINE).args(args)
    }

    fn command(&self, scope: Scope, what: &str) -> CommandSpec {
        match scope {
            Scope::Kept => self.firewall_cmd(&["--permanent", what]),
            Scope::InForce => self.firewall_cmd(&[what]),
        }
    }

    /// The UDP ports of a scope that are open. firewalld has no comments, so that it cannot tell whose they are.
    async fn listed(&self, scope: Scope) -> Result<Vec<PortRange>, FirewallError> {
        let said = self
            .root
            .output(self.command(scope, "--list-ports"))
            .await?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let udp = said
            .split_whitespace()
            .filter_map(|word| word.strip_suffix("/udp"));
        Ok(udp
            .filter_map(|ports| PortRange::parse(ports, '-'))
            .collect())
    }

    async fn change(&self, scope: Scope, act: &str, ports: PortRange) -> Result<(), FirewallError> {
        let change = format!("--{act}-port={}/udp", ports.text('-'));
        let said = self.root.output(self.command(scope, &change)).await?;
        let complaint = String::from_utf8_lossy(&said.stderr);
        // Only ports that it listed are removed, so this is a version that does not split ranges.
        if complaint.contains("NOT_ENABLED") {
            tracing::warn!(
                "firewalld leaves {} open: {}",
                ports.text('-'),
                complaint.trim()
            );
        }
        Ok(())
    }
}

/// What is in force now and what will be after a reload or a reboot are kept apart by firewalld.
#[derive(Debug, Clone, Copy)]
enum Scope {
    Kept,
    InForce,
}

const BOTH: [Scope; 2] = [Scope::Kept, Scope::InForce];

/// firewall-cmd's exit code when the daemon does not run (its NOT_RUNNING).
const NOT_RUNNING: i32 = 252;

#[async_trait]
impl Firewall for Firewalld {
    async fn open(&self, ports: &Opening) -> Result<(), FirewallError> {
        for scope in BOTH {
            self.change(scope, "add", ports.ports()).await?;
        }
        Ok(())
    }

    /// firewalld itself leaves open what else is in the range, in one move; a range with ports that are not
    /// open it does not take anything from. What was added before stays if it were to be added again, so that
    /// the change that other firewalls need would close everything here.
    async fn close(&self, ports: &Opening) -> Result<(), FirewallError> {
        for scope in BOTH {
            let listed = self.listed(scope).await?;
            for open in listed
                .iter()
                .filter_map(|open| open.shared_with(ports.ports()))
            {
                self.change(scope, "remove", open).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Stage, done, failed, opening};
    use super::*;

    #[tokio::test]
    async fn what_is_kept_and_what_is_in_force_change_together() {
        let stage = Stage::with(&["firewall-cmd"], |words| {
            done(match words {
                "firewall-cmd --list-ports" => "22/tcp 55001-55020/udp 55025/udp\n",
                "firewall-cmd --permanent --list-ports" => "55001-55002/tcp 55001-55200/udp\n",
                _ => "success\n",
            })
        });
        let firewalld = Firewalld::find(&stage.root).unwrap();
        firewalld.open(&opening(55001, 55001, 1)).await.unwrap();
        firewalld.close(&opening(55011, 55030, 11)).await.unwrap();
        firewalld.close(&opening(55201, 55201, 201)).await.unwrap();
        insta::assert_snapshot!(stage.said(), @r"
        firewall-cmd --permanent --add-port=55001/udp
        firewall-cmd --add-port=55001/udp
        firewall-cmd --permanent --list-ports
        firewall-cmd --permanent --remove-port=55011-55030/udp
        firewall-cmd --list-ports
        firewall-cmd --remove-port=55011-55020/udp
        firewall-cmd --remove-port=55025/udp
        firewall-cmd --permanent --list-ports
        firewall-cmd --list-ports
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
