//! Brings snapshots of earlier programs into the present form.

use serde_json::{Map, Value, json};

/// What a machine's settings held before it was kept apart from them.
const STATE: [&str; 2] = ["highest_id", "last_stopped_at"];

/// Puts what earlier programs had elsewhere where it belongs now. Leaves anything else as it is.
pub(super) fn update(snapshot: &mut Value) {
    let Some(snapshot) = snapshot.as_object_mut() else {
        return;
    };
    let Some(machine) = snapshot.get_mut("machine").and_then(Value::as_object_mut) else {
        return;
    };
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
    use crate::machine::MachineState;
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
}
