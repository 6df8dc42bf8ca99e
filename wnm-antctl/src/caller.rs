//! Calls of antctl: one at a time, each with a deadline, with the rights that its services take.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use semver::Version;
use tokio::sync::OnceCell;
use wnm_core::command::{CommandError, CommandOutput, CommandRunner, CommandSpec};
use wnm_core::manager::{ManagerContext, ManagerError};
use wnm_host::Account;
use wnm_host::command::AsRoot;
use wnm_host::files::Files;

use crate::lock::Turn;
use crate::others::Others;
use crate::place::{Domain, Place};
use crate::registry::Registry;
use crate::spare::Spare;
use crate::{version, words};

/// For a call that asks or writes a file. On a machine that is busy with starting nodes everything is slow.
const QUICK: Duration = Duration::from_secs(60);

/// Before it does anything, every call looks at the process of each service and asks its program for its version.
const PER_SERVICE: Duration = Duration::from_secs(1);

/// However many services there are.
const LONGEST: Duration = Duration::from_secs(900);

/// The answer has 1.3 KB for a service without peers and some 3 KB for one with them.
const ANSWER_LIMIT: usize = 64 << 20;

/// How often the state of all services is asked for while there is no answer: now and then the file is read while
/// another call writes it.
const TRIES: usize = 3;

/// What is asked of antctl.
#[derive(Debug)]
pub(crate) struct Call {
    verb: &'static str,
    args: Vec<OsString>,
    limit: Duration,
    quiet: bool,
}

impl Call {
    /// A call that prints what it did and asks no node for anything.
    pub fn telling(verb: &'static str) -> Self {
        Self {
            verb,
            args: Vec::new(),
            limit: QUICK,
            quiet: false,
        }
    }

    /// A call of which only the exit code is of interest. Without `-v` it would ask every running node for its
    /// state first, and wait for ever for one that hangs.
    pub fn quiet(verb: &'static str) -> Self {
        Self {
            quiet: true,
            ..Self::telling(verb)
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Gives it more time than a question takes.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

/// Calls one antctl.
pub(crate) struct Caller {
    program: PathBuf,
    place: Place,
    debug: bool,
    backtrace: Option<String>,
    runner: Arc<dyn CommandRunner>,
    others: Others,
    spare: Spare,
    version: OnceCell<Version>,
}

impl Caller {
    pub fn new(
        context: &ManagerContext,
        place: Place,
        files: Arc<dyn Files>,
        backtrace: Option<String>,
    ) -> Self {
        let program = context.machine.antctl_path.clone();
        Self {
            others: Others::at(place.clone(), &program),
            spare: Spare::of(&place, files),
            debug: context.machine.antctl_debug,
            runner: Arc::clone(&context.runner),
            version: OnceCell::new(),
            program,
            place,
            backtrace,
        }
    }

    /// Whether antctl can be called at all, and would use the registry that is meant.
    pub async fn check(&self) -> Result<(), ManagerError> {
        let own = nix::unistd::geteuid();
        if self.place.domain == Domain::User && own.is_root() {
            return Err(ManagerError::Rejected {
                what: "antctl for a user".to_owned(),
                words: "root's antctl makes services of the machine; take antctl+sudo, or run \
                        wnm as another user"
                    .to_owned(),
            });
        }
        let asked = version::check(&self.program, self.runner.as_ref());
        self.version.get_or_try_init(|| asked).await?;
        let Ok(registry) = std::fs::metadata(&self.place.registry) else {
            return Ok(());
        };
        if self.place.domain == Domain::User && registry.uid() != own.as_raw() {
            let path = self.place.registry.display();
            let owner = Account::name_of(registry.uid());
            return Err(ManagerError::NotPermitted(format!(
                "{path} belongs to {owner}, so antctl cannot write it; give it back with: sudo \
                 chown {own} {path}"
            )));
        }
        Ok(())
    }

    /// Runs a call to its end, whatever that is.
    pub async fn run(&self, call: Call) -> Result<CommandOutput, ManagerError> {
        let turn = self.turn().await?;
        self.run_in(&turn, call).await
    }

    /// The right to call antctl, with a registry that was written to its end.
    async fn turn(&self) -> Result<Turn, ManagerError> {
        self.check().await?;
        let turn = Turn::take(&self.place).await?;
        // Seen before the others are waited for, since no time may pass between that and the call.
        if self.spare.is_wanted().await? {
            self.others.end().await?;
            self.spare.mend().await?;
        }
        self.others.end().await?;
        Ok(turn)
    }

    async fn run_in(&self, _turn: &Turn, call: Call) -> Result<CommandOutput, ManagerError> {
        let spec = self.spec(&call);
        tracing::debug!(verb = call.verb, args = ?call.args, "calling antctl");
        let output = match self.runner.run(&spec).await {
            Ok(output) => output,
            Err(CommandError::TimedOut { limit, .. }) => {
                let what = format!("antctl {}", call.verb);
                return Err(ManagerError::TimedOut { what, limit });
            }
            Err(error) => return Err(error.into()),
        };
        if self.debug {
            tracing::debug!("antctl said: {}", words::plain(&output.stderr));
        }
        Ok(output)
    }

    /// Runs a call that must end well.
    pub async fn act(&self, call: Call) -> Result<CommandOutput, ManagerError> {
        let what = format!("antctl {}", call.verb);
        let output = self.run(call).await?;
        match output.code {
            Some(0) => Ok(output),
            _ => Err(self.refused(what, &output)),
        }
    }

    /// The services there are. That there are none is believed only of a registry that is not there or empty.
    pub async fn registry(&self) -> Result<Registry, ManagerError> {
        let silent = |reason: String| ManagerError::Unreachable {
            supervisor: "antctl".to_owned(),
            reason,
        };
        let mut said = String::new();
        for attempt in 0..TRIES {
            let turn = self.turn().await?;
            let question = Call::telling("status").arg("--json");
            let output = self.run_in(&turn, question).await?;
            if output.code != Some(0) {
                return Err(match self.refused("antctl status".to_owned(), &output) {
                    ManagerError::Rejected { words, .. } => silent(format!(
                        "it cannot say what services there are: {words} (its registry is {})",
                        self.place.registry.display()
                    )),
                    other => other,
                });
            }
            if let Some(registry) = Registry::find(&output.stdout) {
                if let Err(error) = self.spare.keep(&registry).await {
                    tracing::warn!(%error, "antctl's registry has no second copy that is up to date");
                }
                return Ok(registry);
            }
            if attempt > 0 && self.place.holds_nothing()? {
                return Ok(Registry::default());
            }
            said = words::plain(&output.stdout);
        }
        let said: String = said.trim().chars().take(80).collect();
        Err(silent(format!(
            "it does not list the services of {} and says '{said}'",
            self.place.registry.display()
        )))
    }

    /// The copy of the registry.
    pub fn spare(&self) -> &Spare {
        &self.spare
    }

    /// A refusal, told apart from missing rights.
    fn refused(&self, what: String, output: &CommandOutput) -> ManagerError {
        let words = words::failure(output.code, &output.stdout, &output.stderr);
        if words.starts_with("sudo:") || words.contains("(os error 13)") {
            return ManagerError::NotPermitted(format!("{what}: {words}"));
        }
        ManagerError::Rejected { what, words }
    }

    fn spec(&self, call: &Call) -> CommandSpec {
        let fleet = PER_SERVICE.saturating_mul(self.place.most_services());
        let limit = call
            .limit
            .saturating_add(fleet)
            .min(LONGEST.max(call.limit));
        let words = self
            .debug
            .then_some("--debug")
            .into_iter()
            .chain(call.quiet.then_some("-v"))
            .chain([call.verb])
            .map(OsString::from)
            .chain(call.args.iter().cloned());
        match self.place.domain {
            Domain::User => {
                let mut spec = CommandSpec::new(&self.program, limit).args(words);
                spec.env = self.variables();
                spec
            }
            Domain::System => self.as_root(limit).args(words),
        }
        .output_limit(ANSWER_LIMIT)
    }

    /// sudo keeps no variable, so that one is set behind it.
    fn as_root(&self, limit: Duration) -> CommandSpec {
        match &self.backtrace {
            None => CommandSpec::new(&self.program, limit).as_root(),
            Some(level) => CommandSpec::new("env", limit)
                .as_root()
                .arg(format!("RUST_BACKTRACE={level}"))
                .arg(&self.program),
        }
    }

    fn variables(&self) -> Vec<(OsString, OsString)> {
        let mut variables = Vec::new();
        if let Some(level) = &self.backtrace {
            variables.push(("RUST_BACKTRACE".into(), level.into()));
        }
        variables.extend(runtime_directory());
        variables
    }
}

/// `XDG_RUNTIME_DIR`, without which `systemctl --user` reaches nobody and which cron does not set: where
/// pam_systemd(8) puts it.
pub(crate) fn runtime_directory() -> Option<(OsString, OsString)> {
    let name = "XDG_RUNTIME_DIR";
    let given = std::env::var_os(name).filter(|dir| !dir.is_empty());
    let uid = nix::unistd::geteuid();
    given
        .is_none()
        .then(|| (name.into(), format!("/run/user/{uid}").into()))
}
