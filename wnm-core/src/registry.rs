//! Which process managers and node programs there are: their names and the factories behind them.

mod managers;
mod programs;

#[cfg(any(test, feature = "mock"))]
pub use managers::MockManagerFactory;
pub use managers::{ManagerFactory, ManagerRegistry, UnregisteredManager};
pub use programs::{ProgramFactory, ProgramRegistry, UnregisteredProgram};
