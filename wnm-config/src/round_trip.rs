//! What must hold for any machine and any file.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use crate::samples::{facts, options, rewarded};
use crate::{Layers, MachineFacts, stored_values};
use wnm_core::container::ContainerNetwork;
use wnm_core::id::NodeId;
use wnm_core::kind::ManagerKind;
use wnm_core::machine::FirewallChoice;
use wnm_core::machine::{
    Band, ContainerSettings, Delays, FleetLimits, IoBands, Launch, Limits, Machine, Pacing,
    RemovalStrategy, Thresholds,
};
use wnm_core::ports::{PortBase, PortBases};
use wnm_core::quantity::{ByteRate, Load, Milliseconds, Percent, Seconds, UnixTime};
use wnm_report::{config_line, environment_line};

/// Words that are hard to quote, well-formed for a shell.
fn words() -> impl Strategy<Value = Option<String>> {
    let word = r#"[a-z#; =:"'$`\\\[\]-]{1,12}"#;
    proptest::option::of(proptest::collection::vec(word, 1..4)).prop_map(|words| {
        words.map(|words| {
            let quoted: Vec<_> = words.iter().map(|w| shlex::try_quote(w).unwrap()).collect();
            quoted.join(" ")
        })
    })
}

fn variables() -> impl Strategy<Value = Option<String>> {
    words().prop_map(|words| {
        let word = shlex::try_quote(&words?).unwrap().into_owned();
        Some(format!("RUST_LOG={word} B=c"))
    })
}

fn path() -> impl Strategy<Value = PathBuf> {
    r#"/[a-z"'$ #;\\é]{0,10}[a-z"'$]"#.prop_map(PathBuf::from)
}

fn percents() -> impl Strategy<Value = Band<Percent>> {
    (0u8..100).prop_flat_map(|add| {
        (add + 1..=100).prop_map(move |remove| Band {
            add_below: Percent::whole(add),
            remove_above: Percent::whole(remove),
        })
    })
}

fn rates() -> impl Strategy<Value = Band<ByteRate>> {
    (0..i64::MAX as u64).prop_flat_map(|add| {
        (add + 1..=i64::MAX as u64).prop_map(move |remove| Band {
            add_below: ByteRate(add),
            remove_above: ByteRate(remove),
        })
    })
}

fn traffic() -> impl Strategy<Value = IoBands> {
    prop_oneof![
        Just(IoBands::OFF),
        (rates(), rates()).prop_map(|(read, write)| IoBands { read, write }),
    ]
}

fn thresholds() -> impl Strategy<Value = Thresholds> {
    let load = (0.0..1e6, 1e-3..1e6).prop_map(|(add, gap)| Band {
        add_below: Load::new(add).unwrap(),
        remove_above: Load::new(add + gap).unwrap(),
    });
    (
        percents(),
        percents(),
        percents(),
        traffic(),
        traffic(),
        load,
    )
        .prop_map(|(cpu, memory, disk, disk_io, net_io, load)| Thresholds {
            cpu,
            memory,
            disk,
            disk_io,
            net_io,
            load,
        })
}

fn pace() -> impl Strategy<Value = (Delays, Limits, Pacing)> {
    let number = 0u32..60_000;
    proptest::array::uniform10(number).prop_map(|n| {
        let delays = Delays {
            start: Seconds(n[0].into()),
            restart: Seconds(n[1].into()),
            upgrade: Seconds(n[2].into()),
            remove: Seconds(n[3].into()),
        };
        let limits = Limits {
            upgrades: n[4] + 1,
            starts: n[5] + 1,
            removals: n[6] + 1,
            operations: n[7] + 1,
        };
        let pacing = Pacing {
            survey: Milliseconds(n[8].into()),
            action: Milliseconds(n[9].into()),
        };
        (delays, limits, pacing)
    })
}

fn ports() -> impl Strategy<Value = PortBases> {
    let bases: Vec<i64> = (1..=64).collect();
    proptest::sample::subsequence(bases, 3)
        .prop_shuffle()
        .prop_map(|bases| {
            let [node, metrics, rpc] = [0, 1, 2].map(|i| PortBase::from_number(bases[i]).unwrap());
            PortBases { node, metrics, rpc }
        })
}

fn launch() -> impl Strategy<Value = Launch> {
    (variables(), words(), any::<bool>()).prop_map(|(environment, start_args, no_upnp)| Launch {
        environment,
        start_args,
        no_upnp,
    })
}

fn fleet() -> impl Strategy<Value = FleetLimits> {
    let memory = "([1-9][0-9]{2,5}[MGT]|[1-9][0-9]?%)".prop_map(|text| text.parse().unwrap());
    (
        proptest::option::of(memory),
        proptest::option::of(1u32..=1_000_000),
    )
        .prop_map(|(memory_max, quota)| FleetLimits {
            memory_max,
            cpu_quota: quota.and_then(NonZeroU32::new),
        })
}

fn rest() -> impl Strategy<Value = Machine> {
    let version = proptest::option::of("[0-9]\\.[1-9]\\.[1-9](-rc\\.[1-9])?");
    let image = proptest::option::of("[a-z]{1,5}/[a-z]{1,5}(:[a-z0-9.]{1,5})?");
    (
        (path(), path(), path()),
        (version, image),
        (any::<bool>(), 0..i64::MAX, 0..i64::MAX, 1u32..60_000),
        (
            proptest::sample::select(crate::samples::KINDS.to_vec()),
            proptest::sample::select(RemovalStrategy::ALL.to_vec()),
            proptest::sample::select(vec!["faucet:3,donate", "Faucet", "donate"]),
            proptest::sample::select(FirewallChoice::ALL.to_vec()),
            fleet(),
        ),
    )
        .prop_map(
            |(paths, (version, image), (on, at, bytes, number), words)| {
                let start = rewarded().initial_machine(&facts()).unwrap();
                // Containers of one node have their ports wherever nodes have.
                let in_containers = words.0 == ManagerKind::from_static("s6overlay+user");
                let max_nodes = if in_containers { 1 } else { number };
                Machine {
                    node_storage: paths.0,
                    antnode_path: paths.1,
                    antctl_path: paths.2,
                    antctl_version: version,
                    antctl_debug: on,
                    last_stopped_at: (at != 0).then_some(UnixTime(at)),
                    crisis_bytes: bytes.unsigned_abs(),
                    highest_id: on.then(|| NodeId::new(number).unwrap()),
                    containers: ContainerSettings {
                        max_nodes,
                        min_count: max_nodes - 1,
                        image,
                        network: ContainerNetwork::ALL[usize::from(on)],
                    },
                    manager: words.0,
                    removal_strategy: words.1,
                    rewards: words.2.parse().unwrap(),
                    firewall: words.3,
                    fleet: words.4,
                    ..start
                }
            },
        )
}

fn machine() -> impl Strategy<Value = Machine> {
    (
        rest(),
        thresholds(),
        pace(),
        ports(),
        launch(),
        0u32..1000,
        1u32..512,
    )
        .prop_map(
            |(rest, thresholds, (delays, limits, pacing), ports, launch, node_cap, cpu_count)| {
                Machine {
                    cpu_count,
                    node_cap,
                    thresholds,
                    delays,
                    limits,
                    pacing,
                    ports,
                    launch,
                    ..rest
                }
            },
        )
}

/// The machine that a text makes as a config file. Counters take a second step, as in life.
fn read_back(text: &str, cpu_count: u32) -> Machine {
    let facts = MachineFacts {
        cpu_count,
        ..facts()
    };
    let layers = Layers::new(options()).file(Path::new("/config"), text.as_bytes());
    let fresh = layers
        .initial_machine(&facts)
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    let update = layers.command_line([("force_action", "update_config")]);
    update.apply(&fresh).unwrap().0
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_machine_reads_back_from_a_config_file(machine in machine()) {
        let values = stored_values(&machine);
        for line in [config_line, environment_line] {
            let text: String = values
                .iter()
                .map(|(name, value)| line(name, value) + "\n")
                .collect();
            prop_assert_eq!(&read_back(&text, machine.cpu_count), &machine);
        }
    }

    #[test]
    fn any_machine_is_what_it_is_when_nothing_is_given(machine in machine()) {
        let (same, changes) = Layers::new(options()).apply(&machine).unwrap();
        prop_assert!(changes.is_empty());
        prop_assert_eq!(same, machine);
    }

    #[test]
    fn no_bytes_make_a_config_file_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let layers = Layers::new(options()).file(Path::new("/config"), &bytes);
        if let Err(error) = layers.initial_machine(&facts()) {
            prop_assert!(error.0.iter().all(|fault| fault.to_string().lines().count() == 1));
        }
    }

    /// Closer to a config file than bytes are, so that more of the reader is reached.
    #[test]
    fn no_lines_make_a_config_file_panic(
        lines in proptest::collection::vec(
            "(node_cap|no_upnp|start-args|--host|port_start|dbpath|x)[ =:]{0,3}[\"'#; \\\\$a-z0-9~{é-]{0,10}",
            0..8,
        )
    ) {
        let layers = Layers::new(options()).file(Path::new("/config"), lines.join("\n").as_bytes());
        let told = [
            layers.initial_machine(&facts()).err(),
            layers.run_settings().err(),
        ];
        for error in told.into_iter().flatten() {
            prop_assert!(error.0.iter().all(|fault| fault.to_string().lines().count() == 1));
        }
    }
}
