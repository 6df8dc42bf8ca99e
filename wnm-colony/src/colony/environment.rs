use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::observe::{HttpProbe, SurveyLimits, SystemProbe};
use wnm_core::clock::{Clock, SystemClock};
use wnm_core::command::CommandRunner;
use wnm_core::firewall::Firewall;
use wnm_core::probe::{MachineProbe, NodeProbe};
use wnm_core::program::NodeProgram;
use wnm_core::quantity::UnixTime;
use wnm_core::registry::{ManagerRegistry, ProgramRegistry};
use wnm_host::command::SystemRunner;

/// Everything outside the process, each behind its trait.
///
/// [`system`](Self::system) takes the real ones. The other methods replace one each.
#[derive(Clone)]
pub struct Environment {
    pub(crate) managers: ManagerRegistry,
    pub(crate) program: Arc<dyn NodeProgram>,
    pub(crate) nodes: Arc<dyn NodeProbe>,
    pub(crate) machine: Arc<dyn MachineProbe>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) runner: Arc<dyn CommandRunner>,
    /// `None` for the firewall that the machine's settings name.
    pub(crate) firewall: Option<Arc<dyn Firewall>>,
    pub(crate) home: Option<PathBuf>,
    programs: ProgramRegistry,
    /// Whether the program was replaced, and so stays when the runner is.
    own_program: bool,
    /// Whether the probe was replaced, and so stays when the program is.
    own_probe: bool,
}

impl Environment {
    /// The real machine, with these managers, the default one of these programs, and the caller's home directory.
    pub fn system(managers: ManagerRegistry, programs: ProgramRegistry) -> Self {
        let runner: Arc<dyn CommandRunner> = Arc::new(SystemRunner);
        let program = programs.build_default(Arc::clone(&runner));
        Self {
            managers,
            nodes: http_probe(&program),
            program,
            machine: Arc::new(SystemProbe::new()),
            clock: Arc::new(SystemClock),
            runner,
            firewall: None,
            home: std::env::home_dir(),
            programs,
            own_program: false,
            own_probe: false,
        }
    }

    /// Runs another node program. Its pages are read as it says, unless the probe was replaced.
    #[must_use]
    pub fn program(mut self, program: Arc<dyn NodeProgram>) -> Self {
        self.own_program = true;
        self.run(program)
    }

    /// Asks nodes in another way.
    #[must_use]
    pub fn probe(mut self, probe: Arc<dyn NodeProbe>) -> Self {
        self.own_probe = true;
        self.nodes = probe;
        self
    }

    /// Measures the machine in another way.
    #[must_use]
    pub fn machine_probe(mut self, probe: Arc<dyn MachineProbe>) -> Self {
        self.machine = probe;
        self
    }

    /// Tells the time in another way.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Runs commands in another way, those of the default program included.
    #[must_use]
    pub fn runner(mut self, runner: Arc<dyn CommandRunner>) -> Self {
        self.runner = runner;
        if self.own_program {
            return self;
        }
        let program = self.programs.build_default(Arc::clone(&self.runner));
        self.run(program)
    }

    /// Opens ports here, whatever firewall the machine's settings name.
    #[must_use]
    pub fn firewall(mut self, firewall: Arc<dyn Firewall>) -> Self {
        self.firewall = Some(firewall);
        self
    }

    /// Puts default paths below another directory, or nowhere: without a home, settings have to give all paths.
    #[must_use]
    pub fn home(mut self, home: Option<PathBuf>) -> Self {
        self.home = home;
        self
    }

    fn run(mut self, program: Arc<dyn NodeProgram>) -> Self {
        if !self.own_probe {
            self.nodes = http_probe(&program);
        }
        self.program = program;
        self
    }

    /// The managers there are.
    pub fn managers(&self) -> &ManagerRegistry {
        &self.managers
    }

    /// The node program.
    pub fn node_program(&self) -> &dyn NodeProgram {
        self.program.as_ref()
    }

    /// What runs commands.
    pub fn command_runner(&self) -> &dyn CommandRunner {
        self.runner.as_ref()
    }

    /// The time.
    pub fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// How many processors the machine has.
    pub fn cpu_count(&self) -> u32 {
        self.machine.cpu_count()
    }

    /// The directory that default paths are below.
    pub fn home_dir(&self) -> Option<&Path> {
        self.home.as_deref()
    }
}

fn http_probe(program: &Arc<dyn NodeProgram>) -> Arc<dyn NodeProbe> {
    Arc::new(HttpProbe::new(Arc::clone(program), SurveyLimits::default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wnm_core::command::MockCommandRunner;
    use wnm_core::probe::MockNodeProbe;
    use wnm_core::program::MockNodeProgram;
    use wnm_core::registry::ProgramFactory;

    struct Default;

    impl ProgramFactory for Default {
        fn name(&self) -> &'static str {
            "default"
        }

        fn build(&self, _: Arc<dyn CommandRunner>) -> Arc<dyn NodeProgram> {
            named("default")
        }
    }

    fn named(name: &'static str) -> Arc<dyn NodeProgram> {
        let mut program = MockNodeProgram::new();
        program.expect_name().return_const(name);
        Arc::new(program)
    }

    fn system() -> Environment {
        Environment::system(ManagerRegistry::new(), ProgramRegistry::new(Default))
    }

    #[test]
    fn another_program_is_also_asked_in_its_own_way() {
        let before = system();
        let after = before.clone().program(named("other"));
        assert_eq!(after.node_program().name(), "other");
        assert!(!Arc::ptr_eq(&before.nodes, &after.nodes));
    }

    #[test]
    fn what_was_replaced_stays_when_another_is() {
        let probe: Arc<dyn NodeProbe> = Arc::new(MockNodeProbe::new());
        let environment = system()
            .probe(Arc::clone(&probe))
            .program(named("other"))
            .runner(Arc::new(MockCommandRunner::new()));
        assert!(Arc::ptr_eq(&environment.nodes, &probe));
        assert_eq!(environment.node_program().name(), "other");
    }
}
