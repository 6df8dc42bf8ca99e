use std::path::PathBuf;
use std::sync::Arc;

use crate::command::WithRoot;
use wnm_core::command::{CommandError, CommandOutput, CommandRunner, CommandSpec};

/// Where the programs of firewalls are. PATH is not asked: cron's lacks the sbin directories, and what is run
/// as root is better not looked for where the caller says.
const DIRS: [&str; 7] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/run/current-system/sw/bin",
];

/// Finds the programs of firewalls and runs them as root.
#[derive(Clone)]
pub(super) struct Root {
    runner: Arc<dyn CommandRunner>,
    dirs: Vec<PathBuf>,
}

impl Root {
    /// Looks in the system's directories.
    pub fn new(runner: Arc<dyn CommandRunner>) -> Self {
        Self {
            runner,
            dirs: DIRS.map(PathBuf::from).to_vec(),
        }
    }

    /// Looks in this directory only.
    #[cfg(test)]
    pub fn with_dir(runner: Arc<dyn CommandRunner>, dir: &std::path::Path) -> Self {
        Self {
            runner,
            dirs: vec![dir.to_owned()],
        }
    }

    /// Where a program is, if it is installed.
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        self.dirs
            .iter()
            .map(|dir| dir.join(program))
            .find(|path| path.is_file())
    }

    /// Runs a command as root, with messages in the language that they are read in. sudo lets the variable
    /// through. An exit code other than 0 is a result here, not an error.
    pub async fn run(&self, spec: CommandSpec) -> Result<Answer, CommandError> {
        let mut spec = spec.with_root();
        spec.env.push(("LC_ALL".into(), "C".into()));
        let output = self.runner.run(&spec).await?;
        Ok(Answer { spec, output })
    }

    /// The same for a command that should end with 0.
    pub async fn output(&self, spec: CommandSpec) -> Result<CommandOutput, CommandError> {
        self.run(spec).await?.success()
    }
}

/// What came of a command.
pub(super) struct Answer {
    spec: CommandSpec,
    /// What it left behind.
    pub output: CommandOutput,
}

impl Answer {
    /// The output, or the failure in the command's own words.
    pub fn success(self) -> Result<CommandOutput, CommandError> {
        self.output.success(&self.spec)
    }
}
