//! Parses unit files: sections, settings, comments and continuation lines.

/// The settings of a unit file and its drop-ins, in the order systemd applies them. Ignores what
/// systemd ignores: lines that are not UTF-8, lines without `=`, and settings outside a section.
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
    /// Parses a file and appends its settings. Pass a unit first, then its drop-ins.
    pub fn append(&mut self, content: &[u8]) {
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

    /// Returns the values of a list setting. An empty value clears the earlier ones.
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

    /// Returns the last value of a setting, or `None` if the last assignment is empty.
    pub fn value(&self, section: &str, key: &str) -> Option<&str> {
        self.list(section, key).pop()
    }
}

/// Splits into lines, joining continued ones: a trailing backslash and line end become a space.
/// Skips comments, even between continued lines.
fn logical_lines(content: &[u8]) -> Vec<String> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut lines = Vec::new();
    let mut pending: Option<String> = None;
    for raw in content.split(|&byte| byte == b'\n') {
        let Ok(text) = std::str::from_utf8(raw) else {
            continue;
        };
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.trim_start().starts_with(['#', ';']) {
            continue;
        }
        let mut line = pending.take().unwrap_or_default();
        match before_continuation(text) {
            Some(head) => {
                line.push_str(head);
                line.push(' ');
                pending = Some(line);
            }
            None => {
                line.push_str(text);
                lines.push(line);
            }
        }
    }
    lines.extend(pending);
    lines
}

/// Returns the text before a continuation backslash. An escaped backslash does not continue the
/// line.
fn before_continuation(text: &str) -> Option<&str> {
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
            file.append(part.as_bytes());
        }
        file
    }

    #[test]
    fn joins_continuation_lines_across_comments() {
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
    fn drop_ins_append_to_lists_and_reset_them() {
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
