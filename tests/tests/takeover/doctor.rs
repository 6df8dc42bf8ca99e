//! What the doctor reports of a colony under systemd.

use wnm_tests::systemd::{As, Machine};

use crate::colony::main_pids;

#[test]
fn the_doctor_finds_problems_and_repairs_the_safe_ones() {
    let Some(machine) = Machine::up(As::Ann) else {
        return;
    };
    let program = machine.program("0.4.16");
    let _ = machine.init(&program, &["--node-cap=3"]);
    machine.grow(3);
    let found = || machine.wnm(["doctor"]).run().succeeded().stdout;
    // The kernel's own ports and the clock depend on the machine that the test runs on.
    let ours = |text: &str| -> Vec<String> {
        let lines: Vec<&str> = text.lines().collect();
        let pairs = lines.chunks(2).filter(|pair| {
            !["the kernel gives", "time server", "nothing to mend"]
                .iter()
                .any(|word| pair[0].contains(word))
        });
        pairs.map(|pair| pair[0].to_owned()).collect()
    };
    assert_eq!(ours(&found()), [] as [&str; 0]);
    let stop = ["--force-action=stop", "--service-name=antnode0003"];
    let _ = machine.wnm(stop).run().succeeded();
    let unit = machine.unit_file("antnode0003.service");
    let text = std::fs::read_to_string(&unit).unwrap();
    std::fs::remove_file(&unit).unwrap();
    let other = std::fs::read_to_string(machine.unit_file("antnode0001.service")).unwrap();
    let other = other
        .replace("antnode0001", "antnode0007")
        .replace("55001", "55007");
    std::fs::write(machine.unit_file("antnode0007.service"), other).unwrap();
    let _ = machine.systemctl(["daemon-reload"]).succeeded();
    let stray = machine.storage().join("antnode0009");
    let _ = machine.run("/bin/mkdir", [&stray]).succeeded();
    let _ = machine
        .run("/bin/touch", [stray.join("secret-key")])
        .succeeded();
    let before = main_pids(&machine);
    let output = found();
    assert_eq!(
        ours(&output),
        [
            "fault  antnode0003 has no service any more, and its data is there",
            "note   antnode0007.service runs a node that wnm does not know, in \
             /home/ann/.local/share/autonomi/node/antnode0007",
            "note   /home/ann/.local/share/autonomi/node/antnode0009 belongs to no node, and has the key of one",
        ],
        "{output}"
    );
    assert!(!unit.exists(), "a check changed something");
    let mended = machine.wnm(["doctor", "--fix"]).run().succeeded().stdout;
    assert!(
        mended.starts_with("mended antnode0003 has no service"),
        "{mended}"
    );
    assert_eq!(std::fs::read_to_string(&unit).unwrap(), text);
    assert_eq!(ours(&found()).len(), 2);
    assert_eq!(main_pids(&machine), before);
    let start = ["--force-action=start", "--service-name=antnode0003"];
    let _ = machine.wnm(start).run().succeeded();
    assert_eq!(machine.state("antnode0003.service"), "active");
}
