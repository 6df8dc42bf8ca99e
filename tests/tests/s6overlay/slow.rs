//! An s6 supervisor that accepts commands before it reports its state, as each does for a moment.

use wnm_tests::engine::{Suite, with_engine};
use wnm_tests::wait::{LONG, until};

use crate::{empty_colony, statuses};

/// Replaces `s6-svwait`: fails a number of times as if there were no state, and then is the real one.
const FAILS_FIRST: &str = "cd /command && real=$(command -v s6-svwait) && \
    printf '#!/bin/sh\\nleft=$(cat /tmp/left)\\n[ \"$left\" = 0 ] && exec %s \"$@\"\\n\
    echo $((left - 1)) >/tmp/left\\nexit 111\\n' \"$(readlink -f $real)\" >/command/new && \
    chmod 755 /command/new && mv -f /command/new /command/s6-svwait && echo 3 >/tmp/left";

/// The same for `s6-svstat`, which always fails.
const SAYS_NOTHING: &str = "cd /command && printf '#!/bin/sh\\nexit 111\\n' >new && chmod 755 new && \
    mv s6-svstat kept && mv new s6-svstat";

/// No command is accepted, no service goes down, and none has a state. Waiting for services that are up still works.
const TAKES_NO_ORDER: &str = "cd /command && mkdir kept && cp -P s6-svc s6-svwait s6-svstat kept/ && \
    printf '#!/bin/sh\\nexit 111\\n' >no && printf '#!/bin/sh\\ncase $1 in -D) exit 99 ;; esac\\n\
    exec %s \"$@\"\\n' \"$(readlink -f s6-svwait)\" >up && chmod 755 no up && \
    cp no new && mv -f new s6-svc && mv -f no s6-svstat && mv -f up s6-svwait";

/// Marks all services as wanted down, so that a status check asks about each.
const ONE_BY_ONE: &str = "for dir in /run/service/antnode*; do : >$dir/down; done";

#[test]
fn a_start_waits_for_a_supervisor_that_has_just_started() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = empty_colony(engine, 4, &["--node-cap=4"]);
        let add = ["--force-action=add", "--count=1"];
        let _ = engine.wnm(&colony, &add).run().succeeded();
        let [container] = engine.containers().try_into().unwrap();
        engine.run_in(&container, FAILS_FIRST);
        let _ = engine.wnm(&colony, &add).run().succeeded();
        assert_eq!(engine.run_in(&container, "cat /tmp/left"), "0");
        let _ = engine
            .wnm(&colony, &["--force-action=survey"])
            .run()
            .succeeded();
        assert_eq!(statuses(&colony), ["RUNNING"; 2]);

        // Where the state is never known, the error does not say that the node ended.
        engine.run_in(&container, SAYS_NOTHING);
        engine.run_in(&container, "echo 100000 >/tmp/left");
        let output = engine.wnm(&colony, &add).run().succeeded();
        output.assert_stdout_contains("does not say whether");
        engine.run_in(
            &container,
            "cd /command && mv -f kept s6-svstat && echo 0 >/tmp/left",
        );
        until(LONG, "the node that was left open", || {
            let _ = engine.wnm(&colony, &["--node-cap=3"]).run().succeeded();
            statuses(&colony) == ["RUNNING"; 3]
        });
        engine.check_agreement(&colony);
    });
}

#[test]
fn a_service_without_a_state_does_not_count_as_stopped() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = empty_colony(engine, 4, &["--node-cap=2"]);
        let add = ["--force-action=add", "--count=2"];
        let _ = engine.wnm(&colony, &add).run().succeeded();
        let survey = || {
            engine
                .wnm(&colony, &["--force-action=survey"])
                .run()
                .succeeded()
        };
        let _ = survey();
        let [container] = engine.containers().try_into().unwrap();
        let pids = "grep -l '[-]-root-dir' /proc/[0-9]*/cmdline";
        let before = engine.run_in(&container, pids);
        std::fs::write(colony.database().nodes()[0].root_dir.join("sim-silent"), "").unwrap();
        engine.run_in(&container, SAYS_NOTHING);
        engine.run_in(&container, ONE_BY_ONE);
        let _ = survey();
        assert_eq!(statuses(&colony), ["UNKNOWN", "RUNNING"]);
        let _ = engine.wnm(&colony, &["--json"]).run().succeeded();
        assert_eq!(engine.run_in(&container, pids), before);
    });
}

#[test]
fn a_node_that_may_run_is_neither_reported_stopped_nor_deleted() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = empty_colony(engine, 4, &["--node-cap=2"]);
        let add = ["--force-action=add", "--count=2"];
        let _ = engine.wnm(&colony, &add).run().succeeded();
        let [container] = engine.containers().try_into().unwrap();
        let pids = "grep -l '[-]-root-dir' /proc/[0-9]*/cmdline";
        let before = engine.run_in(&container, pids);
        engine.run_in(&container, TAKES_NO_ORDER);
        for (action, node) in [("stop", "antnode0001"), ("remove", "antnode0002")] {
            let action = format!("--force-action={action}");
            let service = format!("--service-name={node}");
            let output = engine.wnm(&colony, &[&action, &service]).run();
            assert!(output.stdout.contains("does not say whether"), "{output:?}");
        }
        assert_eq!(engine.run_in(&container, pids), before);
        assert_eq!(colony.node_dirs(), ["antnode0001", "antnode0002"]);
        assert!(!statuses(&colony).contains(&"STOPPED".to_owned()));

        engine.run_in(&container, "cd /command && mv -f kept/* .");
        let stop = ["--force-action=stop", "--service-name=antnode0001"];
        let _ = engine.wnm(&colony, &stop).run().succeeded();
        until(LONG, "the removal that was left open", || {
            let _ = engine.wnm(&colony, &["--node-cap=1"]).run().succeeded();
            colony.node_dirs() == ["antnode0001"]
        });
        assert_eq!(statuses(&colony)[0], "STOPPED");
    });
}
