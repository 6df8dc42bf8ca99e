//! The launchd of a test: a fake one, or the machine's on macOS.

#[cfg(not(target_os = "macos"))]
mod agreement;
#[cfg(not(target_os = "macos"))]
mod fake;
mod fixture;
#[cfg(target_os = "macos")]
mod system;

#[cfg(not(target_os = "macos"))]
pub use fake::{Behaviour, Launchd};
pub use fixture::LaunchdFixture;
#[cfg(target_os = "macos")]
pub use system::Launchd;
