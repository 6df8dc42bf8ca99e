use std::path::PathBuf;
use std::sync::Arc;

use crate::observe::{HttpProbe, SurveyLimits, SystemProbe};
use wnm_core::clock::{Clock, SystemClock};
use wnm_core::command::CommandRunner;
use wnm_core::firewall::Firewall;
use wnm_core::kind::ManagerKind;
use wnm_core::manager::{ManagerContext, ManagerError, ProcessManager};
use wnm_core::probe::{MachineProbe, NodeProbe};
use wnm_core::program::NodeProgram;
use wnm_host::command::SystemRunner;
use wnm_programs::Antnode;

/// Builds the manager of a kind.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
pub trait ManagerFactory: Send + Sync {
    /// Builds it. A kind that this program was not built with is `NotFound`.
    fn build(
        &self,
        kind: ManagerKind,
        context: ManagerContext,
    ) -> Result<Arc<dyn ProcessManager>, ManagerError>;
}

impl<F> ManagerFactory for F
where
    F: Fn(ManagerKind, ManagerContext) -> Result<Arc<dyn ProcessManager>, ManagerError>
        + Send
        + Sync,
{
    fn build(
        &self,
        kind: ManagerKind,
        context: ManagerContext,
    ) -> Result<Arc<dyn ProcessManager>, ManagerError> {
        self(kind, context)
    }
}

/// Everything outside the process, each behind its trait.
#[derive(Clone)]
pub struct Outside {
    /// Builds the manager that the machine's settings name.
    pub managers: Arc<dyn ManagerFactory>,
    /// What is run.
    pub program: Arc<dyn NodeProgram>,
    /// Asks nodes.
    pub nodes: Arc<dyn NodeProbe>,
    /// Measures the machine.
    pub machine: Arc<dyn MachineProbe>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Runs commands.
    pub runner: Arc<dyn CommandRunner>,
    /// Opens ports; `None` for the firewall that the machine's settings name.
    pub firewall: Option<Arc<dyn Firewall>>,
    /// The caller's home directory, which default paths are below.
    pub home: Option<PathBuf>,
}

impl Outside {
    /// The real ones, with antnode as the program.
    pub fn system(managers: Arc<dyn ManagerFactory>) -> Self {
        let runner: Arc<dyn CommandRunner> = Arc::new(SystemRunner);
        let program: Arc<dyn NodeProgram> = Arc::new(Antnode::new(Arc::clone(&runner)));
        Self {
            managers,
            nodes: Arc::new(HttpProbe::new(
                Arc::clone(&program),
                SurveyLimits::default(),
            )),
            program,
            machine: Arc::new(SystemProbe::new()),
            clock: Arc::new(SystemClock),
            runner,
            firewall: None,
            home: std::env::home_dir(),
        }
    }
}
