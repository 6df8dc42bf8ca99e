mod ruleset;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use self::ruleset::{Chain, Rule};
use super::root::Root;
use super::rules::{self, Change};
use wnm_core::command::{CommandError, CommandOutput, CommandSpec};
use wnm_core::firewall::{Firewall, FirewallError, Opening};

/// How long one call may take. It is one exchange with the kernel; large rule sets take a second.
const DEADLINE: Duration = Duration::from_secs(15);

/// What a rule's comment begins with, so that people see whose it is.
const OWNER: &str = "wnm:";

/// Rules in the kernel's own chains, for machines whose rules no other program manages.
///
/// A packet must be accepted by *every* chain that looks at it: a chain of ours that accepts would not stop
/// another one from dropping. So the rule goes into each existing input chain that drops what it does not
/// know, and in front of all rules there, as one behind a final `reject` is never reached. Chains that a jump
/// leads to, and those of the older `iptables-legacy`, are not looked into. Where nothing drops, the port is
/// open already and nothing is added.
///
/// The rules are of the running kernel: after a reboot or a reload of its file the rule set has them again
/// once the node is started.
pub(super) struct Nftables {
    root: Root,
    nft: PathBuf,
}

impl Nftables {
    /// nftables, if its program is installed.
    pub fn find(root: &Root) -> Option<Self> {
        Some(Self {
            nft: root.find("nft")?,
            root: root.clone(),
        })
    }

    /// Whether anything is kept out.
    pub async fn is_active(&self) -> Result<bool, FirewallError> {
        let chains = self.input_chains().await?;
        Ok(chains.iter().any(|(chain, rules)| chain.closes(rules)))
    }

    /// Every chain that sees what comes in for this machine, with its rules.
    async fn input_chains(&self) -> Result<Vec<(Chain, Vec<Rule>)>, FirewallError> {
        // Chain by chain, as the whole rule set may hold lists of a million addresses.
        let listed = self.nft(&["-j", "list", "chains"]).await?;
        let mut chains = Vec::new();
        for chain in ruleset::input_chains(&listed.stdout).map_err(FirewallError::Unreadable)? {
            let [family, table, name] = chain.words();
            let listed = self
                .nft(&["-j", "list", "chain", family, table, name])
                .await?;
            let rules = ruleset::rules(&listed.stdout).map_err(FirewallError::Unreadable)?;
            chains.push((chain, rules));
        }
        Ok(chains)
    }

    /// Does all of it at once or nothing of it: nft hands what it is given in one call to the kernel as one.
    async fn apply(&self, commands: &[Command]) -> Result<(), FirewallError> {
        if commands.is_empty() {
            return Ok(());
        }
        let commands: Vec<Vec<&str>> = commands
            .iter()
            .map(|words| words.iter().map(String::as_str).collect())
            .collect();
        self.nft(&commands.join(&";")).await?;
        Ok(())
    }

    async fn nft(&self, args: &[&str]) -> Result<CommandOutput, CommandError> {
        self.root
            .output(CommandSpec::new(&self.nft, DEADLINE).args(args))
            .await
    }
}

/// One thing for nft to do, in words.
type Command = Vec<String>;

/// What makes this change in a chain.
fn commands(chain: &Chain, rules: &[Rule], change: &Change) -> Vec<Command> {
    let command = |act: &str, rest: &[&str]| -> Command {
        let words = [&[act, "rule"], &chain.words()[..], rest].concat();
        words.into_iter().map(str::to_owned).collect()
    };
    let inserts = change.add.iter().map(|rule| {
        // nft joins its arguments and reads the whole: what has a colon in it needs quotes of its own.
        let comment = format!("\"{OWNER}{rule}\"");
        let ports = rule.ports().text('-');
        command(
            "insert",
            &["udp", "dport", &ports, "accept", "comment", &comment],
        )
    });
    let is_deleted = |rule: &&Rule| {
        rule.ours()
            .is_some_and(|ours| change.delete.contains(&ours))
    };
    let deletes = rules.iter().filter(is_deleted).map(|rule| {
        let handle = rule.handle.to_string();
        command("delete", &["handle", &handle])
    });
    inserts.chain(deletes).collect()
}

fn ours(rules: &[Rule]) -> Vec<Opening> {
    rules.iter().filter_map(Rule::ours).collect()
}

#[async_trait]
impl Firewall for Nftables {
    async fn open(&self, ports: &Opening) -> Result<(), FirewallError> {
        let mut all = Vec::new();
        for (chain, rules) in self.input_chains().await? {
            if chain.closes(&rules) {
                all.extend(commands(
                    &chain,
                    &rules,
                    &rules::open(&ours(&rules), *ports),
                ));
            }
        }
        self.apply(&all).await
    }

    async fn close(&self, ports: &Opening) -> Result<(), FirewallError> {
        let mut all = Vec::new();
        for (chain, rules) in self.input_chains().await? {
            let change = rules::close(&ours(&rules), ports.ports());
            all.extend(commands(&chain, &rules, &change));
        }
        self.apply(&all).await
    }
}

#[cfg(test)]
mod tests;
