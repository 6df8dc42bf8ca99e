use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};
use thiserror::Error;

/// An account on an EVM chain. Reads and prints with the checksum of EIP-55, which is in the case of the
/// letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address([u8; 20]);

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not `0x` and 40 hexadecimal digits.
    #[error("'{0}' is no address: it takes 0x and 40 hexadecimal digits")]
    Malformed(String),
    /// Mixed case that does not fit the checksum: most likely a typing error.
    #[error("'{given}' fails its checksum; if every digit is right, it is spelled {right}")]
    Checksum {
        /// As given.
        given: String,
        /// The spelling that passes.
        right: Address,
    },
}

impl Address {
    /// The community faucet, which `faucet` stands for.
    pub const FAUCET: Address = Address([
        0x00, 0x45, 0x5d, 0x78, 0xf8, 0x50, 0xb0, 0x35, 0x8e, 0x8c, 0xea, 0x5b, 0xe2, 0x4d, 0x41,
        0x5e, 0x01, 0xe1, 0x07, 0xcf,
    ]);

    /// The 20 bytes.
    pub const fn bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let malformed = || AddressError::Malformed(text.to_owned());
        let digits = text
            .strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))
            .filter(|digits| digits.len() == 40 && digits.is_ascii())
            .ok_or_else(malformed)?;
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
            *byte = match (hex_digit(pair[0]), hex_digit(pair[1])) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(malformed()),
            };
        }
        let address = Address(bytes);
        let mixed_case = digits.bytes().any(|b| b.is_ascii_lowercase())
            && digits.bytes().any(|b| b.is_ascii_uppercase());
        if mixed_case && address.to_string()[2..] != *digits {
            return Err(AddressError::Checksum {
                given: text.to_owned(),
                right: address,
            });
        }
        Ok(address)
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

impl fmt::Display for Address {
    /// EIP-55: a letter is upper case where the digit of the Keccak-256 of the lower-case text, at the same
    /// place, is at least 8.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lower: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let hash = Keccak256::digest(lower.as_bytes());
        f.write_str("0x")?;
        for (i, digit) in lower.chars().enumerate() {
            let nibble = if i % 2 == 0 {
                hash[i / 2] >> 4
            } else {
                hash[i / 2] & 0x0f
            };
            let digit = if nibble >= 8 {
                digit.to_ascii_uppercase()
            } else {
                digit
            };
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples in the text of EIP-55.
    const CHECKSUMMED: [&str; 4] = [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];

    #[test]
    fn checksummed_addresses_survive_a_round_trip() {
        for text in CHECKSUMMED {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn one_case_carries_no_checksum() {
        for text in CHECKSUMMED {
            let lower = text.to_lowercase();
            let upper = format!("0x{}", text[2..].to_uppercase());
            assert_eq!(lower.parse::<Address>().unwrap().to_string(), text);
            assert_eq!(upper.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wrong_checksum_is_refused_with_the_right_spelling() {
        let wrong = "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let error = wrong.parse::<Address>().unwrap_err().to_string();
        assert!(
            error.contains(wrong) && error.contains(CHECKSUMMED[0]),
            "{error}"
        );
    }

    #[test]
    fn the_faucet_is_the_one_documented() {
        assert_eq!(
            Address::FAUCET.to_string(),
            "0x00455d78f850b0358E8cea5be24d415E01E107CF"
        );
    }

    #[test]
    fn other_texts_are_malformed() {
        for text in [
            "",
            "0x",
            "0x123",
            "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xé",
        ] {
            assert!(
                matches!(text.parse::<Address>(), Err(AddressError::Malformed(_))),
                "{text}"
            );
        }
        let letters = format!("0x{}", "g".repeat(40));
        assert!(letters.parse::<Address>().is_err());
    }
}
