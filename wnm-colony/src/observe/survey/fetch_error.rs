//! Why a fetch failed.

/// Why the pages of a node could not be fetched.
#[derive(Debug)]
pub(super) enum FetchError {
    /// Nothing listens on the port.
    Refused,
    /// The connection ended before a complete response.
    Closed,
    /// Any other reason, as text.
    Other(String),
}
