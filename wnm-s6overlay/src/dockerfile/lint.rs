//! The rules of hadolint, and of ShellCheck within it, that can apply to what is in the Dockerfile. Each is read as
//! far as this file needs, not as a linter would.

use super::dockerfile;

/// One instruction with its continuation lines, and the rules that the comment above it sets aside.
struct Instruction {
    word: String,
    rest: String,
    set_aside: Vec<String>,
}

/// Where a piece of shell is.
#[derive(Clone, Copy, PartialEq)]
enum Quotes {
    None,
    Single,
    Double,
}

type Rule = fn(&Instruction) -> bool;

/// The rules for one instruction: whether it breaks them, and one that does.
const RULES: [(&str, Rule, &str); 25] = [
    (
        "DL3000",
        |i| i.is("WORKDIR") && !i.rest.starts_with('/'),
        "WORKDIR home",
    ),
    (
        "DL3001",
        |i| {
            i.calls(&[
                "ssh", "vim", "shutdown", "service", "ps", "free", "top", "kill", "mount",
                "ifconfig",
            ])
        },
        "RUN ps -e",
    ),
    ("DL3003", |i| i.calls(&["cd"]), "RUN true && cd /tmp"),
    ("DL3004", |i| i.calls(&["sudo"]), "RUN sudo true"),
    (
        "DL3006",
        |i| i.is("FROM") && !i.rest.contains([':', '@']),
        "FROM debian",
    ),
    (
        "DL3007",
        |i| i.is("FROM") && i.rest.contains(":latest"),
        "FROM debian:latest",
    ),
    (
        "DL3008",
        |i| i.installs() && !i.rest.contains('='),
        "RUN apt-get install -y curl",
    ),
    (
        "DL3009",
        |i| i.installs() && !i.rest.contains("rm -rf /var/lib/apt/lists/*"),
        "RUN apt-get install curl",
    ),
    (
        "DL3014",
        |i| i.installs() && !i.rest.contains(" -y "),
        "RUN apt-get install curl",
    ),
    (
        "DL3015",
        |i| i.installs() && !i.rest.contains("--no-install-recommends"),
        "RUN apt-get install curl",
    ),
    ("DL3020", |i| i.is("ADD"), "ADD file /"),
    (
        "DL3025",
        |i| (i.is("CMD") || i.is("ENTRYPOINT")) && !i.rest.starts_with('['),
        "CMD sleep 1",
    ),
    ("DL3027", |i| i.calls(&["apt"]), "RUN apt install curl"),
    (
        "DL3029",
        |i| i.is("FROM") && i.rest.contains("--platform"),
        "FROM --platform=x debian:12",
    ),
    (
        "DL3044",
        |i| i.is("ENV") && i.refers_to_itself(),
        "ENV A=1 B=$A",
    ),
    (
        "DL3046",
        |i| {
            i.calls(&["useradd"])
                && i.rest
                    .split(' ')
                    .any(|w| w.len() > 5 && w.parse::<u64>().is_ok())
        },
        "RUN useradd -u 123456 x",
    ),
    ("DL3047", |i| i.calls(&["wget"]), "RUN wget file"),
    ("DL3064", |i| i.names_a_secret(), "ARG NPM_TOKEN"),
    (
        "DL3066",
        |i| i.is("USER") && i.rest.parse::<u32>().is_err(),
        "USER ant",
    ),
    ("DL4000", |i| i.is("MAINTAINER"), "MAINTAINER me"),
    (
        "DL4005",
        |i| i.calls(&["ln"]) && i.rest.contains("/bin/sh"),
        "RUN ln -sf bash /bin/sh",
    ),
    (
        "SC1003",
        |i| i.quoted(Quotes::Single).any(|text| text.ends_with('\\')),
        r"RUN echo 'it\'s",
    ),
    (
        "SC2016",
        |i| i.quoted(Quotes::Single).any(expands),
        "RUN echo '$HOME'",
    ),
    (
        "SC2046",
        |i| i.quoted(Quotes::None).any(|text| text.contains("$(")),
        "RUN rm $(ls)",
    ),
    (
        "SC2086",
        |i| i.quoted(Quotes::None).any(expands),
        "RUN rm $FILE",
    ),
];

/// Whether a shell would put something in the place of a part of this.
fn expands(text: &str) -> bool {
    let after = text.split('$').skip(1);
    after
        .into_iter()
        .any(|after| after.starts_with(|c: char| c.is_ascii_alphanumeric() || "_{(".contains(c)))
}

impl Instruction {
    fn read(text: &str) -> Vec<Self> {
        let (mut read, mut set_aside, mut lines) = (Vec::new(), Vec::new(), Vec::new());
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if lines.is_empty() && line.starts_with('#') {
                let rules = line.strip_prefix("# hadolint ignore=").unwrap_or_default();
                set_aside = rules
                    .split(',')
                    .filter(|rule| !rule.is_empty())
                    .map(str::to_owned)
                    .collect();
                continue;
            }
            lines.push(line.trim_end_matches('\\').trim());
            if line.ends_with('\\') {
                continue;
            }
            let whole = std::mem::take(&mut lines).join(" ");
            let (word, rest) = whole.split_once(' ').unwrap_or((&whole, ""));
            read.push(Self {
                word: word.to_owned(),
                rest: rest.to_owned(),
                set_aside: std::mem::take(&mut set_aside),
            });
        }
        read
    }

    fn is(&self, word: &str) -> bool {
        self.word == word
    }

    /// What of a RUN is between such quotes, or between none.
    fn quoted(&self, wanted: Quotes) -> impl Iterator<Item = &str> {
        let text = if self.is("RUN") {
            self.rest.as_str()
        } else {
            ""
        };
        let (mut pieces, mut quotes, mut begin) = (Vec::new(), Quotes::None, 0);
        for (at, c) in text.char_indices() {
            let next = match (quotes, c) {
                (Quotes::None, '\'') => Quotes::Single,
                (Quotes::None, '"') => Quotes::Double,
                (Quotes::Single, '\'') | (Quotes::Double, '"') => Quotes::None,
                _ => continue,
            };
            pieces.push((quotes, &text[begin..at]));
            (quotes, begin) = (next, at + 1);
        }
        pieces.push((quotes, &text[begin..]));
        pieces
            .into_iter()
            .filter(move |(quotes, _)| *quotes == wanted)
            .map(|(_, text)| text)
    }

    /// The commands of a RUN, as many as its operators part.
    fn commands(&self) -> Vec<Vec<String>> {
        let bare: Vec<&str> = self.quoted(Quotes::None).collect();
        let bare = bare.join(" Q ").replace("&&", ";").replace(['|', '('], ";");
        let words = |command: &str| command.split_whitespace().map(str::to_owned).collect();
        bare.split(';')
            .map(words)
            .filter(|words: &Vec<String>| !words.is_empty())
            .collect()
    }

    fn calls(&self, programs: &[&str]) -> bool {
        let commands = self.commands();
        commands
            .iter()
            .any(|words| programs.contains(&words[0].as_str()))
    }

    fn installs(&self) -> bool {
        self.calls(&["apt-get"]) && self.rest.contains("apt-get install")
    }

    /// Apart from a path that is put in front of the one there was.
    fn refers_to_itself(&self) -> bool {
        let names = self
            .rest
            .split(' ')
            .filter_map(|word| word.split_once('='))
            .map(|(name, _)| name);
        let mut names = names.filter(|name| *name != "PATH");
        names.any(|name| {
            self.rest.contains(&format!("${name}")) || self.rest.contains(&format!("${{{name}"))
        })
    }

    fn names_a_secret(&self) -> bool {
        let name = self
            .rest
            .split(['=', ' '])
            .next()
            .unwrap_or_default()
            .to_lowercase();
        let secret = [
            "api_key",
            "client_key",
            "password",
            "private",
            "secret",
            "token",
            "username",
        ];
        (self.is("ARG") || self.is("ENV")) && secret.iter().any(|word| name.contains(word))
    }
}

/// What is broken: the rule, and the instruction at which it shows.
fn broken(text: &str) -> Vec<(&'static str, String, bool)> {
    let all = Instruction::read(text);
    let mut broken: Vec<(&str, &Instruction)> = Vec::new();
    for instruction in &all {
        let rules = RULES.iter().filter(|(_, breaks, _)| breaks(instruction));
        broken.extend(rules.map(|(rule, _, _)| (*rule, instruction)));
    }
    broken.extend(broken_together(&all));
    let told = |(rule, instruction): (&'static str, &Instruction)| {
        let set_aside = instruction.set_aside.iter().any(|other| other == rule);
        (
            rule,
            format!("{} {}", instruction.word, instruction.rest),
            set_aside,
        )
    };
    broken.into_iter().map(told).collect()
}

/// The rules for several instructions together.
fn broken_together(all: &[Instruction]) -> Vec<(&'static str, &Instruction)> {
    let of = |word: &'static str| all.iter().filter(move |instruction| instruction.is(word));
    let mut broken = Vec::new();
    let is_root = |user: &&Instruction| ["root", "0"].contains(&user.rest.as_str());
    broken.extend(
        of("USER")
            .next_back()
            .filter(is_root)
            .map(|user| ("DL3002", user)),
    );
    let few =
        |instruction: &Instruction| instruction.is("RUN") && instruction.commands().len() <= 2;
    broken.extend(
        all.windows(2)
            .filter(|two| two.iter().all(few))
            .map(|two| ("DL3059", &two[1])),
    );
    broken.extend(
        all.first()
            .filter(|first| !first.is("FROM") && !first.is("ARG"))
            .map(|first| ("DL3061", first)),
    );
    let both = ["curl", "wget"].map(|program| of("RUN").find(|run| run.calls(&[program])));
    if let [Some(_), Some(wget)] = both {
        broken.push(("DL4001", wget));
    }
    broken.extend(of("CMD").nth(1).map(|second| ("DL4003", second)));
    broken.extend(of("ENTRYPOINT").nth(1).map(|second| ("DL4004", second)));
    let mut pipefail = false;
    for instruction in all {
        pipefail |= instruction.is("SHELL") && instruction.rest.contains("\"pipefail\"");
        let piped = instruction
            .quoted(Quotes::None)
            .any(|bare| bare.replace("||", "").contains(" | "));
        if piped && !pipefail {
            broken.push(("DL4006", instruction));
        }
    }
    broken
}

#[test]
fn the_dockerfile_breaks_no_rule_that_it_does_not_set_aside() {
    let text = dockerfile();
    let found = broken(&text);
    let told: Vec<_> = found
        .iter()
        .filter(|(_, _, set_aside)| !set_aside)
        .collect();
    assert!(told.is_empty(), "{told:#?}");
    // Nothing is set aside that holds.
    let needed: Vec<&str> = found.iter().map(|(rule, _, _)| *rule).collect();
    let instructions = Instruction::read(&text);
    let set_aside: Vec<&str> = instructions
        .iter()
        .flat_map(|i| &i.set_aside)
        .map(String::as_str)
        .collect();
    assert_eq!(set_aside, needed);
}

#[test]
fn each_rule_finds_what_breaks_it() {
    let finds = |rule: &str, text: &str| {
        let found = broken(text);
        assert!(
            found.iter().any(|(other, _, _)| *other == rule),
            "{rule} in {text}"
        );
    };
    for (rule, _, example) in RULES {
        finds(rule, example);
    }
    finds("DL3002", "USER 1000\nUSER root");
    finds("DL3059", "RUN true\nRUN false");
    finds("DL3061", "RUN true\nFROM debian:12");
    finds("DL4001", "RUN curl x\nRUN wget x");
    finds("DL4003", "CMD [\"a\"]\nCMD [\"b\"]");
    finds("DL4004", "ENTRYPOINT [\"a\"]\nENTRYPOINT [\"b\"]");
    finds("DL4006", "RUN curl x | bash");
}
