//! The Dockerfile of an image for containers. Pure.

/// The script that gives the user `ant` the owner's numbers.
const ANT_IDS: &str = include_str!("dockerfile/ant-ids");

/// All but that script, which takes the place of `@ANT_IDS@`.
const TEMPLATE: &str = include_str!("dockerfile/Dockerfile");

/// A Dockerfile that needs no file beside it: it can be piped into `docker build -`.
pub fn dockerfile() -> String {
    TEMPLATE.replace("@ANT_IDS@\n", &written(ANT_IDS))
}

/// Lines as arguments of `printf '%s\n'`: that works with every builder, where a text in place does not.
fn written(script: &str) -> String {
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
    fn it_needs_no_file_beside_it() {
        let text = dockerfile();
        assert!(!text.contains('@'), "a place that was not filled in");
        for line in text.lines() {
            let instruction = line.split(' ').next().unwrap();
            assert!(!["COPY", "ADD"].contains(&instruction), "{line}");
        }
        // Both parts are under version control as they are; here it is what becomes of them.
        let script = text.lines().skip_while(|line| !line.contains("printf '%s"));
        let script: Vec<&str> = script.take(18).collect();
        insta::assert_snapshot!(script.join("\n"));
    }

    #[test]
    fn each_printed_line_closes_its_quotes() {
        // An odd one would swallow the next line.
        for line in dockerfile()
            .lines()
            .filter(|line| line.starts_with("        '"))
        {
            assert_eq!(line.matches('\'').count() % 2, 0, "{line}");
        }
    }
}
