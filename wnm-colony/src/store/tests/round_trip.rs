//! Any node and any machine reads back as it was stored.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::packing::read_both_ways;
use super::samples::{FAUCET, id, machine, node};
use crate::store::{Changes, Store};
use wnm_core::container::ContainerNetwork;
use wnm_core::kind::ManagerKind;
use wnm_core::machine::FirewallChoice;
use wnm_core::machine::{Band, ConfigValue, IoBands, Machine, MachineState, RemovalStrategy};
use wnm_core::node::{
    Actor, Desired, DesiredState, LifecycleRecord, LifecycleState, Node, NodeMeasurements,
    Observed, ObservedState, Transition, TransitionKind,
};
use wnm_core::ports::{NodePorts, Port, PortBase};
use wnm_core::quantity::{ByteRate, Load, Percent, Seconds, UnixTime};

fn time() -> impl Strategy<Value = UnixTime> {
    any::<i64>().prop_map(UnixTime)
}

/// Text that is not blank, with quotes, line ends and other scripts.
fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}['\"\\\\\n;%é0-9a-z]{1,8}".prop_filter("not blank", |text| !text.trim().is_empty())
}

fn count() -> impl Strategy<Value = u64> {
    (0..=i64::MAX).prop_map(i64::unsigned_abs)
}

fn hundredths() -> impl Strategy<Value = f64> {
    (0..1_000_000_000_u32).prop_map(|hundredths| f64::from(hundredths) / 100.0)
}

fn port() -> impl Strategy<Value = Port> {
    (1..=u16::MAX).prop_map(|number| Port::new(number).unwrap())
}

fn state() -> impl Strategy<Value = (Desired, Observed, Option<Transition>)> {
    use DesiredState::{Absent, Disabled, Running, Stopped};
    use TransitionKind::{Adding, Removing, Starting, Stopping, Upgrading};
    let desired = (
        select(vec![Running, Stopped, Disabled, Absent]),
        select(vec![Actor::Wnm, Actor::Operator, Actor::Found]),
        time(),
    )
        .prop_map(|(state, by, since)| Desired { state, by, since });
    let states = vec![
        ObservedState::Running,
        ObservedState::Stopped,
        ObservedState::Dead,
        ObservedState::Unknown,
    ];
    let observed = (select(states), time()).prop_map(|(state, at)| Observed { state, at });
    let kinds = vec![Adding, Starting, Stopping, Upgrading, Removing];
    let transition = (select(kinds), time(), any::<bool>())
        .prop_map(|(kind, since, acted)| Transition { kind, since, acted });
    (desired, observed, option::of(transition))
}

fn measurements() -> impl Strategy<Value = NodeMeasurements> {
    let counts = proptest::collection::vec(count(), 14);
    let rewards = option::of("[1-9][0-9]{0,40}");
    (counts, hundredths(), hundredths(), rewards).prop_map(
        |(counts, memory_mb, cpu_percent, rewards)| NodeMeasurements {
            records: counts[0],
            uptime: counts[1],
            shunned: counts[2],
            connected_peers: counts[3],
            gets: counts[4],
            puts: counts[5],
            memory_mb,
            cpu_percent,
            open_connections: counts[6],
            total_peers: counts[7],
            bad_peers: counts[8],
            relevant_records: counts[9],
            max_records: counts[10],
            rewards,
            payment_count: counts[11],
            live_time: counts[12],
            network_size: counts[13],
        },
    )
}

fn any_kind() -> impl Strategy<Value = ManagerKind> {
    "[a-z0-9][a-z0-9-]{0,9}[+](sudo|user|zen)".prop_map(|name| name.parse().unwrap())
}

prop_compose! {
    fn any_node()(
        number in 1..=u32::MAX,
        manager in any_kind(),
        (service, user, directory, network) in (text(), text(), text(), text()),
        log_dir in option::of(text()),
        version in option::of((0..99_u64, 0..99_u64, 0..999_u64)),
        rc in any::<bool>(),
        ports in (port(), option::of(port()), option::of(port())),
        wallet in any::<bool>(),
        peer_id in option::of(text()),
        environment in option::of(text()),
        (desired, observed, transition) in state(),
        measured in measurements(),
        (first_launch, status_since, last_start) in (time(), time(), option::of(time())),
        (failed_starts, load_stops) in any::<(u32, u32)>(),
    ) -> Node {
        let root_dir = std::path::Path::new("/srv").join(directory.trim_start_matches('/'));
        Node {
            id: id(number),
            manager,
            service,
            user,
            binary: root_dir.join("antnode"),
            version: version.map(|(major, minor, patch)| {
                let suffix = if rc { "-rc.1" } else { "" };
                format!("{major}.{minor}.{patch}{suffix}").parse().unwrap()
            }),
            root_dir,
            log_dir: log_dir.map(|name| format!("/var/log/{name}").into()),
            ports: NodePorts { node: ports.0, metrics: ports.1, rpc: ports.2 },
            network,
            wallet: wallet.then(|| FAUCET.parse().unwrap()),
            peer_id,
            environment,
            lifecycle: LifecycleState::from_record(LifecycleRecord {
                desired,
                observed,
                transition,
                status_since,
                last_start,
                failed_starts,
                load_stops,
            }),
            measured,
            first_launch,
            ..node(1)
        }
    }
}

fn percents() -> impl Strategy<Value = Band<Percent>> {
    (hundredths(), hundredths()).prop_map(|(below, above)| Band {
        add_below: Percent::new(below).unwrap(),
        remove_above: Percent::new(above).unwrap(),
    })
}

fn io_bands() -> impl Strategy<Value = IoBands> {
    let band = || {
        (count(), count()).prop_map(|(below, above)| Band {
            add_below: ByteRate(below),
            remove_above: ByteRate(above),
        })
    };
    (band(), band()).prop_map(|(read, write)| IoBands { read, write })
}

prop_compose! {
    fn any_machine()(
        (cpu, memory, disk) in (percents(), percents(), percents()),
        (disk_io, net_io) in (io_bands(), io_bands()),
        (desired_load, max_load) in (hundredths(), hundredths()),
        (start, restart, upgrade, remove) in (count(), count(), count(), count()),
        numbers in any::<[u32; 8]>(),
        bases in (1..=PortBase::MAX, 1..=PortBase::MAX, 1..=PortBase::MAX),
        (environment, start_args, antctl_version) in
            (option::of(text()), option::of(text()), option::of(text())),
        firewall in select(FirewallChoice::ALL.to_vec()),
        fleet in (option::of("([1-9][0-9]{2,5}[MGT]|[1-9][0-9]?%)"), any::<u32>()),
        strategy in select(RemovalStrategy::ALL.to_vec()),
        manager in any_kind(),
        (no_upnp, antctl_debug) in any::<(bool, bool)>(),
        (node_storage, image) in (text(), option::of(text())),
        weight in 1..=u32::MAX,
    ) -> Machine {
        let mut machine = machine();
        let base = |number: u8| PortBase::from_number(number.into()).unwrap();
        machine.cpu_count = numbers[0];
        machine.node_cap = numbers[1];
        machine.thresholds.cpu = cpu;
        machine.thresholds.memory = memory;
        machine.thresholds.disk = disk;
        machine.thresholds.disk_io = disk_io;
        machine.thresholds.net_io = net_io;
        machine.thresholds.load = Band {
            add_below: Load::new(desired_load).unwrap(),
            remove_above: Load::new(max_load).unwrap(),
        };
        machine.delays.start = Seconds(start);
        machine.delays.restart = Seconds(restart);
        machine.delays.upgrade = Seconds(upgrade);
        machine.delays.remove = Seconds(remove);
        machine.limits.upgrades = numbers[2];
        machine.limits.starts = numbers[3];
        machine.limits.removals = numbers[4];
        machine.limits.operations = numbers[5];
        machine.ports.node = base(bases.0);
        machine.ports.metrics = base(bases.1);
        machine.ports.rpc = base(bases.2);
        machine.launch.environment = environment;
        machine.launch.start_args = start_args;
        machine.launch.no_upnp = no_upnp;
        machine.removal_strategy = strategy;
        machine.manager = manager;
        machine.firewall = firewall;
        let number = |number: u32| ConfigValue::from(u64::from(number));
        let unset = |text: Option<String>| text.map_or(ConfigValue::Null, ConfigValue::Text);
        let own = [
            ("max_node_per_container", number(numbers[6])),
            ("min_container_count", number(numbers[7])),
            ("docker_image", unset(image)),
            ("antctl_version", unset(antctl_version.filter(|text| text != "None"))),
            ("antctl_debug", ConfigValue::Bool(antctl_debug)),
            ("container_network", ContainerNetwork::ALL[usize::from(no_upnp)].word().into()),
            ("fleet_memory_max", unset(fleet.0)),
            ("fleet_cpu_quota", match fleet.1 {
                0 => ConfigValue::Null,
                quota => number(quota),
            }),
            // Of managers that have no columns.
            ("tmux_session", ConfigValue::Text(node_storage.clone())),
            ("tmux_panes", number(numbers[0])),
            ("tmux_share", ConfigValue::Float(desired_load)),
            ("tmux_plain", ConfigValue::Bool(no_upnp)),
            ("tmux_unset", ConfigValue::Null),
        ];
        for (name, value) in own {
            machine.manager_settings.set(name, value);
        }
        machine.node_storage = node_storage.into();
        machine.rewards = format!("{FAUCET}:{weight},Donate").parse().unwrap();
        machine
    }
}

prop_compose! {
    fn any_state()(
        highest in option::of(1..=u32::MAX),
        last_stopped_at in option::of((1..i64::MAX).prop_map(UnixTime)),
    ) -> MachineState {
        MachineState { highest_id: highest.map(id), last_stopped_at }
    }
}

/// Runs a test with a runtime and an open store, which many cases share.
fn with_store(test: impl FnOnce(&tokio::runtime::Runtime, &Store)) {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let path = directory.path().join("colony.db");
    let store = runtime.block_on(Store::create(&path)).unwrap();
    let changes = Changes {
        machine: Some(machine()),
        ..Changes::default()
    };
    runtime.block_on(store.record(&changes)).unwrap();
    test(&runtime, &store);
    runtime.block_on(store.close()).unwrap();
}

#[test]
fn nodes_read_back_as_stored() {
    with_store(|runtime, store| {
        let mut runner = proptest::test_runner::TestRunner::default();
        let nodes = proptest::collection::vec(any_node(), 1..4);
        runner
            .run(&nodes, |mut nodes| {
                nodes.sort_by_key(|node| node.id);
                nodes.dedup_by_key(|node| node.id);
                let changes = Changes {
                    nodes,
                    ..Changes::default()
                };
                runtime.block_on(store.clear_nodes()).unwrap();
                runtime.block_on(store.record(&changes)).unwrap();
                let (packed, one_by_one) = runtime.block_on(read_both_ways(store));
                prop_assert_eq!(packed.as_ref(), Some(&changes.nodes));
                prop_assert_eq!(one_by_one.unwrap(), changes.nodes);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn machines_read_back_as_stored() {
    with_store(|runtime, store| {
        let mut runner = proptest::test_runner::TestRunner::default();
        runner
            .run(&(any_machine(), any_state()), |(machine, state)| {
                let changes = Changes {
                    machine: Some(machine.clone()),
                    state: Some(state),
                    ..Changes::default()
                };
                runtime.block_on(store.record(&changes)).unwrap();
                let read = runtime.block_on(store.machine()).unwrap();
                prop_assert_eq!(read, changes.machine);
                // Settings alone leave the state as it is.
                let settings = Changes {
                    machine: Some(machine),
                    ..Changes::default()
                };
                runtime.block_on(store.record(&settings)).unwrap();
                let read = runtime.block_on(store.machine_state()).unwrap();
                prop_assert_eq!(read, state);
                Ok(())
            })
            .unwrap();
    });
}
