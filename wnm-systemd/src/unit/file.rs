//! The lines of a unit file: sections, settings, comments and continued lines.

/// The settings of a unit file and its drop-ins, in the order in which systemd applies them. What systemd
/// would ignore (bytes that are not UTF-8, lines without `=`, settings outside of a section) is ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UnitFile {
    settings: Vec<Setting>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    section: String,
    key: String,
    value: String,
}

impl UnitFile {
    /// Reads one file after what was read before: a drop-in comes after its unit.
    pub fn read(&mut self, content: &[u8]) {
        let mut section = String::new();
        for line in logical_lines(content) {
            let line = line.trim();
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                section = name.to_owned();
            } else if let Some((key, value)) = line.split_once('=')
                && !section.is_empty()
            {
                self.settings.push(Setting {
                    section: section.clone(),
                    key: key.trim_end().to_owned(),
                    value: value.trim_start().to_owned(),
                });
            }
        }
    }

    /// The values of a setting that is a list: an empty one clears those before it.
    pub fn list(&self, section: &str, key: &str) -> Vec<&str> {
        let mut values = Vec::new();
        for setting in &self.settings {
            if setting.section == section && setting.key == key {
                if setting.value.is_empty() {
                    values.clear();
                } else {
                    values.push(setting.value.as_str());
                }
            }
        }
        values
    }

    /// The last value of a setting; an empty one unsets it.
    pub fn value(&self, section: &str, key: &str) -> Option<&str> {
        self.list(section, key).pop()
    }
}

/// Lines with the continued ones joined: a backslash at the end and the line end become a blank. Comments
/// within a continued line are left out, as anywhere.
fn logical_lines(content: &[u8]) -> Vec<String> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut lines = Vec::new();
    let mut begun: Option<String> = None;
    for raw in content.split(|&byte| byte == b'\n') {
        let Ok(text) = std::str::from_utf8(raw) else {
            continue;
        };
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.trim_start().starts_with(['#', ';']) {
            continue;
        }
        let mut whole = begun.take().unwrap_or_default();
        match continued(text) {
            Some(head) => {
                whole.push_str(head);
                whole.push(' ');
                begun = Some(whole);
            }
            None => {
                whole.push_str(text);
                lines.push(whole);
            }
        }
    }
    lines.extend(begun);
    lines
}

/// What stands before the backslash that continues a line: an escaped backslash does not.
fn continued(text: &str) -> Option<&str> {
    let head = text.strip_suffix('\\')?;
    let before = head.len() - head.trim_end_matches('\\').len();
    before.is_multiple_of(2).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parts: &[&str]) -> UnitFile {
        let mut file = UnitFile::default();
        for part in parts {
            file.read(part.as_bytes());
        }
        file
    }

    #[test]
    fn continued_lines_are_joined_over_comments() {
        let file =
            read(&["[Service]\nExecStart=/a \\\n  # note\n  --b \\\n; note\n--c\nUser = ant \n"]);
        let command: Vec<&str> = file
            .value("Service", "ExecStart")
            .unwrap()
            .split_whitespace()
            .collect();
        assert_eq!(command, ["/a", "--b", "--c"]);
        assert_eq!(file.value("Service", "User"), Some("ant"));
        let file = read(&["[S]\nA=ends\\\\\nB=2\\"]);
        assert_eq!(
            (file.value("S", "A"), file.value("S", "B")),
            (Some("ends\\\\"), Some("2"))
        );
    }

    #[test]
    fn drop_ins_add_to_lists_and_reset_them() {
        let unit = "junk=1\nnothing\n[Service]\nEnvironment=A=1\nEnvironment=B=2\nExecStart=/old\n";
        let file = read(&[unit, "[Service]\nEnvironment=C=3\n"]);
        assert_eq!(file.list("Service", "Environment"), ["A=1", "B=2", "C=3"]);
        let file = read(&[
            unit,
            "[Service]\nExecStart=\nExecStart=/new\nEnvironment=\n",
        ]);
        assert_eq!(file.list("Service", "ExecStart"), ["/new"]);
        assert_eq!(file.list("Service", "Environment"), [] as [&str; 0]);
        assert_eq!(file.value("", "junk"), None);
    }
}
