use std::path::Path;

use crate::assign::assign;
use crate::defaults::{MachineFacts, defaults};
use crate::fault::{Fault, SettingsError};
use crate::spelling::spelling;
use crate::stored::{StoredSettings, stored_value};
use crate::value;
use crate::{ForceAction, Layers, OptionSpec, Scope, ValueKind};
use wnm_core::machine::ConfigValue;
use wnm_core::machine::{Change, Source};
use wnm_core::machine::{Launch, Machine, MachineState, ManagerSettings};
use wnm_core::wallet::{Address, RewardsAddress};

impl Layers {
    /// The settings of a new colony: the defaults, and over them what was given.
    pub fn initial_machine(&self, facts: &MachineFacts) -> Result<Machine, SettingsError> {
        let mut faults = self.faults.clone();
        let manager = self
            .get("process_manager")
            .and_then(|(text, _)| self.reading().manager(text).ok())
            .unwrap_or_else(|| facts.default_manager.clone());
        if self.get("rewards_address").is_none() {
            faults.push(self.needed(
                "rewards_address",
                "is needed to make a colony: wnm --init --rewards-address 0x…",
            ));
        }
        // Not read before the rewards address is known to have been given and to be one.
        let unread = RewardsAddress::from(Address::FAUCET);
        let mut new = StoredSettings {
            machine: defaults(facts, manager, unread, &self.options),
            state: MachineState::default(),
        };
        let own = self.options.of_managers();
        let own = own.filter(|spec| spec.kind == ValueKind::AbsolutePath);
        let own = own.map(|spec| spec.name);
        for name in ["node_storage", "antnode_path"].into_iter().chain(own) {
            if stored_value(&self.options, &new, name) == ConfigValue::Text(String::new())
                && self.get(name).is_none()
            {
                faults.push(self.needed(name, "has no default, since HOME is not set"));
            }
        }
        for (spec, text, source) in self.settings(&mut faults) {
            if let Err(problem) = assign(&mut new, spec, &text, self.reading()) {
                faults.push(Fault::given(spec, &text, source, problem));
            }
        }
        self.push_conflicts(&new.machine, true, &mut faults);
        SettingsError::unless(faults, new.machine)
    }

    /// Puts what was given over what the database holds, and says what that changes there.
    ///
    /// The settings come back fit for use even where the Python wnm stored them with a `~`. What does not go
    /// together is a fault only where one of the options in question was given: a colony that runs with such
    /// settings goes on.
    pub fn apply(
        &self,
        stored: &StoredSettings,
    ) -> Result<(StoredSettings, Vec<Change>), SettingsError> {
        let mut faults = self.faults.clone();
        let mut settings = StoredSettings {
            machine: self.fit_for_use(&stored.machine),
            state: stored.state,
        };
        let mut changes = Vec::new();
        for (spec, text, source) in self.settings(&mut faults) {
            let mut next = settings.clone();
            if let Err(problem) = assign(&mut next, spec, &text, self.reading()) {
                faults.push(Fault::given(spec, &text, source, problem));
                continue;
            }
            if next == settings {
                continue;
            }
            let from = stored_value(&self.options, &settings, spec.name);
            if spec.scope == Scope::StoredImmutable {
                let problem = format!("is {from} since --init and cannot change");
                faults.push(Fault::given(spec, &text, source, problem));
                continue;
            }
            changes.push(Change {
                name: spec.name.to_owned(),
                from,
                to: stored_value(&self.options, &next, spec.name),
                source: source.clone(),
            });
            settings = next;
        }
        self.push_conflicts(&settings.machine, false, &mut faults);
        SettingsError::unless(faults, (settings, changes))
    }

    /// What this run does instead of deciding, if anything that is known.
    pub(super) fn force_action(&self) -> Option<ForceAction> {
        self.get("force_action")?.0.parse().ok()
    }

    /// Whether what is given for an option is looked at in this run.
    pub(super) fn counts(&self, spec: &OptionSpec) -> bool {
        spec.scope != Scope::StoredByHand || self.force_action() == Some(ForceAction::UpdateConfig)
    }

    /// What was given for the machine's settings in this run.
    ///
    /// Counters count only with `update_config`: wnm moves them on by itself, so what a file says of them is
    /// soon out of date. `disable_config` turns the flags of its command line round.
    fn settings(&self, faults: &mut Vec<Fault>) -> Vec<(&OptionSpec, String, &Source)> {
        let force = self.force_action();
        let mut settings = Vec::new();
        for (spec, text, source) in self.given().filter(|(spec, _, _)| spec.scope.is_stored()) {
            let typed = *source == Source::CommandLine;
            if !self.counts(spec) {
                if typed {
                    let problem = "goes only with --force-action update_config";
                    faults.push(Fault::given(spec, text, source, problem));
                }
                continue;
            }
            let clears = force == Some(ForceAction::DisableConfig)
                && typed
                && spec.kind == ValueKind::Flag
                && value::flag(text).is_ok();
            let text = if clears { "false" } else { text };
            settings.push((spec, text.to_owned(), source));
        }
        settings
    }

    /// Adds what does not go together, where it was given (or `always`) and is no fault already.
    fn push_conflicts(&self, machine: &Machine, always: bool, faults: &mut Vec<Fault>) {
        for conflict in self.options.conflicts(machine) {
            let given = conflict
                .options
                .iter()
                .filter_map(|name| Some((self.options.find(name)?, self.get(name)?)));
            let faulty = given.clone().any(|(spec, (_, source))| {
                let spelling = spelling(source, spec);
                faults.iter().any(|fault| fault.option == spelling)
            });
            let options = conflict.options.iter();
            let needed = options.map(|name| self.needed(name, ""));
            let faulty = faulty
                || needed.into_iter().any(|needed| {
                    let mut without = faults.iter().filter(|fault| fault.value.is_none());
                    without.any(|fault| fault.option == needed.option)
                });
            let to_blame = given.max_by_key(|(_, (_, source))| *source);
            match to_blame {
                _ if faulty => {}
                Some((spec, (text, source))) => {
                    faults.push(Fault::given(spec, text, source, conflict.problem));
                }
                None if always => faults.push(self.needed(conflict.options[0], &conflict.problem)),
                None => {}
            }
        }
    }

    /// The stored settings as they are meant: the Python wnm stores `~` in paths, the word None, and empty texts.
    fn fit_for_use(&self, stored: &Machine) -> Machine {
        let set = |text: &Option<String>| {
            text.clone()
                .filter(|text| !text.trim().is_empty() && text != "None")
        };
        let path = |path: &Path| self.expansion().stored(path);
        Machine {
            node_storage: path(&stored.node_storage),
            antnode_path: path(&stored.antnode_path),
            manager_settings: self.manager_settings_for_use(&stored.manager_settings),
            launch: Launch {
                environment: set(&stored.launch.environment),
                start_args: set(&stored.launch.start_args),
                no_upnp: stored.launch.no_upnp,
            },
            ..stored.clone()
        }
    }

    fn manager_settings_for_use(&self, stored: &ManagerSettings) -> ManagerSettings {
        let mut settings = stored.clone();
        for spec in self.options.of_managers() {
            let Some(text) = stored.text(spec.name) else {
                continue;
            };
            if spec.kind == ValueKind::AbsolutePath {
                let path = self.expansion().stored(Path::new(text));
                settings.set(spec.name, path.display().to_string().as_str().into());
            } else if spec.can_be_unset() && (text.trim().is_empty() || text == "None") {
                settings.set(spec.name, ConfigValue::Null);
            }
        }
        settings
    }

    fn needed(&self, option: &str, problem: &str) -> Fault {
        let option = self.options.find(option).map_or_else(
            || option.to_owned(),
            |spec| spelling(&Source::CommandLine, spec),
        );
        Fault {
            option,
            value: None,
            source: None,
            problem: problem.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
