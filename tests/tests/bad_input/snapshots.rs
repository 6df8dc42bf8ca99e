//! `wnm plan` on files that are not snapshots.

use std::fs;

use serde_json::Value;
use wnm_tests::colony::Colony;

use crate::{colony_of, refused};

#[test]
fn a_bad_snapshot_is_refused_with_the_reason() {
    let colony = colony_of(1);
    let good = colony.wnm(["plan", "--json"]).run().succeeded().stdout;
    let elsewhere = Colony::new();
    let file = elsewhere.dir().join("snapshot.json");
    let path = file.to_str().unwrap();
    let args = ["plan", "--snapshot", path];

    fs::write(&file, &good).unwrap();
    elsewhere.wnm(args).run().succeeded();

    let changed = |change: &dyn Fn(&mut Value)| -> String {
        let mut value: Value = serde_json::from_str(&good).unwrap();
        change(&mut value["snapshot"]);
        value.to_string()
    };
    let cases = [
        ("garbage", "is not JSON"),
        ("", "is not JSON"),
        (&good[..good.len() / 2], "is not JSON"),
        ("[]", "is no snapshot"),
        ("{}", "is no snapshot"),
        ("{\"format\": \"one\"}", "is no snapshot"),
        (&changed(&|s| s["format"] = 99.into()), "format 99"),
        (
            &changed(&|s| s["nodes"][0]["id"] = 0.into()),
            "is no snapshot",
        ),
        (&changed(&|s| s["nodes"] = Value::Null), "is no snapshot"),
        (
            &changed(&|s| drop(s.as_object_mut().unwrap().remove("load"))),
            "is no snapshot",
        ),
        (
            &changed(&|s| s["machine"]["node_cap"] = (-1).into()),
            "is no snapshot",
        ),
    ];
    for (content, words) in cases {
        fs::write(&file, content).unwrap();
        refused(&elsewhere, &args, &[path, words]);
    }
    fs::write(&file, b"{\"format\": \xff\xfe}").unwrap();
    refused(&elsewhere, &args, &[path, "UTF-8"]);
    fs::remove_file(&file).unwrap();
    refused(&elsewhere, &args, &[path, "No such file"]);
    fs::create_dir(&file).unwrap();
    refused(&elsewhere, &args, &[path, "directory"]);
}
