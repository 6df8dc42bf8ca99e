mod listed;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use self::listed::{Listed, words};
use super::root::Root;
use super::rules::{self, Change};
use wnm_core::command::{CommandOutput, CommandSpec};
use wnm_core::firewall::{Firewall, FirewallError, Opening};
use wnm_core::machine::FirewallChoice;

/// Held by the kernel for every call: ufw reads its rules, adds one and writes them all, so that of three
/// calls at once one rule is left. In /run, where only root can make files, and nobody else hold it up.
const LOCK: &str = "/run/wnm-ufw.lock";

/// How long the lock is waited for: a hundred calls of other runs, a few tenths of a second each.
const LOCK_WAIT: Duration = Duration::from_secs(60);

/// flock's exit code when it waited in vain: one that ufw does not have.
const BUSY: i32 = 75;

/// How long one call may take. It is a Python program that calls iptables a few times.
const DEADLINE: Duration = Duration::from_secs(30);

/// Rules of ufw: one a port or range, for IPv4 and IPv6, with the nodes' names as its comment. ufw keeps them
/// over a reboot. A rule without such a comment is somebody else's.
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

    /// What was added to it, whether it is active or not.
    async fn listed(&self) -> Result<Listed, FirewallError> {
        let said = self.call(&["show", "added"]).await?;
        Ok(Listed::read(&String::from_utf8_lossy(&said.stdout)))
    }

    async fn apply(&self, change: Change) -> Result<(), FirewallError> {
        for rule in change.add {
            let comment = rule.to_string();
            self.call(&["allow", &words(rule.ports()), "comment", &comment])
                .await?;
        }
        for rule in change.delete {
            self.call(&["delete", "allow", &words(rule.ports())])
                .await?;
        }
        Ok(())
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
        let listed = self.listed().await?;
        if listed.is_taken(ports) {
            return Ok(());
        }
        self.apply(rules::open(&listed.ours, *ports)).await
    }

    async fn close(&self, ports: &Opening) -> Result<(), FirewallError> {
        let listed = self.listed().await?;
        let mut change = rules::close(&listed.ours, ports.ports());
        change.add.retain(|rule| !listed.is_taken(rule));
        self.apply(change).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Stage, done, failed, opening};
    use super::*;

    /// A ufw that lists these rules.
    fn stage(rules: &'static str) -> Stage {
        Stage::with(&["ufw", "flock"], move |words| {
            done(if words.ends_with("show added") {
                rules
            } else {
                ""
            })
        })
    }

    /// What was called, without what every call begins with.
    fn changes(stage: &Stage) -> String {
        let said = stage.said();
        let calls = said.lines().map(|line| {
            let call = "flock --wait 60 --conflict-exit-code 75 /run/wnm-ufw.lock [dir]/ufw ";
            line.strip_prefix(call).expect("not under the lock")
        });
        let changes: Vec<_> = calls.filter(|call| *call != "show added").collect();
        changes.join("\n")
    }

    #[tokio::test]
    async fn one_call_a_port_or_range_under_the_lock() {
        let stage = stage("ufw allow 55031:55040/udp comment 'antnode0031-antnode0040'\n");
        let ufw = Ufw::find(&stage.root).unwrap();
        ufw.open(&opening(55001, 55001, 1)).await.unwrap();
        ufw.open(&opening(55001, 55030, 1)).await.unwrap();
        ufw.open(&opening(55035, 55035, 35)).await.unwrap();
        ufw.close(&opening(55001, 55001, 1)).await.unwrap();
        ufw.close(&opening(55035, 55035, 35)).await.unwrap();
        ufw.close(&opening(55031, 55040, 31)).await.unwrap();
        insta::assert_snapshot!(changes(&stage), @r"
        allow 55001/udp comment antnode0001
        allow 55001:55030/udp comment antnode0001-antnode0030
        allow 55031:55034/udp comment antnode0031-antnode0034
        allow 55036:55040/udp comment antnode0036-antnode0040
        delete allow 55031:55040/udp
        delete allow 55031:55040/udp
        ");
    }

    #[tokio::test]
    async fn what_somebody_else_says_of_the_same_ports_stands() {
        let stage = stage(
            "ufw deny 55001/udp\nufw allow 55002/udp\n\
             ufw allow 55003/udp comment 'antnode0003 '\n\
             ufw allow 55002:55004/udp comment 'antnode0002-antnode0004'\n",
        );
        let ufw = Ufw::find(&stage.root).unwrap();
        for (port, node) in [(55001, 1), (55002, 2), (55003, 3)] {
            ufw.open(&opening(port, port, node)).await.unwrap();
        }
        ufw.close(&opening(55001, 55001, 1)).await.unwrap();
        assert_eq!(changes(&stage), "");
        ufw.close(&opening(55003, 55003, 3)).await.unwrap();
        insta::assert_snapshot!(changes(&stage), @r"
        allow 55004/udp comment antnode0004
        delete allow 55002:55004/udp
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
            let error = ufw.open(&opening(55001, 55001, 1)).await;
            error
                .unwrap_err()
                .to_string()
                .replace(&stage.dir(), "[dir]")
        };
        insta::assert_snapshot!(told(75, "").await, @"firewall: ufw was busy for 60 s");
        insta::assert_snapshot!(told(1, "ERROR: problem running").await, @"firewall: '[dir]/flock' failed (exit code 1): ERROR: problem running");
    }
}
