//! What anm was told, put into our options. Its files are read by a shell; of that, plain assignments are
//! understood here and nothing is run.

use std::path::{Path, PathBuf};

use crate::file::parse;

/// One of its settings under our name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnmSetting {
    /// Our option.
    pub option: &'static str,
    /// Its value as the option takes it.
    pub value: String,
    /// The file it is from.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

/// All of its settings that wnm has too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnmSettings {
    /// In the order they were read; each option once.
    pub values: Vec<AnmSetting>,
    /// What was read otherwise than it is written, or could not be read: for people.
    pub notes: Vec<String>,
}

/// How a value of theirs becomes one of ours.
#[derive(Debug, Clone, Copy)]
enum Reading {
    /// As it is.
    Same,
    /// Whole or broken minutes; ours are seconds.
    Minutes,
    /// `--rewards-address 0x…` or the address alone.
    Rewards,
}

/// Their name, our option, and how it is read.
const KEYS: [(&str, &str, Reading); 24] = [
    ("NodeCap", "node_cap", Reading::Same),
    ("CpuLessThan", "cpu_less_than", Reading::Same),
    ("CpuRemove", "cpu_remove", Reading::Same),
    ("MemLessThan", "mem_less_than", Reading::Same),
    ("MemRemove", "mem_remove", Reading::Same),
    ("HDLessThan", "hd_less_than", Reading::Same),
    ("HDRemove", "hd_remove", Reading::Same),
    ("DelayStart", "delay_start", Reading::Minutes),
    ("DelayReStart", "delay_restart", Reading::Minutes),
    ("DelayUpgrade", "delay_upgrade", Reading::Minutes),
    ("DelayRemove", "delay_remove", Reading::Minutes),
    ("NodeStorage", "node_storage", Reading::Same),
    ("RewardsAddress", "rewards_address", Reading::Rewards),
    ("DonateAddress", "donate_address", Reading::Same),
    (
        "MaxLoadAverageAllowed",
        "max_load_average_allowed",
        Reading::Same,
    ),
    ("DesiredLoadAverage", "desired_load_average", Reading::Same),
    ("HDIOReadLessThan", "hdio_read_less_than", Reading::Same),
    ("HDIOReadRemove", "hdio_read_remove", Reading::Same),
    ("HDIOWriteLessThan", "hdio_write_less_than", Reading::Same),
    ("HDIOWriteRemove", "hdio_write_remove", Reading::Same),
    ("NetIOReadLessThan", "netio_read_less_than", Reading::Same),
    ("NetIOReadRemove", "netio_read_remove", Reading::Same),
    ("NetIOWriteLessThan", "netio_write_less_than", Reading::Same),
    ("NetIOWriteRemove", "netio_write_remove", Reading::Same),
];

/// The pairs between which we need a gap: add below, remove above.
const PAIRS: [[&str; 2]; 4] = [
    ["cpu_less_than", "cpu_remove"],
    ["mem_less_than", "mem_remove"],
    ["hd_less_than", "hd_remove"],
    ["desired_load_average", "max_load_average_allowed"],
];

impl AnmSettings {
    /// Reads files of settings, of which an earlier one wins, and the script, which holds settings too.
    pub fn from_files(files: &[(PathBuf, Vec<u8>)], script: Option<&(PathBuf, Vec<u8>)>) -> Self {
        let mut settings = Self::default();
        for (path, content) in files {
            settings.read(path, content);
        }
        if let Some((path, content)) = script {
            settings.read_script(path, content);
        }
        settings.open_gaps();
        settings
    }

    /// Reads a file of assignments. What an earlier one said stays; within a file the last line counts.
    pub fn read(&mut self, path: &Path, content: &[u8]) {
        let (entries, _) = parse(content);
        let mut read: Vec<AnmSetting> = Vec::new();
        for entry in entries {
            let key = entry.key.trim_start_matches("export ").trim();
            let known = KEYS.iter().find(|(theirs, ..)| *theirs == key);
            let (Some(&(_, option, reading)), Some(text)) = (known, &entry.value) else {
                continue;
            };
            match reading.apply(text) {
                Some(value) => {
                    read.retain(|setting| setting.option != option);
                    read.push(AnmSetting {
                        option,
                        value,
                        path: path.to_owned(),
                        line: entry.line,
                    });
                }
                None => self.notes.push(format!(
                    "{}:{}: {key} '{text}' is not understood and not taken over",
                    path.display(),
                    entry.line
                )),
            }
        }
        for setting in read {
            self.push(setting);
        }
    }

    /// Reads where ports begin out of the script: `ntpr=55`, in thousands.
    pub fn read_script(&mut self, path: &Path, content: &[u8]) {
        let text = String::from_utf8_lossy(content);
        let assigned = text.lines().enumerate().find_map(|(index, line)| {
            let value = line.trim().strip_prefix("ntpr=")?;
            let digits = value.trim_matches(['"', '\'', ' ']);
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| (index + 1, digits.to_owned()))
        });
        if let Some((line, value)) = assigned {
            self.push(AnmSetting {
                option: "port_start",
                value,
                path: path.to_owned(),
                line,
            });
        }
    }

    fn push(&mut self, setting: AnmSetting) {
        if self
            .values
            .iter()
            .all(|known| known.option != setting.option)
        {
            self.values.push(setting);
        }
    }

    /// anm adds first and removes only if it did not add, so that it lives with `CpuLessThan=50` and `CpuRemove=45`,
    /// which its own first configuration has. Here nothing happens between the two, so they change places.
    pub fn open_gaps(&mut self) {
        for [add, remove] in PAIRS {
            let at = |option| {
                self.values
                    .iter()
                    .position(|setting| setting.option == option)
            };
            let (Some(low), Some(high)) = (at(add), at(remove)) else {
                continue;
            };
            let number = |index: usize| self.values[index].value.parse::<f64>();
            let (Ok(below), Ok(above)) = (number(low), number(high)) else {
                continue;
            };
            if below > above {
                let (first, second) = (
                    self.values[high].value.clone(),
                    self.values[low].value.clone(),
                );
                self.notes.push(format!(
                    "{add} {second} and {remove} {first} leave no gap in which nothing changes: taken as {add} \
                     {first} and {remove} {second}"
                ));
                self.values[low].value = first;
                self.values[high].value = second;
            }
        }
    }
}

impl Reading {
    fn apply(self, text: &str) -> Option<String> {
        let text = text.trim();
        // What a shell would put in is not known here.
        if text.is_empty() || text.contains(['$', '`']) {
            return None;
        }
        match self {
            Self::Same => Some(text.to_owned()),
            Self::Minutes => {
                let minutes: f64 = text.parse().ok().filter(|m: &f64| *m >= 0.0 && *m < 1e9)?;
                Some(format!("{:.0}", minutes * 60.0))
            }
            Self::Rewards => {
                let address = text.strip_prefix("--rewards-address").unwrap_or(text);
                let address = address.trim_start_matches('=').trim();
                let hex = address.strip_prefix("0x")?;
                let plain = hex.len() == 40 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
                plain.then(|| address.to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::options;

    fn read(config: &str) -> String {
        let mut settings = AnmSettings::default();
        settings.read(Path::new("/c"), config.as_bytes());
        settings.open_gaps();
        let lines = settings.values.iter();
        let lines = lines.map(|s| format!("{}: {} = {}", s.line, s.option, s.value));
        let notes = settings.notes.iter().map(|note| format!("({note})"));
        lines.chain(notes).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_first_configuration_of_anm_reads_with_minutes_as_seconds() {
        let config = "# edit this file\n\nDiscordUsername=\"--owner me\"\n\
             RewardsAddress=\"--rewards-address 0x00455d78f850b0358E8cea5be24d415E01E107CF\"\n\
             MaxLoadAverageAllowed=1.0\nDesiredLoadAverage=.6\nCpuLessThan=50\nMemLessThan=70\nHDLessThan=70\n\
             CpuRemove=45\nMemRemove=90\nHDRemove=90\nDelayStart=5\nDelayReStart=5\nDelayUpgrade=5\n\
             DelayRemove=10\nNodeCap=20\nUpgradeHour=3\nNodeVersion=\"--version 0.4.7\"\n";
        insta::assert_snapshot!(read(config), @r"
        4: rewards_address = 0x00455d78f850b0358E8cea5be24d415E01E107CF
        5: max_load_average_allowed = 1.0
        6: desired_load_average = .6
        7: cpu_less_than = 45
        8: mem_less_than = 70
        9: hd_less_than = 70
        10: cpu_remove = 50
        11: mem_remove = 90
        12: hd_remove = 90
        13: delay_start = 300
        14: delay_restart = 300
        15: delay_upgrade = 300
        16: delay_remove = 600
        17: node_cap = 20
        (cpu_less_than 50 and cpu_remove 45 leave no gap in which nothing changes: taken as cpu_less_than 45 and cpu_remove 50)
        ");
    }

    #[test]
    fn what_a_shell_would_have_to_run_is_told_and_not_taken() {
        insta::assert_snapshot!(read("NodeCap=$(nproc)\nDelayStart=soon\nRewardsAddress=0x12\nDelayRemove=0.5\n"), @r"
        4: delay_remove = 30
        (/c:1: NodeCap '$(nproc)' is not understood and not taken over)
        (/c:2: DelayStart 'soon' is not understood and not taken over)
        (/c:3: RewardsAddress '0x12' is not understood and not taken over)
        ");
    }

    #[test]
    fn the_last_line_of_a_file_counts_and_the_first_file() {
        let mut settings = AnmSettings::default();
        settings.read(Path::new("/over"), b"NodeCap=1\nNodeCap=2\n");
        settings.read(Path::new("/config"), b"NodeCap=3\nHDRemove=80\n");
        settings.read_script(Path::new("/s"), b"#ntpr=1\n  ntpr=\"42\"\nntpr=43\n");
        let told: Vec<_> = settings
            .values
            .iter()
            .map(|s| (s.option, s.value.as_str()))
            .collect();
        assert_eq!(
            told,
            [("node_cap", "2"), ("hd_remove", "80"), ("port_start", "42")]
        );
    }

    #[test]
    fn every_key_has_an_option() {
        for (_, option, _) in &KEYS {
            assert!(
                options().all().iter().any(|spec| spec.name == *option),
                "{option}"
            );
        }
    }
}
