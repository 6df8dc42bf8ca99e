//! antctl as it is told to be: what it takes a real one long or luck to say.

mod calls;
pub(crate) mod ground;
