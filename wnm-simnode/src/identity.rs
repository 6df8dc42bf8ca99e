//! A node's identity. Its key file determines its peer ID and, in the simulation, everything in which nodes
//! differ.

/// Length of the key file in bytes.
pub(crate) const KEY_LENGTH: usize = 32;

/// The bytes before the 32-byte ed25519 public key in a libp2p peer ID: an identity multihash (0x00) of 36
/// bytes (0x24), which contains a protobuf with key type 1 (0x08 0x01) and a 32-byte key (0x12 0x20).
const PEER_ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The content of the key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity([u8; KEY_LENGTH]);

impl Identity {
    pub(crate) fn new(key: [u8; KEY_LENGTH]) -> Self {
        Self(key)
    }

    /// A peer ID in the real format: 52 characters that start with `12D3KooW`. Its public key is a hash of the
    /// secret key, since nobody checks a signature of a simulated node.
    pub(crate) fn peer_id(&self) -> String {
        let mut bytes = PEER_ID_PREFIX.to_vec();
        let mut state = self.seed();
        for chunk in self.0.chunks(8) {
            state = mix(state ^ big_endian(chunk));
            bytes.extend(state.to_be_bytes());
        }
        base58(&bytes)
    }

    /// A number that differs from node to node.
    pub(crate) fn seed(&self) -> u64 {
        self.0
            .chunks(8)
            .fold(0, |seed, chunk| mix(seed ^ big_endian(chunk)))
    }
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// The finaliser of splitmix64: a change of any bit affects all bits.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Encodes in base58 by long division. Each leading zero byte becomes a `1`.
fn base58(bytes: &[u8]) -> String {
    let mut digits: Vec<u8> = Vec::new();
    for &byte in bytes {
        let mut carry = u32::from(byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    std::iter::repeat_n(0, zeros)
        .chain(digits.into_iter().rev())
        .map(|digit| char::from(BASE58[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn base58_matches_published_examples() {
        assert_eq!(base58(b"Hello World!"), "2NEpo7TZRRrLZSi2U");
        assert_eq!(base58(&[0x00, 0x00, 0x28, 0x7f, 0xb4, 0xcd]), "11233QC4");
    }

    proptest! {
        #[test]
        fn every_key_gives_a_well_formed_peer_id(key: [u8; KEY_LENGTH], other: [u8; KEY_LENGTH]) {
            let id = Identity::new(key).peer_id();
            prop_assert_eq!(id.len(), 52);
            prop_assert!(id.starts_with("12D3KooW"), "{}", id);
            prop_assert_eq!(&id, &Identity::new(key).peer_id());
            if key != other {
                prop_assert_ne!(id, Identity::new(other).peer_id());
            }
        }
    }
}
