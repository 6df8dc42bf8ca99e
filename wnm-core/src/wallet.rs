//! Who is rewarded: addresses with their checksum, and weighted lists of them.

mod address;
mod rewards;

pub use address::{Address, AddressError};
pub use rewards::{Recipient, RewardsAddress, RewardsError};
