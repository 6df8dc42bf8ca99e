//! Brings snapshots of earlier programs into the present form.

use serde_json::{Map, Value, json};

/// What a machine's settings held before it was kept apart from them.
const STATE: [&str; 2] = ["highest_id", "last_stopped_at"];

/// Settings of single managers that were fields of their own: where they were, and the names of their options.
const MANAGER_SETTINGS: [(&str, &str); 9] = [
    ("/antctl_path", "antctl_path"),
    ("/antctl_debug", "antctl_debug"),
    ("/antctl_version", "antctl_version"),
    ("/containers/max_nodes", "max_node_per_container"),
    ("/containers/min_count", "min_container_count"),
    ("/containers/image", "docker_image"),
    ("/containers/network", "container_network"),
    ("/fleet/memory_max", "fleet_memory_max"),
    ("/fleet/cpu_quota", "fleet_cpu_quota"),
];

/// Puts what earlier programs had elsewhere where it belongs now. Leaves anything else as it is.
pub(super) fn update(snapshot: &mut Value) {
    let Some(snapshot) = snapshot.as_object_mut() else {
        return;
    };
    let Some(machine) = snapshot.get_mut("machine").and_then(Value::as_object_mut) else {
        return;
    };
    let settings = Value::Object(machine.clone());
    machine.entry("manager_settings").or_insert_with(|| {
        let moved = MANAGER_SETTINGS.iter();
        let moved = moved.filter_map(|(place, name)| {
            Some(((*name).to_owned(), settings.pointer(place)?.clone()))
        });
        Value::Object(moved.collect())
    });
    let state: Map<String, Value> = STATE
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), machine.remove(*name)?)))
        .collect();
    if !state.is_empty() {
        snapshot.entry("state").or_insert_with(|| json!(state));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::machine::{ConfigValue, MachineState};
    use crate::quantity::UnixTime;
    use crate::snapshot::Snapshot;
    use crate::testing::{id, snapshot};

    #[test]
    fn a_snapshot_with_its_state_among_the_settings_reads() {
        let mut expected = snapshot();
        expected.state = MachineState {
            highest_id: Some(id(7)),
            last_stopped_at: Some(UnixTime(1_763_000_000)),
        };
        let present = serde_json::to_value(&expected).unwrap();
        assert_eq!(Snapshot::from_json(present.clone()).unwrap(), expected);
        let mut old = present;
        old.as_object_mut().unwrap().remove("state");
        assert!(Snapshot::from_json(old.clone()).is_err());
        old["machine"]["highest_id"] = 7.into();
        old["machine"]["last_stopped_at"] = 1_763_000_000.into();
        assert_eq!(Snapshot::from_json(old).unwrap(), expected);
    }

    #[test]
    fn settings_of_managers_that_were_fields_read() {
        let mut old = serde_json::to_value(snapshot()).unwrap();
        let machine = old["machine"].as_object_mut().unwrap();
        machine.remove("manager_settings");
        machine.insert("antctl_path".to_owned(), json!("/opt/antctl"));
        machine.insert("antctl_version".to_owned(), json!(null));
        machine.insert(
            "containers".to_owned(),
            json!({ "max_nodes": 50, "min_count": 2 }),
        );
        machine.insert("fleet".to_owned(), json!({ "memory_max": "24G" }));
        let read = Snapshot::from_json(old).unwrap().machine.manager_settings;
        assert_eq!(read.text("antctl_path"), Some("/opt/antctl"));
        assert_eq!(read.get("antctl_version"), Some(&ConfigValue::Null));
        assert_eq!(read.count("max_node_per_container"), Some(50));
        assert_eq!(read.count("min_container_count"), Some(2));
        assert_eq!(read.text("fleet_memory_max"), Some("24G"));
        assert_eq!(read.get("docker_image"), None);
    }
}
