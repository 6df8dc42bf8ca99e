//! Property lists that strangers wrote.

use std::io::Cursor;

use plist::Value;
use plist::stream::{Event, Reader};

/// Deeper than the keys of any job. What was read is taken apart again level by level, on the stack.
const DEEPEST: usize = 32;

/// Most values, and bytes of text and data in them, that a list may hold: no more than a file of that size has. The
/// binary form can name one part of it any number of times, so that a few bytes stand for more than any memory holds.
const LARGEST: usize = 256 * 1024;

/// Reads a list in any of its forms. The error says what is wrong with it.
pub(crate) fn read(content: &[u8]) -> Result<Value, String> {
    let (mut depth, mut size, mut fits) = (0_usize, 0_usize, true);
    let events = Reader::new(Cursor::new(content)).take_while(|event| {
        size += 1;
        match event {
            Ok(Event::StartArray(_) | Event::StartDictionary(_)) => depth += 1,
            Ok(Event::EndCollection) => depth = depth.saturating_sub(1),
            Ok(Event::String(text)) => size += text.len(),
            Ok(Event::Data(data)) => size += data.len(),
            _ => {}
        }
        fits = depth <= DEEPEST && size <= LARGEST;
        fits
    });
    let read = Value::from_events(events);
    match fits {
        true => read.map_err(|error| format!("it is damaged: {error}")),
        false => Err("it holds more than any job".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use plist::Dictionary;

    use super::*;

    /// So many arrays, one in another.
    fn nested(levels: usize) -> Vec<u8> {
        ["(".repeat(levels), ")".repeat(levels)].concat().into()
    }

    /// A binary list of `levels` arrays, each of which names the next one twice.
    fn doubling(levels: u8) -> Vec<u8> {
        let mut bytes = b"bplist00".to_vec();
        let mut offsets = Vec::new();
        for next in 1..=levels {
            offsets.push(u8::try_from(bytes.len()).unwrap());
            bytes.extend([0xa2, next, next]);
        }
        offsets.push(u8::try_from(bytes.len()).unwrap());
        bytes.push(0xa0);
        let table = bytes.len();
        bytes.extend(&offsets);
        bytes.extend([0, 0, 0, 0, 0, 0, 1, 1]);
        for number in [offsets.len(), 0, table] {
            bytes.extend(u64::try_from(number).unwrap().to_be_bytes());
        }
        bytes
    }

    #[test]
    fn every_form_is_read() {
        let job = Value::Dictionary(Dictionary::from_iter([("Label", Value::from("antnode1"))]));
        let (mut xml, mut binary) = (Vec::new(), Vec::new());
        job.to_writer_xml(&mut xml).unwrap();
        job.to_writer_binary(&mut binary).unwrap();
        for content in [&xml[..], &binary, b"{ Label = antnode1; }"] {
            assert_eq!(read(content).unwrap(), job);
        }
    }

    #[test]
    fn what_would_take_the_stack_is_refused() {
        assert!(read(&nested(DEEPEST)).is_ok());
        let refused = read(&nested(100_000)).unwrap_err();
        assert_eq!(refused, "it holds more than any job");
    }

    #[test]
    fn what_would_take_the_memory_is_refused() {
        assert!(read(&doubling(3)).is_ok());
        let refused = read(&doubling(28)).unwrap_err();
        assert_eq!(refused, "it holds more than any job");
    }

    #[test]
    fn what_is_damaged_is_called_so() {
        let refused = read(b"<plist><array>").unwrap_err();
        assert!(refused.starts_with("it is damaged: "), "{refused}");
    }
}
