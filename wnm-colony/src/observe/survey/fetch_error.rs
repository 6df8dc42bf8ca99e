/// Why a node could not be read.
#[derive(Debug)]
pub(super) enum FetchError {
    /// Nothing listens.
    Refused,
    /// The connection ended before there was a whole answer.
    Closed,
    /// Anything else, in words.
    Other(String),
}
