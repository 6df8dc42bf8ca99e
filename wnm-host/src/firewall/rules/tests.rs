use super::super::testing::{opening, ports};
use super::*;

/// What a change does, in order.
fn told(change: &Change) -> String {
    let rule = |sign, rule: &Opening| format!("{sign}{} {rule}", rule.ports().text('-'));
    let added = change.add.iter().map(|added| rule('+', added));
    let deleted = change.delete.iter().map(|deleted| rule('-', deleted));
    added.chain(deleted).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_open_is_not_opened_again() {
    let ours = [opening(1, 9, 1), opening(10, 20, 10)];
    for wanted in [opening(5, 5, 5), opening(1, 20, 1), opening(8, 12, 8)] {
        assert_eq!(open(&ours, wanted), Change::default());
    }
    insta::assert_snapshot!(told(&open(&ours, opening(21, 21, 21))), @"+21 antnode0021");
    insta::assert_snapshot!(told(&open(&ours, opening(8, 30, 8))), @r"
    +8-30 antnode0008-antnode0030
    -10-20 antnode0010-antnode0020
    ");
}

#[test]
fn a_rule_that_loses_a_port_gives_way_to_rules_for_the_rest() {
    let close = |first, last| told(&close(&[opening(55_001, 55_030, 1)], ports(first, last)));
    insta::assert_snapshot!(close(55_015, 55_015), @r"
    +55001-55014 antnode0001-antnode0014
    +55016-55030 antnode0016-antnode0030
    -55001-55030 antnode0001-antnode0030
    ");
    insta::assert_snapshot!(close(55_001, 55_001), @r"
    +55002-55030 antnode0002-antnode0030
    -55001-55030 antnode0001-antnode0030
    ");
    insta::assert_snapshot!(close(55_030, 55_030), @r"
    +55001-55029 antnode0001-antnode0029
    -55001-55030 antnode0001-antnode0030
    ");
    insta::assert_snapshot!(close(55_002, 55_029), @r"
    +55001 antnode0001
    +55030 antnode0030
    -55001-55030 antnode0001-antnode0030
    ");
    insta::assert_snapshot!(close(55_001, 55_030), @"-55001-55030 antnode0001-antnode0030");
    assert_eq!(close(55_031, 55_040), "");
}

#[test]
fn a_close_that_ended_in_the_middle_is_carried_on() {
    // One half was added, and the whole is still there.
    let ours = [opening(1, 30, 1), opening(1, 14, 1), opening(1, 14, 1)];
    insta::assert_snapshot!(told(&close(&ours, ports(15, 15))), @r"
    +16-30 antnode0016-antnode0030
    -1-30 antnode0001-antnode0030
    ");
    insta::assert_snapshot!(told(&close(&ours, ports(3, 3))), @r"
    +1-2 antnode0001-antnode0002
    +4-30 antnode0004-antnode0030
    -1-30 antnode0001-antnode0030
    -1-14 antnode0001-antnode0014
    ");
}
