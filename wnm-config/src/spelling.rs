use wnm_core::machine::Source;
use wnm_core::option::OptionSpec;

/// How an option is spelled in a source.
pub(crate) fn spelling(source: &Source, spec: &OptionSpec) -> String {
    match source {
        Source::CommandLine => format!("--{}", spec.long()),
        Source::Environment => spec.name.to_uppercase(),
        _ => spec.name.to_owned(),
    }
}
