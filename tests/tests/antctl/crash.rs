//! wnm killed at any moment of an act: the next cycle goes on from what there is.

use wnm_core::fault;
use wnm_tests::antctl::Stage;

use super::{colony_of, process_of, stage};

/// Does something and is killed at `point`, then does what a cycle does.
fn killed_at(stage: &Stage, point: &str, args: &[&str]) {
    let killed = stage.wnm(args).env(fault::VARIABLE, point).run();
    assert_eq!(
        killed.code, None,
        "{point}: {}{}",
        killed.stdout, killed.stderr
    );
    let _ = stage.wnm::<&str>([]).run().succeeded();
}

fn assert_one(stage: &Stage, point: &str) {
    assert_eq!(stage.nodes().len(), 1, "{point}");
    assert_eq!(stage.names().len(), 1, "{point}");
    assert_eq!(stage.unit_names().len(), 1, "{point}");
    assert_eq!(stage.colony.processes().len(), 1, "{point}");
}

fn assert_gone(stage: &Stage, point: &str) {
    stage.colony.assert_nothing_left();
    assert!(
        stage.names().is_empty() && stage.unit_names().is_empty(),
        "{point}"
    );
}

#[test]
fn an_add_and_a_teardown_go_on_wherever_they_were_cut_off() {
    let Some(stage) = stage() else { return };
    stage.init("antctl+user", "0.4.16", &["--node-cap=1"]);
    for point in [
        "act.after-intent",
        "antctl.add.called",
        "act.add.added",
        "antctl.start.called",
    ] {
        killed_at(&stage, point, &["--force-action=add"]);
        stage.settle(1);
        assert_one(&stage, point);
        let _ = stage
            .wnm(["--force-action=teardown", "--confirm"])
            .run()
            .succeeded();
        assert_gone(&stage, point);
    }
    let _ = stage.wnm(["--force-action=add"]).run().succeeded();
    let point = "antctl.teardown.called";
    // The cycle that goes on may add again below the cap, so there is no room for that.
    let teardown = ["--force-action=teardown", "--confirm"];
    let killed = stage.wnm(teardown).env(fault::VARIABLE, point).run();
    assert_eq!(killed.code, None, "{}", killed.stdout);
    let _ = stage.wnm(teardown).run().succeeded();
    assert_gone(&stage, point);
}

#[test]
fn what_is_done_with_a_node_goes_on_wherever_it_was_cut_off() {
    let Some(stage) = colony_of(1, "0.4.16") else {
        return;
    };
    let _ = stage
        .wnm(["--force-action=nullop", "--node-cap=1"])
        .run()
        .succeeded();
    let newer = format!("--antnode-path={}", stage.program("0.4.17").display());
    let older = format!("--antnode-path={}", stage.program("0.4.16").display());
    for (point, program, version) in [
        ("antctl.upgrade.kept", &newer, "0.4.17"),
        ("antctl.upgrade.called", &older, "0.4.16"),
    ] {
        let upgrade = ["--force-action=upgrade", "--service-name=1", program];
        killed_at(&stage, point, &upgrade);
        stage.settle(1);
        assert_one(&stage, point);
        assert_eq!(
            stage.nodes()[0].version.as_deref(),
            Some(version),
            "{point}"
        );
    }
    let point = "antctl.stop.called";
    killed_at(&stage, point, &["--force-action=stop", "--service-name=1"]);
    assert!(process_of(&stage, "antnode1").is_none());
    assert_eq!(stage.nodes()[0].status, "STOPPED");

    let point = "antctl.remove.called";
    let killed = stage
        .wnm(["--force-action=remove", "--service-name=1"])
        .env(fault::VARIABLE, point)
        .run();
    assert_eq!(killed.code, None, "{}", killed.stdout);
    // Nothing may take its place.
    let _ = stage.wnm(["--cpu-less-than=0"]).run().succeeded();
    assert_gone(&stage, point);
}
