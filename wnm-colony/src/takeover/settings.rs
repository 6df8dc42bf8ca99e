//! Settings of a colony that is made of nodes which are there, worked out from them.

use std::num::NonZeroU32;

use super::ports::fitting_bases;
use wnm_core::manager::FoundNode;
use wnm_core::wallet::Address;

/// A setting that the nodes tell, as the option would be given.
pub type FoundSetting = (&'static str, String);

/// What the nodes tell of the settings that a new colony is made with: where port ranges begin and who is rewarded.
pub fn settings_of(found: &[FoundNode]) -> Vec<FoundSetting> {
    let bases = fitting_bases(found);
    let mut settings: Vec<FoundSetting> = [
        ("port_start", bases.node),
        ("metrics_port_start", bases.metrics),
        ("rpc_port_start", bases.rpc),
    ]
    .into_iter()
    .filter_map(|(name, base)| Some((name, base?.thousands().to_string())))
    .collect();
    if let Some(rewards) = rewards(found) {
        settings.push(("rewards_address", rewards));
    }
    settings
}

/// The address that all nodes have, or a list of theirs in which each weighs as many nodes as have it.
fn rewards(found: &[FoundNode]) -> Option<String> {
    let mut shares: Vec<(Address, NonZeroU32)> = Vec::new();
    for wallet in found.iter().filter_map(|node| node.wallet) {
        match shares.iter_mut().find(|(address, _)| *address == wallet) {
            Some((_, weight)) => *weight = weight.saturating_add(1),
            None => shares.push((wallet, NonZeroU32::MIN)),
        }
    }
    match shares.as_slice() {
        [] => None,
        [(only, _)] => Some(only.to_string()),
        several => {
            let share = |(address, weight): &(Address, NonZeroU32)| format!("{address}:{weight}");
            Some(several.iter().map(share).collect::<Vec<_>>().join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wnm_core::testing::found;

    #[test]
    fn nodes_tell_ports_and_rewards() {
        let other: Address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
            .parse()
            .unwrap();
        let mut nodes = vec![found(1, 41001), found(2, 41002), found(3, 41003)];
        let told = |nodes: &[FoundNode]| {
            let settings = settings_of(nodes).into_iter();
            let lines = settings.map(|(name, value)| format!("{name} = {value}"));
            lines.collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(told(&nodes), @r"
        port_start = 41
        metrics_port_start = 13
        rewards_address = 0x00455d78f850b0358E8cea5be24d415E01E107CF
        ");
        nodes[2].wallet = Some(other);
        nodes[0].ports.metrics = None;
        insta::assert_snapshot!(told(&nodes), @r"
        port_start = 41
        metrics_port_start = 13
        rewards_address = 0x00455d78f850b0358E8cea5be24d415E01E107CF:2,0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed:1
        ");
        assert_eq!(told(&[]), "");
    }
}
