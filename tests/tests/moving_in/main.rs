//! Taking over what is on a machine, under a real systemd, and giving it back.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod anm;
mod colony;
mod doctor;
mod import;
mod release;
