//! Feeds untrusted unit files to the parser and checks the result. Used by the fuzz targets and by
//! tests that replay the corpus. Requires the feature `fuzz`, which is not part of the public API.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use crate::unit::{Scope, ServiceUnit, Specifiers, UnitFile, parse_command, parse_environment};

/// Parses any bytes as a unit file. A command line that parses must survive rendering and parsing
/// unchanged.
pub fn unit_file(input: &[u8]) {
    let mut file = UnitFile::default();
    file.append(input);
    let specifiers = Specifiers {
        unit: "antnode0001.service".to_owned(),
        user: "ant".to_owned(),
        home: Some("/home/ant".into()),
    };
    let environment = parse_environment(&file.list("Service", "Environment"), &specifiers);
    for value in file.list("Service", "ExecStart") {
        let Some(argv) = parse_command(value, &specifiers, &environment) else {
            continue;
        };
        let Some((program, args)) = argv.split_first() else {
            continue;
        };
        let unit = ServiceUnit {
            description: "a node".into(),
            scope: Scope::System { user: "ant".into() },
            program: program.into(),
            args: args.to_vec(),
            environment: Vec::new(),
            root_dir: "/n/x".into(),
            writable: Vec::new(),
        };
        let Ok(text) = unit.render() else { continue };
        let mut again = UnitFile::default();
        again.append(text.as_bytes());
        let written = again
            .value("Service", "ExecStart")
            .expect("a rendered unit has no command");
        assert_eq!(
            parse_command(written, &specifiers, &[]),
            Some(argv),
            "{text}"
        );
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wnm_fixtures::Corpus;

    use super::*;

    #[test]
    fn replays_the_corpus() {
        Corpus::of("unit_file").replay(unit_file);
    }

    proptest! {
        #[test]
        fn accepts_mutated_inputs(seed: u64) {
            unit_file(&Corpus::of("unit_file").changed(seed));
        }
    }
}
