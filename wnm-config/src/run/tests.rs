use std::path::Path;

use super::*;
use crate::samples::{env, options, sample_machine};

fn typed(given: &[(&str, &str)]) -> RunSettings {
    Layers::new(options())
        .command_line(given.iter().copied())
        .run_settings()
        .unwrap()
}

#[test]
fn nothing_given_is_a_plain_cycle() {
    let run = typed(&[]);
    assert_eq!(run.count, 1);
    assert_eq!(run.force_action, None);
    assert_eq!(run.report_format, ReportFormat::Text);
    assert_eq!(run.loglevel, LogLevel::Info);
    assert!(!run.init && !run.dry_run && !run.confirm && !run.is_query());
}

#[test]
fn names_are_kept_as_typed() {
    let run = typed(&[("service_name", "antnode0003, 1,antnode0002.service")]);
    let named: Vec<_> = run
        .service_names
        .iter()
        .map(|node| (node.typed.as_str(), node.id.get()))
        .collect();
    assert_eq!(
        named,
        [("antnode0003", 3), ("1", 1), ("antnode0002.service", 2)]
    );
}

#[test]
fn pauses_of_this_run_are_over_the_stored_ones_and_zero_is_one() {
    let mut machine = sample_machine();
    machine.pacing.survey = Milliseconds(7);
    machine.pacing.action = Milliseconds(7);
    let pacing = |options: &[(&str, &str)]| typed(options).pacing(&machine);
    assert_eq!(pacing(&[]), machine.pacing);
    let both = [("this_action_delay", "5"), ("interval", "0")];
    assert_eq!(pacing(&both).action, Milliseconds(0));
    assert_eq!(
        pacing(&[("this_survey_delay", "0")]).survey,
        Milliseconds(0)
    );
}

#[test]
fn json_is_a_format_and_the_stronger_source_wins() {
    assert!(typed(&[("json", "true")]).json);
    assert!(typed(&[("report_format", "JSON")]).json);
    assert!(typed(&[("json", "true"), ("report_format", "text")]).json);
    assert!(!typed(&[("json", "false")]).json);
    let file = Layers::new(options()).file(Path::new("/c"), b"json\n");
    assert!(file.run_settings().unwrap().json);
    let over = file.environment(env(&[("REPORT_FORMAT", "env")]));
    assert_eq!(
        over.run_settings().unwrap().report_format,
        ReportFormat::Env
    );
}

#[test]
fn every_word_is_understood() {
    for word in ReportKind::WORDS {
        assert_eq!(typed(&[("report", word)]).report.unwrap().word(), word);
    }
    for word in LogLevel::WORDS {
        let lower = word.to_lowercase();
        assert_eq!(typed(&[("loglevel", &lower)]).loglevel.word(), word);
    }
    for word in ForceAction::WORDS {
        let run = typed(&[("force_action", word)]);
        assert_eq!(run.force_action.unwrap().word(), word);
    }
}

#[test]
fn the_database_expands() {
    let layers = Layers::new(options()).environment(env(&[
        ("HOME", "/home/ann"),
        ("DBPATH", "sqlite:///$HOME/c.db"),
    ]));
    let run = layers.run_settings().unwrap();
    assert_eq!(run.dbpath.unwrap(), Path::new("/home/ann/c.db"));
}

#[test]
fn faults_of_settings_are_told_with_those_of_the_run() {
    let error = Layers::new(options())
        .environment(env(&[("REPORT", "weather"), ("DBPATH", "mysql://x/y")]))
        .command_line([
            ("count", "0"),
            ("service_name", "antnode0001,bob"),
            ("node_cap", "lots"),
            ("force_action", ""),
            ("interval", "-1"),
        ])
        .run_settings()
        .unwrap_err();
    insta::assert_snapshot!(error, @"
    DBPATH 'mysql://x/y' (environment): takes a path or sqlite:///path (four slashes for an absolute one)
    --interval '-1': takes whole milliseconds from 0 to 86400000
    --force-action '': needs a value
    --service-name 'antnode0001,bob': 'bob' names no node: give antnode0001, 0001 or 1
    --count '0': takes a whole number from 1 to 64535
    REPORT 'weather' (environment): takes one of node-status, node-status-details, influx-resources, machine-config, machine-metrics
    --node-cap 'lots': takes a whole number from 0 to 64535
    ");
}
