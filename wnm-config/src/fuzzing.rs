//! Readers of untrusted input, one function for each kind: each reads the bytes as the product does and panics
//! when an invariant of the result does not hold. For fuzzing, and for the tests that replay the corpus.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use wnm_core::registry::ManagerRegistry;

use crate::{Layers, OptionTable};

/// A config file: whatever it says, it is read to the end or its faults are told.
pub fn config_file(input: &[u8]) {
    let layers =
        Layers::new(OptionTable::new(&ManagerRegistry::new())).file(Path::new("config"), input);
    let words = format!("{layers:?}");
    assert!(!words.is_empty());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wnm_fixtures::Corpus;

    use super::*;

    /// A kind of input and its reader.
    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 1] = [("config_file", config_file)];

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
