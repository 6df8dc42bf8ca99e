use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Address, AddressError};

/// Someone who can be rewarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// A given address.
    Address(Address),
    /// The community faucet.
    Faucet,
    /// The machine's donate address.
    Donate,
}

impl Recipient {
    /// The address this stands for.
    pub fn address(self, donate: Address) -> Address {
        match self {
            Recipient::Address(address) => address,
            Recipient::Faucet => Address::FAUCET,
            Recipient::Donate => donate,
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Recipient::Address(address) => address.fmt(f),
            Recipient::Faucet => f.write_str("faucet"),
            Recipient::Donate => f.write_str("donate"),
        }
    }
}

/// One recipient or a weighted list of them: `0xA…:100,faucet:1,donate:10`. Never empty.
///
/// It keeps the spelling it was given in, since that is what the database of the Python wnm holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RewardsAddress {
    text: String,
    shares: Vec<(Recipient, NonZeroU32)>,
}

/// Why a text names no recipient.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RewardsError {
    /// Nothing, or nothing between two commas.
    #[error("the rewards address '{0}' has an empty entry")]
    Empty(String),
    /// A weight that is not a positive whole number.
    #[error("the weight '{weight}' of {recipient} is not a whole number from 1 to 4294967295")]
    Weight {
        /// The recipient in question.
        recipient: String,
        /// Its weight as given.
        weight: String,
    },
    /// An address that is none.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl RewardsAddress {
    /// The recipients with their weights, in the order given.
    pub fn shares(&self) -> &[(Recipient, NonZeroU32)] {
        &self.shares
    }

    /// Draws the recipient of a new node. `ticket` is a random number; equal tickets draw equal recipients.
    pub fn draw(&self, ticket: u64, donate: Address) -> Address {
        let total: u64 = self
            .shares
            .iter()
            .map(|(_, weight)| u64::from(weight.get()))
            .sum();
        let mut place = ticket % total.max(1);
        for (recipient, weight) in &self.shares {
            let weight = u64::from(weight.get());
            if place < weight {
                return recipient.address(donate);
            }
            place -= weight;
        }
        donate
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for RewardsAddress {
    type Err = RewardsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shares = text
            .split(',')
            .map(|entry| parse_share(entry, text))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            text: text.trim().to_owned(),
            shares,
        })
    }
}

fn parse_share(entry: &str, whole: &str) -> Result<(Recipient, NonZeroU32), RewardsError> {
    let (name, weight) = match entry.split_once(':') {
        Some((name, weight)) => (name.trim(), Some(weight.trim())),
        None => (entry.trim(), None),
    };
    if name.is_empty() {
        return Err(RewardsError::Empty(whole.to_owned()));
    }
    let recipient = match name.to_lowercase().as_str() {
        "faucet" => Recipient::Faucet,
        "donate" => Recipient::Donate,
        _ => Recipient::Address(name.parse()?),
    };
    let weight = match weight {
        None => NonZeroU32::MIN,
        Some(weight) => weight.parse().map_err(|_| RewardsError::Weight {
            recipient: name.to_owned(),
            weight: weight.to_owned(),
        })?,
    };
    Ok((recipient, weight))
}

impl fmt::Display for RewardsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Address> for RewardsAddress {
    fn from(address: Address) -> Self {
        Self {
            text: address.to_string(),
            shares: vec![(Recipient::Address(address), NonZeroU32::MIN)],
        }
    }
}

impl TryFrom<String> for RewardsAddress {
    type Error = RewardsError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<RewardsAddress> for String {
    fn from(rewards: RewardsAddress) -> Self {
        rewards.text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const ANN: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

    #[test]
    fn every_ticket_of_a_round_is_drawn_by_weight() {
        let donate: Address = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
            .parse()
            .unwrap();
        let list: RewardsAddress = format!("{ANN}:5, Faucet:1,DONATE:2").parse().unwrap();
        let mut drawn: HashMap<Address, u32> = HashMap::new();
        for ticket in 0..80 {
            *drawn.entry(list.draw(ticket, donate)).or_default() += 1;
        }
        assert_eq!(drawn[&ANN.parse().unwrap()], 50);
        assert_eq!(drawn[&Address::FAUCET], 10);
        assert_eq!(drawn[&donate], 20);
    }

    #[test]
    fn a_weight_is_a_positive_whole_number() {
        for text in [
            "faucet:0",
            "faucet:-1",
            "faucet:1.5",
            "faucet:",
            "faucet:x",
            "faucet:1:2",
        ] {
            let error = text.parse::<RewardsAddress>().unwrap_err();
            assert!(
                matches!(error, RewardsError::Weight { .. }),
                "{text}: {error}"
            );
        }
        for text in ["", ",", "faucet,", ":3"] {
            assert!(
                matches!(text.parse::<RewardsAddress>(), Err(RewardsError::Empty(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn the_spelling_is_kept() {
        let text = "FAUCET:3,donate";
        assert_eq!(text.parse::<RewardsAddress>().unwrap().to_string(), text);
    }
}
