//! The Dockerfile of the container image. Does no I/O.

/// The script that gives the user `ant` the owner's uid and gid.
const ANT_IDS: &str = include_str!("dockerfile/ant-ids");

/// The Dockerfile with `@ANT_IDS@` in place of that script.
const TEMPLATE: &str = include_str!("dockerfile/Dockerfile");

/// Returns a Dockerfile for `docker build -`. It needs no other files.
pub fn dockerfile() -> String {
    TEMPLATE.replace("@ANT_IDS@\n", &printf_args(ANT_IDS))
}

/// Renders the lines of a script as arguments of `printf '%s\n'`. Every builder supports that, unlike heredocs.
fn printf_args(script: &str) -> String {
    let lines: Vec<String> = script
        .lines()
        .map(|line| format!("        '{}'", line.replace('\'', "'\\''")))
        .collect();
    lines.join(" \\\n") + " \\\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockerfile_needs_no_other_files() {
        let text = dockerfile();
        assert!(!text.contains('@'), "a placeholder is left");
        for line in text.lines() {
            let instruction = line.split(' ').next().unwrap();
            assert!(!["COPY", "ADD"].contains(&instruction), "{line}");
        }
        // The snapshot covers only the inserted script. The rest is a file under version control.
        let script = text.lines().skip_while(|line| !line.contains("printf '%s"));
        let script: Vec<&str> = script.take(18).collect();
        insta::assert_snapshot!(script.join("\n"));
    }

    #[test]
    fn every_script_line_closes_its_quotes() {
        // An odd number of quotes would swallow the next line.
        for line in dockerfile()
            .lines()
            .filter(|line| line.starts_with("        '"))
        {
            assert_eq!(line.matches('\'').count() % 2, 0, "{line}");
        }
    }
}
