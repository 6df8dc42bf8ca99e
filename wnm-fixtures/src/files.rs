use std::path::{Path, PathBuf};

/// The page `/metadata` of an antnode, as it was served.
pub const METADATA: &[u8] = include_bytes!("../fixtures/metrics/metadata.txt");

/// The page `/metrics` of an antnode that was connected to twenty others.
pub const METRICS: &[u8] = include_bytes!("../fixtures/metrics/metrics-connected-20nodes.txt");

/// A file of real data, such as `python/colony-0.6.3.sql`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}
