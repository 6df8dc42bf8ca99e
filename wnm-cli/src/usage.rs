//! What clap says of a wrong command line, in one line like every other refusal.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use wnm_config::OptionTable;

/// The refusal.
pub fn words(options: &OptionTable, error: &clap::Error) -> String {
    let invalid = text(error, ContextKind::InvalidArg);
    // `--node-cap <N>`: the placeholder says nothing that the sentence does not.
    let option = invalid.split(' ').next().unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => {
            unknown(options, option, &text(error, ContextKind::SuggestedArg))
        }
        ErrorKind::InvalidSubcommand => {
            let given = text(error, ContextKind::InvalidSubcommand);
            match text(error, ContextKind::SuggestedSubcommand)
                .split(", ")
                .next()
            {
                Some(near @ ("plan" | "events" | "completions" | "demo" | "help")) => {
                    format!("'{given}' is no command; did you mean wnm {near}?")
                }
                _ => format!("'{given}' is no command; wnm -h lists them"),
            }
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let given = text(error, ContextKind::InvalidValue);
            let values = text(error, ContextKind::ValidValue);
            match (given.as_str(), values.as_str()) {
                ("", "") => format!("{option} needs a value"),
                ("", values) => format!("{option} needs a value, one of {values}"),
                (given, "") => format!("{option} '{given}' cannot be read"),
                (given, values) => format!("{option} '{given}': takes one of {values}"),
            }
        }
        ErrorKind::MissingRequiredArgument if invalid.contains("shell") => {
            format!("{invalid} is missing, as in wnm completions bash")
        }
        ErrorKind::MissingRequiredArgument => format!("{invalid} is missing"),
        ErrorKind::TooManyValues => format!("{} takes no value", option.trim_end_matches('.')),
        _ => first_line(error),
    }
}

fn unknown(options: &OptionTable, given: &str, suggested: &str) -> String {
    if !given.starts_with('-') {
        return format!("'{given}' is one word too many; wnm -h shows what can be said");
    }
    if options.find(given).is_some() {
        return format!("{given} does not go with this command");
    }
    // clap also suggests spellings with underscores, which help does not show.
    let near = options
        .find(suggested)
        .or_else(|| options.nearest(given))
        .map(|spec| format!("--{}", spec.long()));
    let own = (!suggested.is_empty()).then(|| suggested.to_owned());
    match near.or(own) {
        Some(near) => format!("{given} is no option; did you mean {near}?"),
        None => format!("{given} is no option; wnm --help lists them"),
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    }
}

fn first_line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let line = rendered.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Help, command};

    fn refusal(line: &str) -> String {
        let args = std::iter::once("wnm").chain(line.split_whitespace());
        let options = OptionTable::new(&crate::managers::registry(None));
        let parsed = command(&options, Help::All).try_get_matches_from(args);
        words(&options, &parsed.unwrap_err())
    }

    #[test]
    fn every_refusal_is_one_line_that_says_what_is_right() {
        let lines = [
            "--nod-cap 8",
            "--nod-cap=8",
            "--node_capp 8",
            "--xyzzy",
            "-x",
            "--node-cap",
            "--report",
            "--count --json",
            "plans",
            "xyzzy",
            "plan now",
            "plan --snapshop x",
            "events --node-cap 8",
            "completions",
            "completions tcsh",
            "--json=true=x --verbose=3",
        ];
        let told: Vec<String> = lines
            .iter()
            .map(|line| format!("{line}\n  {}", refusal(line)))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @"
        --nod-cap 8
          --nod-cap is no option; did you mean --node-cap?
        --nod-cap=8
          --nod-cap is no option; did you mean --node-cap?
        --node_capp 8
          --node_capp is no option; did you mean --node-cap?
        --xyzzy
          --xyzzy is no option; wnm --help lists them
        -x
          -x is no option; wnm --help lists them
        --node-cap
          --node-cap needs a value
        --report
          --report needs a value, one of node-status, node-status-details, influx-resources, machine-config, machine-metrics
        --count --json
          --count needs a value
        plans
          'plans' is no command; did you mean wnm plan?
        xyzzy
          'xyzzy' is no command; wnm -h lists them
        plan now
          'now' is one word too many; wnm -h shows what can be said
        plan --snapshop x
          --snapshop is no option; did you mean --snapshot?
        events --node-cap 8
          --node-cap does not go with this command
        completions
          <shell> is missing, as in wnm completions bash
        completions tcsh
          <shell> 'tcsh': takes one of bash, elvish, fish, powershell, zsh
        --json=true=x --verbose=3
          --verbose takes no value
        ");
    }
}
