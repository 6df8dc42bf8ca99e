use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::firewalld::Firewalld;
use super::nftables::Nftables;
use super::root::Root;
use super::ufw::Ufw;
use wnm_core::command::CommandRunner;
use wnm_core::firewall::{Firewall, FirewallError, NoFirewall, Opening};
use wnm_core::kind::Mode;
use wnm_core::machine::FirewallChoice;

/// The firewall of this machine, by its setting.
///
/// Which one `auto` means is found out at each opening: firewalls are switched on and off while wnm runs, and
/// ports are opened seldom. One that cannot be asked counts as inactive there, with a warning, since a node
/// behind a closed port is of more use than none; one that is named must do what it is asked.
///
/// A rule stays with the firewall that it was made in: when the setting changes, rules of nodes that exist are
/// not moved.
pub struct SystemFirewall {
    choice: FirewallChoice,
    /// Whether rules can be changed without being told to: as root, or where wnm works through sudo anyway.
    has_rights: bool,
    root: Root,
    /// Held from looking at the rules to having changed them. Of two that take a port each from the same rule
    /// one would otherwise bring the other's back. Nobody outside of this process changes rules for these
    /// ports: one process at a time works on a colony, and colonies share no port.
    changing: Mutex<()>,
}

impl SystemFirewall {
    /// The firewall for this setting and mode. Touches nothing yet.
    pub fn new(choice: FirewallChoice, mode: Mode, runner: Arc<dyn CommandRunner>) -> Self {
        Self {
            choice,
            has_rights: mode == Mode::Sudo || nix::unistd::geteuid().is_root(),
            root: Root::new(runner),
            changing: Mutex::new(()),
        }
    }

    async fn chosen(&self) -> Result<Box<dyn Firewall>, FirewallError> {
        let found: Option<Box<dyn Firewall>> = match self.choice {
            FirewallChoice::Auto => Some(self.active().await),
            FirewallChoice::None => Some(Box::new(NoFirewall)),
            FirewallChoice::Ufw => Ufw::find(&self.root).map(boxed),
            FirewallChoice::Firewalld => Firewalld::find(&self.root).map(boxed),
            FirewallChoice::Nftables => Nftables::find(&self.root).map(boxed),
        };
        found.ok_or(FirewallError::NotInstalled(self.choice))
    }

    /// The one that keeps something out now. ufw and firewalld put their rules where nft shows them, so that
    /// nftables comes last.
    async fn active(&self) -> Box<dyn Firewall> {
        if !self.has_rights {
            return Box::new(NoFirewall);
        }
        if let Some(ufw) = Ufw::find(&self.root)
            && is_active(FirewallChoice::Ufw, ufw.is_active().await)
        {
            return Box::new(ufw);
        }
        if let Some(firewalld) = Firewalld::find(&self.root)
            && is_active(FirewallChoice::Firewalld, firewalld.is_active().await)
        {
            return Box::new(firewalld);
        }
        if let Some(nftables) = Nftables::find(&self.root)
            && is_active(FirewallChoice::Nftables, nftables.is_active().await)
        {
            return Box::new(nftables);
        }
        Box::new(NoFirewall)
    }
}

fn boxed(firewall: impl Firewall + 'static) -> Box<dyn Firewall> {
    Box::new(firewall)
}

fn is_active(choice: FirewallChoice, answer: Result<bool, FirewallError>) -> bool {
    answer.unwrap_or_else(|error| {
        tracing::warn!(
            "cannot tell whether {choice} is active, so no port is opened in it: {error}"
        );
        false
    })
}

#[async_trait]
impl Firewall for SystemFirewall {
    async fn open(&self, ports: &Opening) -> Result<(), FirewallError> {
        let _changing = self.changing.lock().await;
        self.chosen().await?.open(ports).await
    }

    async fn close(&self, ports: &Opening) -> Result<(), FirewallError> {
        let _changing = self.changing.lock().await;
        match self.chosen().await {
            Ok(firewall) => firewall.close(ports).await,
            // Gone with its rules: a node must be removable all the same.
            Err(FirewallError::NotInstalled(choice)) => {
                tracing::warn!(
                    "{choice} is not installed any more, so there was nothing to close in it"
                );
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Stage, done, failed, opening};
    use super::*;

    const ALL: [&str; 4] = ["ufw", "flock", "firewall-cmd", "nft"];

    const DROPS: &str = r#"{"nftables": [{"chain": {"family": "inet", "table": "filter", "name": "input",
        "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}}]}"#;

    /// A machine where these firewalls are active.
    fn stage(installed: &[&str], active: &'static [&str]) -> Stage {
        let on = move |name| active.contains(&name);
        Stage::with(installed, move |words| match words {
            _ if words.ends_with("/ufw status") && on("broken") => failed(1, "problem"),
            _ if words.ends_with("/ufw status") && on("ufw") => done("Status: active\n"),
            "firewall-cmd --state" if !on("firewalld") => failed(252, "not running"),
            _ if words.starts_with("nft -j ") && on("nftables") => done(DROPS),
            _ if words.starts_with("nft -j ") => done(r#"{"nftables": []}"#),
            _ => done(""),
        })
    }

    /// The program that a port was opened with.
    async fn opened_with(
        choice: FirewallChoice,
        has_rights: bool,
        active: &'static [&str],
    ) -> String {
        let stage = stage(&ALL, active);
        let firewall = SystemFirewall {
            choice,
            has_rights,
            root: stage.root.clone(),
            changing: Mutex::new(()),
        };
        firewall.open(&opening(55001, 55001, 1)).await.unwrap();
        let said = stage.said();
        let call = said.lines().rfind(|line| line.contains("55001"));
        call.and_then(|line| line.split(' ').next())
            .unwrap_or_default()
            .to_owned()
    }

    #[tokio::test]
    async fn auto_takes_what_is_active_and_not_what_is_installed() {
        let auto = FirewallChoice::Auto;
        assert_eq!(
            opened_with(auto, true, &["ufw", "firewalld", "nftables"]).await,
            "flock"
        );
        assert_eq!(
            opened_with(auto, true, &["firewalld", "nftables"]).await,
            "firewall-cmd"
        );
        assert_eq!(opened_with(auto, true, &["nftables"]).await, "nft");
        assert_eq!(opened_with(auto, true, &[]).await, "");
        assert_eq!(
            opened_with(auto, true, &["broken", "nftables"]).await,
            "nft"
        );
    }

    #[tokio::test]
    async fn without_rights_auto_does_nothing_and_a_named_one_is_tried() {
        let active = &["ufw", "firewalld", "nftables"];
        assert_eq!(opened_with(FirewallChoice::Auto, false, active).await, "");
        assert_eq!(opened_with(FirewallChoice::None, true, active).await, "");
        assert_eq!(
            opened_with(FirewallChoice::Firewalld, false, active).await,
            "firewall-cmd"
        );
    }

    #[tokio::test]
    async fn a_named_one_that_is_absent_opens_nothing_and_keeps_nothing_open() {
        let stage = stage(&["nft"], &["nftables"]);
        let root = stage.root.clone();
        let firewall = SystemFirewall {
            choice: FirewallChoice::Ufw,
            has_rights: true,
            root,
            changing: Mutex::new(()),
        };
        let opened = firewall.open(&opening(55001, 55001, 1)).await;
        assert!(matches!(
            opened,
            Err(FirewallError::NotInstalled(FirewallChoice::Ufw))
        ));
        firewall.close(&opening(55001, 55001, 1)).await.unwrap();
        assert_eq!(stage.said(), "");
    }
}
