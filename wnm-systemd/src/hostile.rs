//! Units that strangers wrote, read as the product reads them. For fuzzing and for the tests that read the same
//! inputs again; behind the feature `fuzz`, which is not for programs.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use crate::unit::{Reach, ServiceUnit, Specifiers, UnitFile, assignments, command};

/// A unit file: any bytes are read, and a command line that was read is written and read back the same.
pub fn unit_file(input: &[u8]) {
    let mut file = UnitFile::default();
    file.read(input);
    let specifiers = Specifiers {
        unit: "antnode0001.service".to_owned(),
        user: "ant".to_owned(),
        home: Some("/home/ant".into()),
    };
    let environment = assignments(&file.list("Service", "Environment"), &specifiers);
    for value in file.list("Service", "ExecStart") {
        let Some(argv) = command(value, &specifiers, &environment) else {
            continue;
        };
        let Some((program, args)) = argv.split_first() else {
            continue;
        };
        let unit = ServiceUnit {
            description: "a node".into(),
            reach: Reach::System { user: "ant".into() },
            program: program.into(),
            args: args.to_vec(),
            environment: Vec::new(),
            root_dir: "/n/x".into(),
            writes: Vec::new(),
        };
        let Ok(text) = unit.render() else { continue };
        let mut again = UnitFile::default();
        again.read(text.as_bytes());
        let written = again
            .value("Service", "ExecStart")
            .expect("no command in a unit of ours");
        assert_eq!(command(written, &specifiers, &[]), Some(argv), "{text}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wnm_fixtures::Corpus;

    use super::*;

    #[test]
    fn what_fuzzing_kept_is_read_again() {
        Corpus::of("unit_file").replay(unit_file);
    }

    proptest! {
        #[test]
        fn changed_inputs_are_read(seed: u64) {
            unit_file(&Corpus::of("unit_file").changed(seed));
        }
    }
}
