//! Reads untrusted property lists.

use std::io::Cursor;

use plist::Value;
use plist::stream::{Event, Reader};

/// Maximum nesting depth, more than any job needs. Dropping a value recurses once per level.
const MAX_DEPTH: usize = 32;

/// Maximum number of values plus bytes of text and data: as much as a plain file of that size
/// holds. The binary format can refer to one part any number of times, so a few bytes could expand
/// to more than fits in memory.
const MAX_SIZE: usize = 256 * 1024;

/// Parses a property list in any format. The error says what is wrong with it.
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
        fits = depth <= MAX_DEPTH && size <= MAX_SIZE;
        fits
    });
    let read = Value::from_events(events);
    match fits {
        true => read.map_err(|error| format!("it is damaged: {error}")),
        false => Err("it is too large or too deeply nested for a job".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use plist::Dictionary;

    use super::*;

    /// Returns nested arrays.
    fn nested(levels: usize) -> Vec<u8> {
        ["(".repeat(levels), ")".repeat(levels)].concat().into()
    }

    /// Returns a binary list of `levels` arrays, each of which refers to the next one twice.
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
    fn reads_every_format() {
        let job = Value::Dictionary(Dictionary::from_iter([("Label", Value::from("antnode1"))]));
        let (mut xml, mut binary) = (Vec::new(), Vec::new());
        job.to_writer_xml(&mut xml).unwrap();
        job.to_writer_binary(&mut binary).unwrap();
        for content in [&xml[..], &binary, b"{ Label = antnode1; }"] {
            assert_eq!(read(content).unwrap(), job);
        }
    }

    #[test]
    fn rejects_deep_nesting() {
        assert!(read(&nested(MAX_DEPTH)).is_ok());
        let refused = read(&nested(100_000)).unwrap_err();
        assert_eq!(refused, "it is too large or too deeply nested for a job");
    }

    #[test]
    fn rejects_expansion_beyond_the_size_limit() {
        assert!(read(&doubling(3)).is_ok());
        let refused = read(&doubling(28)).unwrap_err();
        assert_eq!(refused, "it is too large or too deeply nested for a job");
    }

    #[test]
    fn reports_damage() {
        let refused = read(b"<plist><array>").unwrap_err();
        assert!(refused.starts_with("it is damaged: "), "{refused}");
    }
}
