//! Reads the text that nodes serve: OpenMetrics, one sample a line.
//!
//! The format: <https://prometheus.io/docs/specs/om/open_metrics_spec/>. Only sample lines matter here, so a
//! page is read in one pass without building anything: it takes a fraction of what a full parser does, and
//! a thousand pages come in at once.

use memchr::{memchr, memmem};

/// Longest line that is looked at. The longest that nodes serve is about 400 bytes; names and numbers are
/// kept from a page, and this bounds what a page of rubbish can leave behind.
const LONGEST_LINE: usize = 8 * 1024;

/// One sample line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample<'a> {
    /// Name of the series.
    pub name: &'a str,
    labels: &'a str,
    value: &'a str,
}

impl<'a> Sample<'a> {
    /// Value of a label, as written between its quotes.
    pub fn label(&self, name: &str) -> Option<&'a str> {
        let mut rest = self.labels;
        while let Some((label, value, after)) = first_label(rest) {
            if label == name {
                return Some(value);
            }
            rest = after;
        }
        None
    }

    /// The value as a count: whole, at least 0; 0 for what is no number, [`u64::MAX`] for what is larger.
    pub fn count(&self) -> u64 {
        match self.value.parse() {
            Ok(count) => count,
            // Converting a float cuts off its fraction and stops at the largest whole number.
            Err(_) => self.figure() as u64,
        }
    }

    /// The value as a finite number of at least 0; 0 for what is none, [`f64::MAX`] for what is larger.
    pub fn figure(&self) -> f64 {
        let digits = self.value.bytes().any(|byte| byte.is_ascii_digit());
        match self.value.parse::<f64>() {
            // Digits tell an overflow (`1e400`) from the word for infinity.
            Ok(figure) if figure.is_finite() || digits => figure.clamp(0.0, f64::MAX).abs(),
            _ => 0.0,
        }
    }

    /// The text of a value that is written as a whole number of at least 0, of any length.
    pub fn integer_text(&self) -> Option<&'a str> {
        // A value is never empty.
        let digits = self.value.bytes().all(|byte| byte.is_ascii_digit());
        digits.then_some(self.value)
    }
}

/// The samples of a page, comments and malformed lines left out.
pub fn samples(page: &[u8]) -> impl Iterator<Item = Sample<'_>> {
    samples_of(page, "")
}

/// Those whose names begin with `family`. Of a node's page nine lines in ten are histograms of other families: they
/// are passed over and not read.
pub fn samples_of<'a>(page: &'a [u8], family: &str) -> impl Iterator<Item = Sample<'a>> {
    lines_with(page, family.as_bytes()).filter_map(read_line)
}

/// The lines that begin with `prefix`. One search over the whole page is for the others, too.
fn lines_with<'a>(page: &'a [u8], prefix: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    let behind_a_line = [b"\n", prefix].concat();
    let next = memmem::Finder::new(&behind_a_line).into_owned();
    let mut at_begin = page.starts_with(prefix);
    let mut passed = 0;
    std::iter::from_fn(move || {
        let begin = if std::mem::take(&mut at_begin) {
            0
        } else {
            passed + next.find(&page[passed..])? + 1
        };
        let length = memchr(b'\n', &page[begin..]);
        passed = length.map_or(page.len(), |length| begin + length);
        Some(&page[begin..passed])
    })
}

/// `name{labels} value …`: a time stamp and an exemplar may follow the value.
fn read_line(line: &[u8]) -> Option<Sample<'_>> {
    if line.len() > LONGEST_LINE || !line.first().is_some_and(|&byte| starts_name(byte)) {
        return None;
    }
    let line = std::str::from_utf8(line).ok()?;
    let end = line.bytes().position(|byte| !continues_name(byte))?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.trim_start_matches([' ', '\t']).strip_prefix('{') {
        Some(inside) => split_labels(inside)?,
        None => ("", rest.strip_prefix([' ', '\t'])?),
    };
    let value = rest.split_ascii_whitespace().next()?;
    Some(Sample {
        name,
        labels,
        value,
    })
}

fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b':'
}

fn continues_name(byte: u8) -> bool {
    starts_name(byte) || byte.is_ascii_digit()
}

/// Splits after the brace that closes the labels; one within quotes closes nothing.
fn split_labels(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'}' if !quoted => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

/// The first of `name="value",…`: its name, its value and what follows it.
fn first_label(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let value = rest.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    let end = value.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    let after = value[end + 1..].trim_start().trim_start_matches(',');
    Some((name.trim(), &value[..end], after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    use wnm_fixtures::{METADATA, METRICS as CONNECTED};

    fn only(line: &str) -> Sample<'_> {
        let mut all = samples(line.as_bytes());
        let sample = all.next().unwrap_or_else(|| panic!("nothing read: {line}"));
        assert_eq!(all.next(), None, "{line}");
        sample
    }

    #[test]
    fn a_real_page_is_read() {
        let find = |name: &str| {
            samples(CONNECTED)
                .find(|sample| sample.name == name)
                .unwrap()
        };
        assert_eq!(find("ant_node_uptime").count(), 31);
        assert_eq!(
            find("ant_networking_process_memory_used_mb").figure(),
            43.8723
        );
        assert_eq!(find("ant_networking_process_memory_used_mb").count(), 43);
        assert_eq!(
            find("ant_node_current_reward_wallet_balance").integer_text(),
            Some("0")
        );
        let comments = CONNECTED
            .split(|&b| b == b'\n')
            .filter(|line| line.starts_with(b"#"));
        let lines = CONNECTED.iter().filter(|&&b| b == b'\n').count();
        assert_eq!(samples(CONNECTED).count(), lines - comments.count());
        let peer = samples(METADATA).find_map(|sample| sample.label("peer_id"));
        assert_eq!(
            peer,
            Some("12D3KooWFm1ed3z6kSTGNLop6V32oWhLxssCaUiNWCXqf3EtZT8c")
        );
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        let count = |value: &str| only(&format!("a {value}")).count();
        assert_eq!(count("17"), 17);
        assert_eq!(count("1e9"), 1_000_000_000);
        assert_eq!(count("1.5e3"), 1500);
        assert_eq!(count("18446744073709551615"), u64::MAX);
        assert_eq!(count("1.9"), 1);
        for past in ["18446744073709551616", "1e20", "1e400"] {
            assert_eq!(count(past), u64::MAX, "{past}");
            assert!(only(&format!("a {past}")).figure() >= 18446744073709551615.0);
        }
        for none in [
            "NaN", "-1", "-1e400", "Inf", "+Inf", "-Inf", "x", "-0.0", "0x10", "1,5",
        ] {
            assert_eq!(count(none), 0, "{none}");
            let figure = only(&format!("a {none}")).figure();
            assert_eq!(figure, 0.0, "{none}");
            assert!(figure.is_sign_positive(), "{none}");
        }
    }

    #[test]
    fn balances_keep_every_digit() {
        let text = |value: &str| {
            let line = format!("a {value}");
            only(&line).integer_text().map(str::to_owned)
        };
        for whole in ["0", "100000000000000000000", &"9".repeat(100)] {
            assert_eq!(text(whole).as_deref(), Some(whole));
        }
        for other in ["-5", "+5", "1.5", "1e3", "0.0", "NaN"] {
            assert_eq!(text(other), None, "{other}");
        }
    }

    #[test]
    fn labels_may_hold_anything_between_their_quotes() {
        let sample = only(r#"a{x="1} 2",y="say \"hi, z=\"",path="C:\\",z="end"} 7"#);
        assert_eq!(sample.label("x"), Some("1} 2"));
        assert_eq!(sample.label("y"), Some(r#"say \"hi, z=\""#));
        assert_eq!(sample.label("path"), Some(r"C:\\"));
        assert_eq!(sample.label("z"), Some("end"));
        assert_eq!(sample.label("hi"), None);
        assert_eq!(sample.count(), 7);
        assert_eq!(only("a{} 7").label("x"), None);
        assert_eq!(only("a { x = \"1\" , } 7").label("x"), Some("1"));
        assert_eq!(only("a{broken} 7").label("broken"), None);
    }

    #[test]
    fn what_follows_the_value_is_ignored() {
        for line in [
            "a 5 1700000000.123",
            "a{x=\"1\"} 5 # {trace=\"9\"} 0.67 1700000000",
            "a\t5\r",
            "a  5  ",
        ] {
            assert_eq!(only(line).count(), 5, "{line}");
        }
    }

    #[test]
    fn lines_that_are_no_samples_are_left_out() {
        let page = b"\n# HELP a b\n a 1\n1a 2\na\na{\na{x=\"\na{x=\"}\" 3\n\xff\xfe 4\nb\xff 5\n=\x00\n{x=\"1\"} 6\na{x=\"1\"}\nlast 7";
        let names: Vec<_> = samples(page)
            .map(|sample| (sample.name, sample.count()))
            .collect();
        assert_eq!(names, [("last", 7)]);
        let long = format!("a{{x=\"{}\"}} 1\n", "y".repeat(LONGEST_LINE));
        assert_eq!(samples(long.as_bytes()).next(), None);
    }

    #[test]
    fn a_page_that_breaks_off_loses_its_last_sample_at_most() {
        let whole: Vec<_> = samples(CONNECTED).collect();
        for end in (0..CONNECTED.len()).step_by(97) {
            let read: Vec<_> = samples(&CONNECTED[..end]).collect();
            let kept = read.len().saturating_sub(1);
            assert_eq!(read[..kept], whole[..kept]);
        }
    }

    proptest! {
        #[test]
        fn no_page_is_too_strange(page in proptest::collection::vec(any::<u8>(), 0..400)) {
            for sample in samples(&page) {
                prop_assert!(sample.figure() >= 0.0 && sample.figure().is_finite());
                sample.count();
                sample.integer_text();
                sample.label("x");
            }
        }

        #[test]
        fn a_family_is_what_begins_with_its_name(
            page in r#"((ab?c?|#)(\{x="1"\})? ?[0-9\n]{0,3}){0,20}"#,
            family in "[abc]{0,3}",
        ) {
            let page = page.as_bytes();
            let all = samples(page).filter(|sample| sample.name.starts_with(&family));
            prop_assert!(samples_of(page, &family).eq(all));
        }

        #[test]
        fn nor_is_one_that_looks_like_metrics(page in r#"([a\{\}"\\=, 0-9eé#\n-]{0,12}(a\{x=)?){0,20}"#) {
            for sample in samples(page.as_bytes()) {
                prop_assert!(sample.figure() >= 0.0 && sample.figure().is_finite());
                sample.count();
                sample.label("x");
            }
        }

        #[test]
        fn what_is_written_is_read_back(
            name in "[a-zA-Z_:][a-zA-Z0-9_:]{0,20}",
            label in r#"([^"\\\n]|\\"|\\\\|\\n){0,20}"#,
            value: u64,
        ) {
            let line = format!("{name}{{first=\"1\",x=\"{label}\"}} {value}\n");
            let sample = only(&line);
            prop_assert_eq!(sample.name, name);
            prop_assert_eq!(sample.label("x"), Some(label.as_str()));
            prop_assert_eq!(sample.count(), value);
            let digits = value.to_string();
            prop_assert_eq!(sample.integer_text(), Some(digits.as_str()));
        }
    }
}
