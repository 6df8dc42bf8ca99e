//! Settings made in code: defaults, and over them what is given.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use super::{
    Band, ConfigValue, Delays, FirewallChoice, IoBands, Launch, Limits, Machine, ManagerSettings,
    Pacing, RemovalStrategy, Thresholds,
};
use crate::kind::ManagerKind;
use crate::paths::Paths;
use crate::ports::PortBases;
use crate::quantity::{Load, Milliseconds, Percent, Seconds};
use crate::wallet::{Address, RewardsAddress};

/// Where the node program is installed by default, below the home directory.
const ANTNODE: &str = ".local/bin/antnode";

/// Share of the processors below which nodes are added, by the load average.
const DESIRED_LOAD: f64 = 0.6;

impl Machine {
    /// The defaults, for as many processors as this process may use. Paths are empty until
    /// [`with_home`](Self::with_home) or the methods for single paths give them.
    pub fn new(manager: ManagerKind, rewards: RewardsAddress) -> Self {
        let percent = |add: u8, remove: u8| Band {
            add_below: Percent::whole(add),
            remove_above: Percent::whole(remove),
        };
        let cpu_count = available_parallelism().map_or(1, NonZeroUsize::get);
        let machine = Self {
            cpu_count: 1,
            node_cap: 20,
            thresholds: Thresholds {
                cpu: percent(50, 70),
                memory: percent(60, 75),
                disk: percent(75, 90),
                disk_io: IoBands::OFF,
                net_io: IoBands::OFF,
                load: Band {
                    add_below: Load::default(),
                    remove_above: Load::default(),
                },
            },
            delays: Delays {
                start: Seconds(300),
                restart: Seconds(600),
                upgrade: Seconds(300),
                remove: Seconds(300),
            },
            limits: Limits {
                upgrades: 1,
                starts: 1,
                removals: 1,
                operations: 1,
            },
            pacing: Pacing {
                survey: Milliseconds(0),
                action: Milliseconds(0),
            },
            node_storage: PathBuf::new(),
            rewards,
            donate_address: Address::FAUCET,
            ports: PortBases::default(),
            host: "127.0.0.1".to_owned(),
            crisis_bytes: 2_000_000_000,
            launch: Launch::default(),
            removal_strategy: RemovalStrategy::Youngest,
            manager,
            manager_settings: ManagerSettings::default(),
            antnode_path: PathBuf::new(),
            firewall: FirewallChoice::Auto,
        };
        machine.with_cpu_count(u32::try_from(cpu_count).unwrap_or(u32::MAX))
    }

    /// Sets the number of processors, and the thresholds of the load average that follow it.
    #[must_use]
    pub fn with_cpu_count(mut self, cpu_count: u32) -> Self {
        let cpus = f64::from(cpu_count);
        self.cpu_count = cpu_count;
        self.thresholds.load = Band {
            add_below: Load::new(cpus * DESIRED_LOAD).unwrap_or_default(),
            remove_above: Load::new(cpus).unwrap_or_default(),
        };
        self
    }

    /// Sets the paths that are still empty to their defaults below a home directory. In sudo mode the node storage
    /// needs none.
    #[must_use]
    pub fn with_home(mut self, home: Option<&Path>) -> Self {
        if self.node_storage.as_os_str().is_empty()
            && let Ok(paths) = Paths::for_mode(self.manager.mode(), home)
        {
            self.node_storage = paths.node_storage;
        }
        if self.antnode_path.as_os_str().is_empty()
            && let Some(home) = home
        {
            self.antnode_path = home.join(ANTNODE);
        }
        self
    }

    /// Sets the directory that holds a directory per node.
    #[must_use]
    pub fn with_node_storage(mut self, path: impl Into<PathBuf>) -> Self {
        self.node_storage = path.into();
        self
    }

    /// Sets the binary that new and upgraded nodes get a copy of.
    #[must_use]
    pub fn with_antnode(mut self, path: impl Into<PathBuf>) -> Self {
        self.antnode_path = path.into();
        self
    }

    /// Sets what only the manager reads, by the name of its option.
    #[must_use]
    pub fn with_manager_setting(mut self, name: &str, value: ConfigValue) -> Self {
        self.manager_settings.set(name, value);
        self
    }

    /// Sets the most nodes there may be.
    #[must_use]
    pub fn with_node_cap(mut self, node_cap: u32) -> Self {
        self.node_cap = node_cap;
        self
    }

    /// Sets where the port ranges begin.
    #[must_use]
    pub fn with_ports(mut self, ports: PortBases) -> Self {
        self.ports = ports;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MANAGER;

    fn machine() -> Machine {
        Machine::new(MANAGER, RewardsAddress::from(Address::FAUCET)).with_cpu_count(8)
    }

    #[test]
    fn load_thresholds_follow_the_processors() {
        let load = machine().thresholds.load;
        assert_eq!((load.add_below.get(), load.remove_above.get()), (4.8, 8.0));
    }

    #[test]
    fn a_home_fills_only_what_is_empty() {
        let given = machine().with_node_storage("/srv/nodes");
        let machine = given.with_home(Some(Path::new("/home/ann")));
        assert_eq!(machine.node_storage, Path::new("/srv/nodes"));
        assert_eq!(
            machine.antnode_path,
            Path::new("/home/ann/.local/bin/antnode")
        );
    }
}
