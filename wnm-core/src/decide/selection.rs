//! Which node goes first.
