use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::fault::Fault;
use crate::file;
use crate::file::Entry;
use crate::spelling::spelling;
use crate::value::Reading;
use crate::{Expansion, OptionSpec, OptionTable, Scope};
use wnm_core::machine::Source;

/// How the Python wnm prints what is not set, in its own machine-config report.
const PYTHON_NONE: &str = "None";

/// Keys of the machine-config report that say what a machine is, not what it is told. The report reads back as
/// a config file, so they are passed over there.
const FACTS: [&str; 2] = ["id", "cpu_count"];

/// What was given for options, as text, by where it was given.
///
/// An empty value is kept only where it takes away what was set before (see [`OptionSpec::can_be_unset`]). An
/// empty environment variable counts as not set at all, since cron and compose files leave such behind.
#[derive(Debug, Clone)]
pub struct Layers {
    pub(super) options: OptionTable,
    found: BTreeMap<&'static str, (String, Source)>,
    files: BTreeMap<&'static str, (String, Source)>,
    environment: BTreeMap<&'static str, (String, Source)>,
    command_line: BTreeMap<&'static str, (String, Source)>,
    pub(super) faults: Vec<Fault>,
    pub(super) expansion: Expansion,
}

impl Layers {
    /// Nothing given, for these options.
    pub fn new(options: OptionTable) -> Self {
        Self {
            options,
            found: BTreeMap::new(),
            files: BTreeMap::new(),
            environment: BTreeMap::new(),
            command_line: BTreeMap::new(),
            faults: Vec::new(),
            expansion: Expansion::default(),
        }
    }

    /// The options that can be given.
    pub fn options(&self) -> &OptionTable {
        &self.options
    }

    /// What values are read with.
    pub(super) fn reading(&self) -> Reading<'_> {
        Reading {
            expansion: &self.expansion,
            options: &self.options,
        }
    }

    /// Takes what was found on the machine for an option. It counts where nothing is given, and of several that are
    /// found the first does.
    #[must_use]
    pub fn found(mut self, name: &str, value: impl Into<String>, source: Source) -> Self {
        if let Some(spec) = self.options.find(name) {
            let value = (value.into(), source);
            self.found.entry(spec.name).or_insert(value);
        }
        self
    }

    /// Takes what the environment says. All of it is kept for `$NAME` in paths, and `HOME` for `~`.
    #[must_use]
    pub fn environment(
        mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let options = self.options.clone();
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            let spec = options
                .all()
                .iter()
                .find(|spec| spec.env && name == spec.name.to_uppercase());
            if name == "HOME" && !value.is_empty() {
                self.expansion.home = Some(PathBuf::from(&value));
            }
            let Some(value) = value.to_str() else {
                if let Some(spec) = spec {
                    let shown = value.to_string_lossy();
                    let fault = Fault::given(spec, &shown, &Source::Environment, "is not UTF-8");
                    self.faults.push(fault);
                }
                continue;
            };
            let variables = &mut self.expansion.variables;
            variables.insert(name.to_owned(), value.to_owned());
            if let Some(spec) = spec
                && !value.is_empty()
                && let Some(value) = unset(spec, value)
            {
                self.environment
                    .insert(spec.name, (value, Source::Environment));
            }
        }
        self
    }

    /// Takes what a config file says. Of several files the later one wins, and of several lines the last.
    #[must_use]
    pub fn file(mut self, path: &Path, content: &[u8]) -> Self {
        let (entries, faults) = file::parse(content);
        for (line, text, problem) in faults {
            self.faults.push(Fault {
                option: format!("{}:{line}", path.display()),
                problem: format!("'{text}' {problem}"),
                value: Some(text),
                source: None,
            });
        }
        self.entries(path, entries)
    }

    /// Takes lines that were read elsewhere, such as from a config file of anm, whose keys were put into ours.
    #[must_use]
    pub fn entries(mut self, path: &Path, entries: impl IntoIterator<Item = Entry>) -> Self {
        let options = self.options.clone();
        for entry in entries {
            let source = Source::File {
                path: path.to_owned(),
                line: entry.line,
            };
            let Some(spec) = options.find(&entry.key).filter(|spec| spec.in_file()) else {
                if !FACTS.contains(&entry.key.to_lowercase().as_str()) {
                    self.faults
                        .push(unknown(&options, &entry.key, entry.value, source));
                }
                continue;
            };
            let value = match entry.value {
                Some(value) => unset(spec, &value),
                None if spec.is_flag() => Some("true".to_owned()),
                None => {
                    self.faults.push(Fault {
                        option: entry.key,
                        value: None,
                        source: Some(source),
                        problem: "needs a value".to_owned(),
                    });
                    continue;
                }
            };
            match value {
                Some(value) => self.files.insert(spec.name, (value, source)),
                // What a later line leaves open, an earlier one of another file may not fill again.
                None => self.files.remove(spec.name),
            };
        }
        self
    }

    /// Takes what the command line says: option names in any spelling, flags as `true`, counted ones as a number.
    #[must_use]
    pub fn command_line<N: AsRef<str>, V: Into<String>>(
        mut self,
        given: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let options = self.options.clone();
        for (name, value) in given {
            let (name, value) = (name.as_ref(), value.into());
            match options.find(name) {
                Some(spec) => {
                    self.command_line
                        .insert(spec.name, (value, Source::CommandLine));
                }
                None => {
                    let fault = unknown(&options, name, Some(value), Source::CommandLine);
                    self.faults.push(fault);
                }
            }
        }
        self
    }

    /// What was given for an option, by the source that wins. Empty means: take away what was set before.
    pub fn get(&self, name: &str) -> Option<(&str, &Source)> {
        [
            &self.command_line,
            &self.environment,
            &self.files,
            &self.found,
        ]
        .into_iter()
        .find_map(|layer| layer.get(name))
        .map(|(value, source)| (value.as_str(), source))
    }

    /// What `~` and `$NAME` stand for.
    pub fn expansion(&self) -> &Expansion {
        &self.expansion
    }

    /// Every option that was given, in the order of the table.
    pub(super) fn given(&self) -> impl Iterator<Item = (&OptionSpec, &str, &Source)> {
        self.options.all().iter().filter_map(|spec| {
            let (value, source) = self.get(spec.name)?;
            Some((spec, value, source))
        })
    }

    /// What was given for the options of which `wanted` holds that is no value of their kind.
    pub(super) fn malformed(&self, wanted: impl Fn(Scope) -> bool) -> Vec<Fault> {
        self.given()
            .filter(|(spec, _, _)| wanted(spec.scope))
            .filter_map(|(spec, value, source)| {
                let problem = check(spec, value, self.reading()).err()?;
                Some(Fault::given(spec, value, source, problem))
            })
            .collect()
    }
}

/// Whether a text is a value of an option, on its own.
pub(super) fn check(spec: &OptionSpec, value: &str, reading: Reading<'_>) -> Result<(), String> {
    match (value.trim().is_empty(), spec.can_be_unset()) {
        (true, true) => Ok(()),
        (true, false) => Err("needs a value".to_owned()),
        (false, _) => reading.check(spec.kind, value),
    }
}

/// What a file or the environment says: the empty text where it takes a setting away, `None` where it says
/// nothing at all.
fn unset(spec: &OptionSpec, value: &str) -> Option<String> {
    let value = if value.trim() == PYTHON_NONE {
        ""
    } else {
        value
    };
    (!value.is_empty() || spec.can_be_unset()).then(|| value.to_owned())
}

fn unknown(options: &OptionTable, name: &str, value: Option<String>, source: Source) -> Fault {
    let problem = match (options.find(name), options.nearest(name)) {
        (Some(_), _) => "does not go into a config file; give it on the command line".to_owned(),
        (None, Some(spec)) => format!("is no option; did you mean {}?", spelling(&source, spec)),
        (None, None) => "is no option; wnm --help lists them".to_owned(),
    };
    Fault {
        option: name.to_owned(),
        value,
        source: Some(source),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{env, options, rewarded};

    #[test]
    fn sources_are_ordered() {
        let file = Source::File {
            path: "/c".into(),
            line: 1,
        };
        assert!(Source::Default < Source::Nodes && Source::Nodes < Source::Database);
        assert!(Source::Database < file);
        assert!(file < Source::Environment && Source::Environment < Source::CommandLine);
    }

    /// Each layer over every one below it: a number, a text, a boolean, an unset.
    #[test]
    fn each_layer_is_over_the_ones_below() {
        for (name, [low, file, env_value, typed]) in [
            ("node_cap", ["1", "2", "3", "4"]),
            ("host", ["a", "b", "c", "d"]),
            ("no_upnp", ["true", "false", "true", "false"]),
            ("start_args", ["--a", "--b", "--c", ""]),
        ] {
            let mut layers = Layers::new(options());
            assert_eq!(layers.get(name), None);
            let line = |value: &str| format!("{name} = \"{value}\"\n").into_bytes();
            layers = layers.file(Path::new("/low"), &line(low));
            assert_eq!(layers.get(name).unwrap().0, low);
            layers = layers.file(Path::new("/high"), &line(file));
            assert_eq!(layers.get(name).unwrap().0, file);
            layers = layers.environment(env(&[(&name.to_uppercase(), env_value)]));
            assert_eq!(layers.get(name), Some((env_value, &Source::Environment)));
            layers = layers.command_line([(name, typed)]);
            assert_eq!(layers.get(name), Some((typed, &Source::CommandLine)));
        }
    }

    #[test]
    fn what_is_found_counts_where_nothing_is_given() {
        let layers = Layers::new(options())
            .found("node_cap", "7", Source::Nodes)
            .found("node_cap", "8", Source::Nodes);
        assert_eq!(layers.get("node_cap"), Some(("7", &Source::Nodes)));
        let layers = layers.file(Path::new("/c"), b"node_cap = 9");
        assert_eq!(layers.get("node_cap").unwrap().0, "9");
    }

    #[test]
    fn what_is_empty_or_none_says_nothing_or_unsets() {
        let layers = Layers::new(options())
            .environment(env(&[
                ("NODE_CAP", ""),
                ("START_ARGS", ""),
                ("HOST", "None"),
            ]))
            .file(
                Path::new("/c"),
                b"crisis_bytes = None\nantctl_version = None\nenvironment =\nnode_cap =\n",
            );
        assert!(layers.faults.is_empty());
        for name in ["node_cap", "start_args", "host", "crisis_bytes"] {
            assert_eq!(layers.get(name), None, "{name}");
        }
        for name in ["antctl_version", "environment"] {
            assert_eq!(layers.get(name).unwrap().0, "", "{name}");
        }
    }

    #[test]
    fn only_listed_variables_are_looked_at() {
        let layers =
            rewarded().environment(env(&[("INIT", "1"), ("CONFIRM", "1"), ("DRY_RUN", "1")]));
        assert_eq!(layers.get("init"), None);
        assert_eq!(layers.get("confirm"), None);
        assert_eq!(layers.get("dry_run").unwrap().0, "1");
    }

    #[test]
    fn every_fault_of_a_file_is_told_with_its_line() {
        let layers = Layers::new(options()).file(
            Path::new("/etc/wnm"),
            b"id = 1\nnodecap = 5\n= 3\nnode_cap\nxyzzy: 1\nversion\nno_upnp\nhost=\"a\n",
        );
        let told: Vec<_> = layers.faults.iter().map(Fault::to_string).collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        /etc/wnm:3: '= 3' is no 'key = value'
        /etc/wnm:8: 'host="a' has a quote that is not closed
        /etc/wnm:2: nodecap '5': is no option; did you mean node_cap?
        /etc/wnm:4: node_cap: needs a value
        /etc/wnm:5: xyzzy '1': is no option; wnm --help lists them
        /etc/wnm:6: version: does not go into a config file; give it on the command line
        "#);
        assert_eq!(layers.get("no_upnp").unwrap().0, "true");
    }

    #[test]
    fn an_unknown_option_of_the_command_line_is_told() {
        let layers = Layers::new(options()).command_line([("--nodecap", "5")]);
        insta::assert_snapshot!(layers.faults[0], @"--nodecap '5': is no option; did you mean --node-cap?");
    }
}
