//! Reads the text that nodes serve: OpenMetrics, one sample a line.

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
    pub fn label(&self, _name: &str) -> Option<&'a str> {
        todo!()
    }
    /// The value as a count: whole, at least 0; 0 for what is no number.
    pub fn count(&self) -> u64 {
        todo!()
    }
    /// The value as a finite number of at least 0; 0 for what is none.
    pub fn figure(&self) -> f64 {
        todo!()
    }
    /// The text of a value that is a whole number of at least 0, of any length.
    pub fn integer_text(&self) -> Option<&'a str> {
        todo!()
    }
}

/// The samples of a page, comments and malformed lines left out.
pub fn samples(_page: &[u8]) -> impl Iterator<Item = Sample<'_>> {
    std::iter::empty()
}
