use crate::Layers;
use crate::stored::stored_value;
use wnm_core::machine::Machine;
use wnm_core::machine::Source;

/// What holds for one option, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Name of the option.
    pub name: &'static str,
    /// What holds, as text; empty where nothing does.
    pub value: String,
    /// Where it comes from.
    pub source: Source,
}

impl Layers {
    /// For every option what holds and where it comes from, in the order of the table.
    pub fn provenance(&self, stored: Option<&Machine>) -> Vec<Provenance> {
        self.options
            .all()
            .iter()
            .map(|spec| {
                let given = self.get(spec.name).filter(|_| self.counts(spec));
                let (value, source) = match (given, stored) {
                    (Some((text, source)), _) => (text.to_owned(), source.clone()),
                    (None, Some(machine)) if spec.scope.is_stored() => {
                        let value = stored_value(machine, spec.name).to_string();
                        (value, Source::Database)
                    }
                    (None, _) => (spec.default.to_string(), Source::Default),
                };
                Provenance {
                    name: spec.name,
                    value,
                    source,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::samples::{env, options, sample_machine};

    #[test]
    fn every_value_says_where_it_comes_from() {
        let layers = Layers::new(options())
            .file(Path::new("/c"), b"\nnode_cap = 5")
            .environment(env(&[("HOST", "localhost")]))
            .command_line([("no_upnp", "true")]);
        let told: Vec<String> = layers
            .provenance(Some(&sample_machine()))
            .into_iter()
            .filter(|p| ["node_cap", "host", "no_upnp", "crisis_bytes", "count"].contains(&p.name))
            .map(|p| format!("{} = {} ({})", p.name, p.value, p.source))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        count = 1 (default)
        node_cap = 5 (/c:2)
        crisis_bytes = 2000000000 (database)
        no_upnp = true (command line)
        host = localhost (environment)
        ");
    }
}
