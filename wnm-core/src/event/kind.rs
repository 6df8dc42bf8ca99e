use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::decide::{Act, MachineAct, Step};
use crate::id::ContainerId;
use crate::machine::Change;
use crate::node::{Node, NodeChange, TransitionKind};

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventKind {
    /// A step of a plan was taken.
    Step {
        /// Its act.
        act: Act,
        /// What was resumed, if the act was to resume.
        resumes: Option<TransitionKind>,
    },
    /// A node changed, and nobody did it.
    NodeChange(NodeChange),
    /// A node was started again because its container was.
    Returned,
    /// A container was created or started.
    Container {
        /// Which one.
        container: Option<ContainerId>,
    },
    /// The containers as a whole were examined.
    Containers,
    /// Ports of nodes were opened.
    Ports,
    /// What all nodes share was prepared.
    Prepared,
    /// A setting was changed.
    Setting(Change),
    /// The machine came up anew.
    Rebooted,
    /// A colony was created.
    Initialized,
    /// A node was found, and adopted or not.
    Adopted,
    /// All nodes were removed.
    TornDown,
    /// The colony was released.
    Released,
    /// Something that the doctor found was repaired.
    Repaired,
    /// Something that this version knows only by its word.
    Other {
        /// The word.
        action: String,
    },
}

impl EventKind {
    /// The kind of a step of the machine.
    pub fn of_machine_act(act: &MachineAct) -> Self {
        match act {
            MachineAct::EnsureContainer { container } => EventKind::Container {
                container: Some(*container),
            },
            MachineAct::OpenPorts { .. } => EventKind::Ports,
        }
    }

    /// The kind of a step with `node` as it was recorded before.
    pub fn of_step(step: &Step, node: Option<&Node>) -> Self {
        EventKind::Step {
            act: step.act,
            resumes: match step.act {
                Act::Resume => node.and_then(Node::under_way),
                _ => None,
            },
        }
    }

    /// The word that people read and databases store: `add`, `resume starting`, `went-down`, `set`, …
    pub fn action(&self) -> Cow<'_, str> {
        match self {
            EventKind::Step {
                act: Act::Resume,
                resumes: Some(kind),
            } => Cow::Owned(format!("resume {kind}")),
            EventKind::Step { act, .. } => Cow::Borrowed(act.word()),
            EventKind::NodeChange(change) => Cow::Borrowed(change.as_str()),
            EventKind::Returned => Cow::Borrowed("return"),
            EventKind::Container { .. } => Cow::Borrowed("container"),
            EventKind::Containers => Cow::Borrowed("containers"),
            EventKind::Ports => Cow::Borrowed("ports"),
            EventKind::Prepared => Cow::Borrowed("prepare"),
            EventKind::Setting(_) => Cow::Borrowed("set"),
            EventKind::Rebooted => Cow::Borrowed("reboot"),
            EventKind::Initialized => Cow::Borrowed("init"),
            EventKind::Adopted => Cow::Borrowed("adopt"),
            EventKind::TornDown => Cow::Borrowed("teardown"),
            EventKind::Released => Cow::Borrowed("release"),
            EventKind::Repaired => Cow::Borrowed("mend"),
            EventKind::Other { action } => Cow::Borrowed(action),
        }
    }

    /// The kind that a word alone stands for. One that says too little, or is of a later version, is
    /// [`EventKind::Other`].
    pub fn from_action(action: &str) -> Self {
        let step = |act, resumes| EventKind::Step { act, resumes };
        let acts = [
            Act::Add,
            Act::Start {
                upgrade_first: false,
            },
            Act::Stop,
            Act::Disable,
            Act::Upgrade,
            Act::Remove,
            Act::Resume,
            Act::Forget,
        ];
        if let Some(act) = acts.into_iter().find(|act| act.word() == action) {
            return step(act, None);
        }
        let resumed = action.strip_prefix("resume ").map(str::parse);
        if let Some(Ok(kind)) = resumed {
            return step(Act::Resume, Some(kind));
        }
        match action {
            "came-up" => EventKind::NodeChange(NodeChange::CameUp),
            "went-down" => EventKind::NodeChange(NodeChange::WentDown),
            "died" => EventKind::NodeChange(NodeChange::Died),
            "return" => EventKind::Returned,
            "container" => EventKind::Container { container: None },
            "containers" => EventKind::Containers,
            "ports" => EventKind::Ports,
            "prepare" => EventKind::Prepared,
            "reboot" => EventKind::Rebooted,
            "init" => EventKind::Initialized,
            "adopt" => EventKind::Adopted,
            "teardown" => EventKind::TornDown,
            "release" => EventKind::Released,
            "mend" => EventKind::Repaired,
            other => EventKind::Other {
                action: other.to_owned(),
            },
        }
    }
}
