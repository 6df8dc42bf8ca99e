//! Options: what there are, where a value comes from, and what it means.
