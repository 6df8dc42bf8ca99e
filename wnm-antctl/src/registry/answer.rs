//! The JSON in an output that may have anything before, between and behind: debug lines, banners, colours.

use serde::Deserialize;
use serde_json::Value;

/// Most places at which the answer is looked for. From each one up to all of the output is read.
const MOST_PLACES: usize = 64;

/// The answer as antctl writes it; whatever else is in it is of no interest.
#[derive(Deserialize)]
struct Answer {
    nodes: Vec<Value>,
}

/// The entries of the first object with a list of `nodes`. `None` where there is no such object. antctl writes that
/// list first; only where no object begins so, it is looked for in others.
pub(super) fn entries(output: &[u8]) -> Option<Vec<Value>> {
    let first = |key: &'static [u8]| {
        let begin = move |&at: &usize| begins_with(output, at, key);
        let braces = output.iter().enumerate().filter(|&(_, &byte)| byte == b'{');
        braces.map(|(at, _)| at).filter(begin).take(MOST_PLACES)
    };
    first(b"\"nodes\"").chain(first(b"\"")).find_map(|at| {
        let mut read = serde_json::Deserializer::from_slice(&output[at..]).into_iter::<Answer>();
        Some(read.next()?.ok()?.nodes)
    })
}

/// Whether `key` is the first behind the brace at this place.
fn begins_with(output: &[u8], brace: usize, key: &[u8]) -> bool {
    let behind = output.get(brace + 1..).unwrap_or_default();
    behind.trim_ascii_start().starts_with(key)
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
    fn an_output_of_braces_alone_is_given_up() {
        for part in ["{\"a\":", "{\"nodes\":[", "{ "] {
            assert_eq!(count(&part.repeat(50_000)), None, "{part}");
        }
        let noisy = format!("{}{ANSWER}", "{\"level\":".repeat(50_000));
        assert_eq!(count(&noisy), Some(1));
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_before_it(before in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut output = before;
            output.extend(ANSWER.as_bytes());
            prop_assert!(entries(&output).is_some());
        }

        #[test]
        fn a_part_of_it_is_no_answer(end in 0..ANSWER.len() - 2) {
            prop_assert_eq!(entries(&ANSWER.as_bytes()[..end]), None);
        }
    }
}
