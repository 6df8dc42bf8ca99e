//! Nodes as plain detached processes.
