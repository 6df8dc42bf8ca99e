//! What is told of a take-over, before and after.

use std::path::Path;

use crate::documents::{AdoptedNode, OptionValue, TakenFromAnm, TakenOver};
use crate::input::AnmFleet;
use wnm_colony::takeover::{Adoption, FoundSetting};
use wnm_config::AnmSetting;
use wnm_core::id::NodeId;
use wnm_core::node::{Node, Status};

/// What was or would be taken over.
pub struct Taken<'a> {
    /// The nodes.
    pub adoption: &'a Adoption,
    /// Settings that were read off them.
    pub settings: &'a [FoundSetting],
    /// Whose they were, if anm's.
    pub anm: Option<&'a AnmFleet>,
    /// The cap, where it was raised so that no node is over it.
    pub cap_raised_to: Option<u32>,
}

impl Taken<'_> {
    /// Everything that would be adopted, changed and removed, a line each.
    pub fn would(&self) -> String {
        let nodes = &self.adoption.nodes;
        let mut text = match nodes.len() {
            0 => "\nwould adopt nothing: the process manager knows no node that wnm does not"
                .to_owned(),
            count => format!("\nwould adopt {}, and touch none of them", counted(count)),
        };
        for node in nodes {
            text.push_str(&line(node));
        }
        self.push_rest(&mut text, "would be");
        self.push_settings(&mut text, "would take from the nodes");
        if let Some(anm) = self.anm {
            text.push_str("\nwould take from anm");
            for setting in &anm.settings.values {
                let place = format!("{}:{}", setting.path.display(), setting.line);
                text.push_str(&format!(
                    "\n  {:<26}{}  ({place})",
                    setting.option, setting.value
                ));
            }
            if anm.found.cron.is_some() {
                text.push_str(&format!(
                    "\nwould remove\n  {}  (kept as {})",
                    anm.found.cron_file().display(),
                    anm.found.kept_cron_file().display()
                ));
            }
        }
        text
    }

    /// How many were adopted, and what a person should look at.
    pub fn did(&self) -> String {
        let nodes = &self.adoption.nodes;
        let mut text = match nodes.len() {
            0 => "\n  adopted   nothing: the process manager knows no node that wnm does not"
                .to_owned(),
            count => {
                let of = |status| nodes.iter().filter(|node| node.status() == status).count();
                let mut words = vec![];
                for status in [
                    Status::Running,
                    Status::Stopped,
                    Status::Dead,
                    Status::Unknown,
                ] {
                    if of(status) > 0 {
                        words.push(format!("{} {status}", of(status)));
                    }
                }
                let words = words.join(", ");
                format!("\n  adopted   {} as they are ({words})", counted(count))
            }
        };
        self.push_rest(&mut text, "was");
        self.push_settings(&mut text, "  taken from the nodes");
        if let Some(anm) = self.anm.filter(|anm| anm.found.cron.is_some()) {
            text.push_str(&format!(
                "\n  anm       its line of cron is kept as {}",
                anm.found.kept_cron_file().display()
            ));
        }
        text
    }

    fn push_settings(&self, text: &mut String, heading: &str) {
        if self.settings.is_empty() {
            return;
        }
        text.push_str(&format!("\n{heading}"));
        for (name, value) in self.settings {
            text.push_str(&format!("\n  {name:<26}{value}"));
        }
    }

    fn push_rest(&self, text: &mut String, verb: &str) {
        for left in &self.adoption.left_alone {
            text.push_str(&format!("\n  left alone: {left}"));
        }
        let dead: Vec<String> = self.dead().map(|node| node.service.clone()).collect();
        if !dead.is_empty() {
            text.push_str(&format!(
                "\n  without a directory, to be removed by the next cycle: {}",
                dead.join(", ")
            ));
        }
        if let Some(cap) = self.cap_raised_to {
            text.push_str(&format!(
                "\n  the cap {verb} raised to {cap}, so that no node is removed for it"
            ));
        }
        for note in self.anm.iter().flat_map(|anm| &anm.settings.notes) {
            text.push_str(&format!("\n  note: {note}"));
        }
    }

    fn dead(&self) -> impl Iterator<Item = &Node> {
        let nodes = self.adoption.nodes.iter();
        nodes.filter(|node| node.status() == Status::Dead)
    }

    /// The same for programs.
    pub fn document<'d>(&'d self, status: &'d str, database: Option<&'d Path>) -> TakenOver<'d> {
        let nodes = &self.adoption.nodes;
        let pairs = self.settings.iter();
        TakenOver {
            status,
            database,
            adopted: nodes.len(),
            nodes: nodes.iter().map(AdoptedNode::of).collect(),
            left_alone: &self.adoption.left_alone,
            node_cap_raised_to: self.cap_raised_to,
            settings: pairs
                .map(|(option, value)| OptionValue { option, value })
                .collect(),
            anm: self.anm.map(|anm| TakenFromAnm {
                settings: anm.settings.values.iter().map(anm_setting).collect(),
                notes: &anm.settings.notes,
                removed: anm.found.cron.as_ref().map(|_| anm.found.cron_file()),
            }),
        }
    }
}

fn anm_setting(setting: &AnmSetting) -> OptionValue<'_> {
    OptionValue {
        option: setting.option,
        value: &setting.value,
    }
}

fn counted(count: usize) -> String {
    match count {
        1 => "1 node".to_owned(),
        count => format!("{count} nodes"),
    }
}

/// One node: what it becomes, how it stands, its ports, where it is and what it was called.
fn line(node: &Node) -> String {
    let number = |id: NodeId| id.directory_name();
    let metrics = node.ports.metrics.map(|port| format!("/{port}"));
    let ports = format!("{}{}", node.ports.node, metrics.unwrap_or_default());
    let version = node.version.as_ref().map(|version| format!("  {version}"));
    let called = match node.service == number(node.id)
        || node.service == format!("{}.service", number(node.id))
    {
        true => String::new(),
        false => format!("  ({})", node.service),
    };
    format!(
        "\n  {}  {:<8} {ports:<12} {}{}{called}",
        number(node.id),
        node.status(),
        node.root_dir.display(),
        version.unwrap_or_default(),
    )
}
