//! Readers of untrusted input, one function for each kind: each reads the bytes as the product does and panics
//! when an invariant of the result does not hold. For fuzzing, and for the tests that replay the corpus.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::observe::read_pages;

/// Bytes read of a page: few, so that a short input can have more.
const MOST_OF_A_PAGE: usize = 2000;

/// What a connection to a node brings: it is the same however it is cut on its way, here where its first byte says.
pub fn answers(input: &[u8]) {
    let Some((&cut, bytes)) = input.split_first() else {
        return;
    };
    let (begin, rest) = bytes.split_at(usize::from(cut).min(bytes.len()));
    let read = |bytes: &mut (dyn AsyncRead + Unpin)| {
        let read = read_pages(bytes, MOST_OF_A_PAGE).now_or_never();
        read.expect("waits for what is there")
    };
    let pages = read(&mut &*bytes);
    assert_eq!(read(&mut begin.chain(rest)), pages);
    for page in pages.0 {
        assert!(page.len() <= MOST_OF_A_PAGE, "{} bytes", page.len());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wnm_fixtures::Corpus;

    use super::*;

    /// A kind of input and its reader.
    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 1] = [("answers", answers)];

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
