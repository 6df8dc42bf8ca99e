mod batching;
mod context;
mod fake;
mod finding;
mod fleet;
mod ground;
mod lifecycle;
mod talking;
