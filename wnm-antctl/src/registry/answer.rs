//! Finds the JSON answer in output that may contain debug lines, banners and colours around it.

use serde::Deserialize;
use serde_json::Value;

/// How many places to try. From each one the parser may read to the end of the output.
const MAX_CANDIDATES: usize = 64;

/// The part of antctl's answer that wnm uses.
#[derive(Deserialize)]
struct Answer {
    nodes: Vec<Value>,
}

/// The entries of the first object with a `nodes` list; `None` if there is none. antctl writes that list first,
/// so try objects that begin with it before all others.
pub(super) fn entries(output: &[u8]) -> Option<Vec<Value>> {
    let candidates = |key: &'static [u8]| {
        let begins = move |&at: &usize| begins_with(output, at, key);
        let braces = output.iter().enumerate().filter(|&(_, &byte)| byte == b'{');
        braces.map(|(at, _)| at).filter(begins).take(MAX_CANDIDATES)
    };
    candidates(b"\"nodes\"")
        .chain(candidates(b"\""))
        .find_map(|at| {
            let mut read =
                serde_json::Deserializer::from_slice(&output[at..]).into_iter::<Answer>();
            Some(read.next()?.ok()?.nodes)
        })
}

/// Whether `key` is the first thing after this brace.
fn begins_with(output: &[u8], brace: usize, key: &[u8]) -> bool {
    let rest = output.get(brace + 1..).unwrap_or_default();
    rest.trim_ascii_start().starts_with(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANSWER: &str = "{\n  \"nodes\": [\n    {\n      \"service_name\": \"antnode1\",\n      \"a\": {}\n    }\n  ],\n  \"daemon\": null\n}\n";

    fn count(text: &str) -> Option<usize> {
        entries(text.as_bytes()).map(|nodes| nodes.len())
    }

    #[test]
    fn the_answer_is_found_wherever_it_is() {
        assert_eq!(count(ANSWER), Some(1));
        for around in [
            "[DEBUG] NodeRegistry { daemon: None, nodes: [] }\n",
            "{\"level\":\"DEBUG\",\"nodes\":3}\n",
            "{\"nodes\": [ {\"service_name\": \"cut off\n",
            "\u{1b}[2K{\u{1b}[0m {{{{ \"\n",
            "{\"a\":",
        ] {
            assert_eq!(
                count(&format!("{around}{ANSWER}{around}")),
                Some(1),
                "{around}"
            );
        }
        for none in [
            "",
            "\n",
            "{",
            "{\"nodes\": [",
            "[]",
            "{\"nodes\": {}}",
            "{\"n\": []}",
        ] {
            assert_eq!(count(none), None, "{none}");
        }
        assert_eq!(count("{\"nodes\": []}"), Some(0));
        assert_eq!(count("{\"daemon\": null, \"nodes\": [1]}"), Some(1));
    }

    #[test]
    fn parsing_only_braces_stops_early() {
        for part in ["{\"a\":", "{\"nodes\":[", "{ "] {
            assert_eq!(count(&part.repeat(50_000)), None, "{part}");
        }
        let noisy = format!("{}{ANSWER}", "{\"level\":".repeat(50_000));
        assert_eq!(count(&noisy), Some(1));
    }

    proptest! {
        #[test]
        fn any_bytes_may_precede_the_answer(before in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut output = before;
            output.extend(ANSWER.as_bytes());
            prop_assert!(entries(&output).is_some());
        }

        #[test]
        fn a_truncated_answer_is_rejected(end in 0..ANSWER.len() - 2) {
            prop_assert_eq!(entries(&ANSWER.as_bytes()[..end]), None);
        }
    }
}
