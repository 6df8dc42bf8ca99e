//! Readers of untrusted input, one function for each kind: each reads the bytes as the product does and panics
//! when an invariant of the result does not hold. For fuzzing, and for the tests that replay the corpus.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use async_trait::async_trait;
use wnm_core::command::{CommandError, CommandOutput, CommandRunner, CommandSpec};
use wnm_core::program::NodeProgram;

use crate::Antnode;

/// Runs nothing: reading pages needs no command.
struct NoCommands;

#[async_trait]
impl CommandRunner for NoCommands {
    async fn run(&self, spec: &CommandSpec) -> Result<CommandOutput, CommandError> {
        Err(CommandError::NotFound {
            program: spec.name(),
        })
    }
}

/// Both pages of a node in one input, the second behind the first NUL byte.
pub fn pages(input: &[u8]) {
    let cut = input.iter().position(|&byte| byte == 0);
    let (metadata, metrics) = cut.map_or((input, input), |at| (&input[..at], &input[at + 1..]));
    let program = Antnode::new(Arc::new(NoCommands));
    if let Some(report) = program.read_report(metadata, metrics) {
        let measured = report.measured;
        for figure in [measured.memory_mb, measured.cpu_percent] {
            assert!(figure.is_finite() && figure >= 0.0, "{figure}");
        }
        if let Some(rewards) = measured.rewards {
            assert!(
                rewards.bytes().all(|byte| byte.is_ascii_digit()),
                "{rewards}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wnm_fixtures::Corpus;

    use super::*;

    /// A kind of input and its reader.
    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 1] = [("pages", pages)];

    #[test]
    fn reads_the_kept_corpus() {
        for (target, read) in TARGETS {
            Corpus::of(target).replay(read);
        }
    }

    proptest! {
        #[test]
        fn reads_any_bytes(input in prop::collection::vec(any::<u8>(), 0..600)) {
            for (_, read) in TARGETS {
                read(&input);
            }
        }

        #[test]
        fn reads_changed_inputs(seed: u64) {
            for (target, read) in TARGETS {
                read(&Corpus::of(target).changed(seed));
            }
        }
    }
}
