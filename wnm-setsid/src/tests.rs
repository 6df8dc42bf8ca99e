//! The manager against real processes.

mod accounts;
mod crashing;
mod ending;
mod finding;
mod ground;
mod lifecycle;
mod real;
mod refusing;
mod standing;
mod upgrading;
