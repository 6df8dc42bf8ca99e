//! Runs of the Python wnm on this machine. Its lock file names no process, so that the processes are looked at.

use std::path::Path;

/// A process of the Python wnm whose lock file is this, as far as it can be seen; `None` also where nobody can say.
/// One below a home directory is of those who have that home, any other of everyone.
pub fn running(lock: &Path) -> Option<i32> {
    let shared = SHARED.iter().any(|dir| lock.starts_with(dir));
    wnm_host::processes::running(is_python_wnm, |home| shared || lock.starts_with(home))
}

/// Where the lock is in sudo mode.
const SHARED: [&str; 2] = ["/var/antctl", "/Library"];

/// Whether words are those of a run: an interpreter with the script of that name, or with the module.
fn is_python_wnm(words: &[String]) -> bool {
    let name = |word: &String| word.rsplit('/').next().unwrap_or_default().to_owned();
    let Some(program) = words.first() else {
        return false;
    };
    if !name(program).starts_with("python") {
        return false;
    }
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-m" => return words.next().is_some_and(|module| module == "wnm"),
            "-W" | "-X" => drop(words.next()),
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
    fn a_run_is_an_interpreter_with_that_script_or_module() {
        let is = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            is_python_wnm(&words)
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
