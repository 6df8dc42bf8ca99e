//! Expands the systemd.unit(5) "Specifiers" that occur in node units.

use std::path::PathBuf;

/// The specifier values for one unit.
#[derive(Debug, Clone)]
pub(crate) struct Specifiers {
    /// Full name of the unit.
    pub unit: String,
    /// The account of the service manager.
    pub user: String,
    /// The home directory of that account.
    pub home: Option<PathBuf>,
}

impl Specifiers {
    /// Expands all specifiers. Returns `None` if one is unsupported or has no value.
    pub fn expand(&self, text: &str) -> Option<String> {
        let mut expanded = String::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                expanded.push(c);
                continue;
            }
            let name = self
                .unit
                .rsplit_once('.')
                .map_or(self.unit.as_str(), |(name, _)| name);
            let (prefix, instance) = name.split_once('@').unwrap_or((name, ""));
            match chars.next() {
                Some('%') => expanded.push('%'),
                Some('n') => expanded.push_str(&self.unit),
                Some('N') => expanded.push_str(name),
                Some('p') => expanded.push_str(prefix),
                Some('i' | 'I') => expanded.push_str(instance),
                Some('u') => expanded.push_str(&self.user),
                Some('h') => expanded.push_str(self.home.as_deref()?.to_str()?),
                // A lone "%" at the end is literal.
                None => expanded.push('%'),
                Some(_) => return None,
            }
        }
        Some(expanded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands_known_specifiers_and_rejects_others() {
        let letters = Specifiers {
            unit: "antnode@7.service".to_owned(),
            user: "ant".to_owned(),
            home: Some("/home/ant".into()),
        };
        let expand = |text| letters.expand(text);
        assert_eq!(expand("%h/%p-%i 100%% %n %N %u %").unwrap(), {
            "/home/ant/antnode-7 100% antnode@7.service antnode@7 ant %"
        });
        assert_eq!(expand("%Z"), None);
        let homeless = Specifiers {
            home: None,
            ..letters
        };
        assert_eq!(homeless.expand("%h"), None);
    }
}
