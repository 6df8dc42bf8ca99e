use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use super::root::Root;
use super::{Firewall, FirewallChoice, FirewallError, Opening};
use crate::manager::{CommandOutput, CommandSpec};

/// Held by the kernel for every call: ufw reads its rules, adds one and writes them all, so that of three
/// calls at once one rule is left. In /run, where only root can make files, and nobody else hold it up.
const LOCK: &str = "/run/wnm-ufw.lock";

/// How long the lock is waited for: a hundred calls of other runs, a few tenths of a second each.
const LOCK_WAIT: Duration = Duration::from_secs(60);

/// flock's exit code when it waited in vain: one that ufw does not have.
const BUSY: i32 = 75;

/// How long one call may take. It is a Python program that calls iptables a few times.
const DEADLINE: Duration = Duration::from_secs(30);

/// Rules of ufw: one a port or range, for IPv4 and IPv6, with the node's name as its comment. ufw keeps them
/// over a reboot.
pub(super) struct Ufw {
    root: Root,
    ufw: PathBuf,
    flock: PathBuf,
}

impl Ufw {
    /// ufw, if it is installed.
    pub fn find(root: &Root) -> Option<Self> {
        Some(Self {
            ufw: root.find("ufw")?,
            // Of util-linux, which is everywhere; where it is not, the call says so.
            flock: root.find("flock").unwrap_or_else(|| "flock".into()),
            root: root.clone(),
        })
    }

    /// Whether it is in force.
    pub async fn is_active(&self) -> Result<bool, FirewallError> {
        let said = self.call(&["status"]).await?;
        Ok(String::from_utf8_lossy(&said.stdout)
            .lines()
            .any(|line| line.trim() == "Status: active"))
    }

    async fn call(&self, args: &[&str]) -> Result<CommandOutput, FirewallError> {
        let spec = CommandSpec::new(&self.flock, LOCK_WAIT + DEADLINE)
            .arg("--wait")
            .arg(LOCK_WAIT.as_secs().to_string())
            .arg("--conflict-exit-code")
            .arg(BUSY.to_string())
            .arg(LOCK)
            .arg(&self.ufw)
            .args(args);
        let answer = self.root.run(spec).await?;
        if answer.output.code == Some(BUSY) {
            let firewall = FirewallChoice::Ufw;
            return Err(FirewallError::Busy {
                firewall,
                waited: LOCK_WAIT,
            });
        }
        Ok(answer.success()?)
    }
}

#[async_trait]
impl Firewall for Ufw {
    async fn open(&self, ports: &Opening) -> Result<(), FirewallError> {
        let rule = format!("{}/udp", ports.ports(':'));
        self.call(&["allow", &rule, "comment", &ports.comment])
            .await?;
        Ok(())
    }

    /// ufw goes by what a rule allows, not by its comment.
    async fn close(&self, ports: &Opening) -> Result<(), FirewallError> {
        let rule = format!("{}/udp", ports.ports(':'));
        self.call(&["delete", "allow", &rule]).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Stage, done, failed, opening};
    use super::*;

    #[tokio::test]
    async fn one_call_a_port_or_range_under_the_lock() {
        let stage = Stage::with(&["ufw", "flock"], |_| done(""));
        let ufw = Ufw::find(&stage.root).unwrap();
        ufw.open(&opening(55001, 55001, "antnode0001"))
            .await
            .unwrap();
        ufw.open(&opening(55001, 55200, "a1")).await.unwrap();
        ufw.close(&opening(55001, 55001, "antnode0001"))
            .await
            .unwrap();
        ufw.close(&opening(55001, 55200, "a1")).await.unwrap();
        insta::assert_snapshot!(stage.said(), @r"
        flock --wait 60 --conflict-exit-code 75 /run/wnm-ufw.lock [dir]/ufw allow 55001/udp comment antnode0001
        flock --wait 60 --conflict-exit-code 75 /run/wnm-ufw.lock [dir]/ufw allow 55001:55200/udp comment a1
        flock --wait 60 --conflict-exit-code 75 /run/wnm-ufw.lock [dir]/ufw delete allow 55001/udp
        flock --wait 60 --conflict-exit-code 75 /run/wnm-ufw.lock [dir]/ufw delete allow 55001:55200/udp
        ");
    }

    #[tokio::test]
    async fn it_is_active_only_when_it_says_so() {
        for (said, active) in [
            ("Status: active\n\nTo  Action  From\n", true),
            ("Status: inactive\n", false),
            ("", false),
        ] {
            let stage = Stage::with(&["ufw", "flock"], move |_| done(said));
            let ufw = Ufw::find(&stage.root).unwrap();
            assert_eq!(ufw.is_active().await.unwrap(), active, "{said}");
        }
    }

    #[tokio::test]
    async fn a_lock_that_others_hold_is_not_a_failure_of_ufw() {
        let told = async |code, words: &'static str| {
            let stage = Stage::with(&["ufw", "flock"], move |_| failed(code, words));
            let ufw = Ufw::find(&stage.root).unwrap();
            let error = ufw.open(&opening(55001, 55001, "antnode0001")).await;
            error
                .unwrap_err()
                .to_string()
                .replace(&stage.dir(), "[dir]")
        };
        insta::assert_snapshot!(told(75, "").await, @"firewall: ufw was busy for 60 s");
        insta::assert_snapshot!(told(1, "ERROR: problem running").await, @"firewall: '[dir]/flock' failed (exit code 1): ERROR: problem running");
    }
}
