//! Infers the settings of a new colony from the nodes it adopts.

use std::num::NonZeroU32;

use super::ports::infer_port_bases;
use wnm_core::manager::FoundNode;
use wnm_core::wallet::Address;

/// The name and the text of an inferred setting, as in a configuration file.
pub type FoundSetting = (&'static str, String);

/// Infers the bases of port ranges and the reward addresses. Leaves out settings that the nodes do
/// not determine.
pub fn infer_settings(found: &[FoundNode]) -> Vec<FoundSetting> {
    let bases = infer_port_bases(found);
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

/// The reward address of all nodes, or a list in which the weight of an address is its number of
/// nodes.
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
    fn ports_and_rewards_come_from_the_nodes() {
        let other: Address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
            .parse()
            .unwrap();
        let mut nodes = vec![found(1, 41001), found(2, 41002), found(3, 41003)];
        let inferred = |nodes: &[FoundNode]| {
            let settings = infer_settings(nodes).into_iter();
            let lines = settings.map(|(name, value)| format!("{name} = {value}"));
            lines.collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(inferred(&nodes), @r"
        port_start = 41
        metrics_port_start = 13
        rewards_address = 0x00455d78f850b0358E8cea5be24d415E01E107CF
        ");
        nodes[2].wallet = Some(other);
        nodes[0].ports.metrics = None;
        insta::assert_snapshot!(inferred(&nodes), @r"
        port_start = 41
        metrics_port_start = 13
        rewards_address = 0x00455d78f850b0358E8cea5be24d415E01E107CF:2,0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed:1
        ");
        assert_eq!(inferred(&[]), "");
    }
}
