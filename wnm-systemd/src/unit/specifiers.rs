//! The `%` letters of systemd.unit(5), "Specifiers", as far as they occur in units of nodes.

use std::path::PathBuf;

/// What they stand for in one unit.
#[derive(Debug, Clone)]
pub(crate) struct Specifiers {
    /// Full name of the unit.
    pub unit: String,
    /// Account of the service manager, or of `User=`.
    pub user: String,
    /// Home directory of that account.
    pub home: Option<PathBuf>,
}

impl Specifiers {
    /// The text with every letter replaced; `None` where one is not known here.
    pub fn expand(&self, text: &str) -> Option<String> {
        let mut expanded = String::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                expanded.push(c);
                continue;
            }
            let bare = self
                .unit
                .rsplit_once('.')
                .map_or(self.unit.as_str(), |(bare, _)| bare);
            let (prefix, instance) = bare.split_once('@').unwrap_or((bare, ""));
            match chars.next() {
                Some('%') => expanded.push('%'),
                Some('n') => expanded.push_str(&self.unit),
                Some('N') => expanded.push_str(bare),
                Some('p') => expanded.push_str(prefix),
                Some('i' | 'I') => expanded.push_str(instance),
                Some('u') => expanded.push_str(&self.user),
                Some('h') => expanded.push_str(self.home.as_deref()?.to_str()?),
                // A single "%" at the end stands for itself.
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
    fn known_letters_are_replaced_and_unknown_ones_tell() {
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
