use wnm_core::firewall::Opening;
use wnm_core::ports::PortRange;

/// What makes a rule one about other packets than those that come in for this machine.
const ELSEWHERE: [&str; 2] = ["route", "out"];

/// The rules of `ufw show added`, which are the commands that make them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Listed {
    /// Those of ours.
    pub ours: Vec<Opening>,
    /// Ports that somebody else has a rule for, each as ufw writes it.
    taken: Vec<String>,
}

impl Listed {
    /// Reads the list.
    pub fn read(text: &str) -> Self {
        let mut listed = Self::default();
        for line in text.lines() {
            let (rule, comment) = line.split_once(" comment ").unwrap_or((line, ""));
            if let Some(ours) = ours(rule, comment) {
                listed.ours.push(ours);
            } else if !rule.split(' ').any(|word| ELSEWHERE.contains(&word)) {
                let taken = rule.split(' ').filter(|word| word.ends_with("/udp"));
                listed.taken.extend(taken.map(str::to_owned));
            }
        }
        listed
    }

    /// Whether somebody else has a rule for exactly these ports. To ufw one of ours would be the same rule: it
    /// would replace theirs, and with it whether it allows or denies.
    pub fn is_taken(&self, opening: &Opening) -> bool {
        self.taken.contains(&words(opening.ports()))
    }
}

fn ours(rule: &str, comment: &str) -> Option<Opening> {
    let ports = rule.strip_prefix("ufw allow ")?.strip_suffix("/udp")?;
    let comment = comment.strip_prefix('\'')?.strip_suffix('\'')?;
    Opening::listed(PortRange::parse(ports, ':')?, comment)
}

/// Ports as ufw writes them.
pub(super) fn words(ports: PortRange) -> String {
    format!("{}/udp", ports.text(':'))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::opening;
    use super::*;

    #[test]
    fn rules_are_ours_by_what_they_allow_and_by_their_comment() {
        let listed = Listed::read(
            "Added user rules (see 'ufw status' for running firewall):\n\
             ufw allow 22/tcp\n\
             ufw allow 55001:55030/udp comment 'antnode0001-antnode0030'\n\
             ufw allow 55031/udp comment 'antnode0031'\n\
             ufw allow 55032/udp\n\
             ufw deny 55033/udp comment 'antnode0033'\n\
             ufw limit 55034/udp\n\
             ufw allow 55035/udp comment 'game server'\n\
             ufw allow 55036/tcp comment 'antnode0036'\n\
             ufw allow 55037 comment 'antnode0037'\n\
             ufw allow 55001:55003/udp comment 'antnode0001'\n\
             ufw allow in on lo to any port 55038 proto udp comment 'antnode0038'\n\
             ufw route allow 55039/udp\n\
             ufw deny out 55040/udp\n",
        );
        assert_eq!(
            listed.ours,
            [opening(55001, 55030, 1), opening(55031, 55031, 31)]
        );
        for port in [55032, 55033, 55034, 55035] {
            assert!(listed.is_taken(&opening(port, port, 1)), "{port}");
        }
        for port in [55031, 55036, 55037, 55038, 55039, 55040] {
            assert!(!listed.is_taken(&opening(port, port, 1)), "{port}");
        }
        assert!(listed.is_taken(&opening(55001, 55003, 1)));
        assert_eq!(Listed::read("...\n(None)\n"), Listed::default());
        assert_eq!(Listed::read(""), Listed::default());
    }
}
