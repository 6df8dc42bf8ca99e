use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Which firewall lets the network reach the nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FirewallChoice {
    /// The one that is active on the machine, where there are the rights to change it. The default.
    #[default]
    Auto,
    /// Ubuntu's and Debian's ufw.
    Ufw,
    /// Fedora's and SUSE's firewalld.
    Firewalld,
    /// The kernel's own rules, where no other program manages them.
    Nftables,
    /// None: ports are somebody else's matter.
    None,
}

/// A firewall that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{0}' is no firewall; there are {all}", all = FirewallChoice::WORDS.join(", "))]
pub struct UnknownFirewall(pub String);

impl FirewallChoice {
    /// Every choice.
    pub const ALL: [FirewallChoice; 5] = [
        FirewallChoice::Auto,
        FirewallChoice::Ufw,
        FirewallChoice::Firewalld,
        FirewallChoice::Nftables,
        FirewallChoice::None,
    ];

    /// The words for them.
    pub const WORDS: [&'static str; 5] = ["auto", "ufw", "firewalld", "nftables", "none"];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            FirewallChoice::Auto => "auto",
            FirewallChoice::Ufw => "ufw",
            FirewallChoice::Firewalld => "firewalld",
            FirewallChoice::Nftables => "nftables",
            FirewallChoice::None => "none",
        }
    }
}

impl fmt::Display for FirewallChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for FirewallChoice {
    type Err = UnknownFirewall;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.trim().to_lowercase();
        FirewallChoice::ALL
            .into_iter()
            .find(|choice| choice.word() == wanted)
            .ok_or_else(|| UnknownFirewall(text.trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_reads_back_from_its_word() {
        assert_eq!(
            FirewallChoice::ALL.map(FirewallChoice::word),
            FirewallChoice::WORDS
        );
        for choice in FirewallChoice::ALL {
            assert_eq!(choice.to_string().parse(), Ok(choice));
            assert_eq!(serde_json::to_value(choice).unwrap(), choice.word());
        }
        let error = "iptables".parse::<FirewallChoice>().unwrap_err();
        insta::assert_snapshot!(error, @"'iptables' is no firewall; there are auto, ufw, firewalld, nftables, none");
    }
}
