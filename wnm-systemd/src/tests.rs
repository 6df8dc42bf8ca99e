mod batching;
mod context;
mod fake;
mod finding;
mod ground;
mod lifecycle;
mod talking;
