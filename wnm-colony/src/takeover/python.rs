//! Detects runs of the Python wnm by their processes, because its lock file holds no process id.

use std::path::Path;

/// The process id of a visible run of the Python wnm that uses this lock file.
///
/// A lock file below a home directory belongs to users with that home; one in a shared directory
/// belongs to all. `None` does not prove that nothing runs, because processes of other users may be
/// hidden.
pub fn running(lock: &Path) -> Option<i32> {
    let shared = SHARED.iter().any(|dir| lock.starts_with(dir));
    wnm_host::processes::running(is_python_wnm, |home| shared || lock.starts_with(home))
}

/// The directories of the lock file in sudo mode.
const SHARED: [&str; 2] = ["/var/antctl", "/Library"];

/// Whether a command line is a run of the Python wnm: an interpreter with the script or the module
/// `wnm`.
fn is_python_wnm(arguments: &[String]) -> bool {
    let name = |argument: &String| argument.rsplit('/').next().unwrap_or_default().to_owned();
    let Some(program) = arguments.first() else {
        return false;
    };
    if !name(program).starts_with("python") {
        return false;
    }
    let mut arguments = arguments.iter().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-m" => return arguments.next().is_some_and(|module| module == "wnm"),
            "-W" | "-X" => drop(arguments.next()),
            option if option.starts_with('-') => {}
            script => return name(&script.to_owned()) == "wnm",
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_an_interpreter_with_the_script_or_module() {
        let is = |line: &str| {
            let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
            is_python_wnm(&arguments)
        };
        assert!(is(
            "/usr/bin/python3 /home/ann/.local/bin/wnm -q --dbpath x"
        ));
        assert!(is("python3.12 -u -X dev -m wnm"));
        for other in [
            "wnm -q",
            "/usr/bin/wnm",
            "python3 -m pip install wnm",
            "python3 a.py wnm",
            "bash -c wnm",
            "python3",
        ] {
            assert!(!is(other), "{other}");
        }
    }
}
