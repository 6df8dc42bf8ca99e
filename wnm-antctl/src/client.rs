//! Calls antctl: one call at a time, each with a deadline and the rights that its services need.

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
use wnm_host::command::WithRoot;
use wnm_host::files::Files;

use crate::layout::{Layout, Ownership};
use crate::lock::CallLock;
use crate::options::AntctlSettings;
use crate::other_callers::OtherCallers;
use crate::registry::Registry;
use crate::registry_backup::RegistryBackup;
use crate::{output, version};

/// Base limit for a call that queries or writes a file. Everything is slow on a machine that is busy starting
/// nodes.
const QUICK: Duration = Duration::from_secs(60);

/// Additional time per service: every call first checks each service's process and asks its program for its
/// version.
const PER_SERVICE: Duration = Duration::from_secs(1);

/// Upper limit, however many services there are.
const MAX_LENGTH: Duration = Duration::from_secs(900);

/// Largest accepted output. A service takes 1.3 KB without peers and about 3 KB with them.
const MAX_OUTPUT: usize = 64 << 20;

/// How often to ask for the services until antctl answers. It occasionally reads the registry while another
/// call writes it.
const ATTEMPTS: usize = 3;

/// One call of antctl.
#[derive(Debug)]
pub(crate) struct Call {
    verb: &'static str,
    args: Vec<OsString>,
    limit: Duration,
    quiet: bool,
}

impl Call {
    /// A call whose output matters. Asks no node for anything.
    pub fn new(verb: &'static str) -> Self {
        Self {
            verb,
            args: Vec::new(),
            limit: QUICK,
            quiet: false,
        }
    }

    /// A call of which only the exit code matters. Passes `-v`, because without it antctl asks every running
    /// node for its state first and waits for ever for one that hangs.
    pub fn quiet(verb: &'static str) -> Self {
        Self {
            quiet: true,
            ..Self::new(verb)
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

    /// Replaces the default time limit.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

/// A client for one antctl installation.
pub(crate) struct Client {
    program: PathBuf,
    layout: Layout,
    debug: bool,
    backtrace: Option<String>,
    runner: Arc<dyn CommandRunner>,
    other_callers: OtherCallers,
    backup: RegistryBackup,
    version: OnceCell<Version>,
}

impl Client {
    pub fn new(
        context: &ManagerContext,
        layout: Layout,
        files: Arc<dyn Files>,
        backtrace: Option<String>,
    ) -> Self {
        let settings = AntctlSettings::new(&context.machine.manager_settings);
        let program = settings.path;
        Self {
            other_callers: OtherCallers::new(layout.clone(), &program),
            backup: RegistryBackup::new(&layout, files),
            debug: settings.debug,
            runner: Arc::clone(&context.runner),
            version: OnceCell::new(),
            program,
            layout,
            backtrace,
        }
    }

    /// Checks that antctl can be called and would use the expected registry.
    pub async fn check(&self) -> Result<(), ManagerError> {
        let own = nix::unistd::geteuid();
        if self.layout.ownership == Ownership::User && own.is_root() {
            return Err(ManagerError::Rejected {
                what: "using a user's antctl".to_owned(),
                words: "root's antctl manages the machine's services; take antctl+sudo, or run \
                        wnm as another user"
                    .to_owned(),
            });
        }
        let check = version::check(&self.program, self.runner.as_ref());
        self.version.get_or_try_init(|| check).await?;
        let Ok(registry) = std::fs::metadata(&self.layout.registry) else {
            return Ok(());
        };
        if self.layout.ownership == Ownership::User && registry.uid() != own.as_raw() {
            let path = self.layout.registry.display();
            let owner = Account::name_of(registry.uid());
            return Err(ManagerError::NotPermitted(format!(
                "{path} belongs to {owner}, so antctl cannot write it; give it back with: sudo \
                 chown {own} {path}"
            )));
        }
        Ok(())
    }

    /// Runs a call to its end, whatever its exit code.
    pub async fn run(&self, call: Call) -> Result<CommandOutput, ManagerError> {
        let lock = self.lock().await?;
        self.run_locked(&lock, call).await
    }

    /// Takes the lock for a call, and repairs a damaged registry first.
    async fn lock(&self) -> Result<CallLock, ManagerError> {
        self.check().await?;
        let lock = CallLock::acquire(&self.layout).await?;
        // Check before waiting for other callers: no time may pass between that wait and the call.
        if self.backup.is_registry_damaged().await? {
            self.other_callers.wait().await?;
            self.backup.repair().await?;
        }
        self.other_callers.wait().await?;
        Ok(lock)
    }

    async fn run_locked(
        &self,
        _lock: &CallLock,
        call: Call,
    ) -> Result<CommandOutput, ManagerError> {
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
            tracing::debug!("antctl wrote: {}", output::plain_text(&output.stderr));
        }
        Ok(output)
    }

    /// Runs a call; an exit code other than 0 is an error.
    pub async fn run_ok(&self, call: Call) -> Result<CommandOutput, ManagerError> {
        let what = format!("antctl {}", call.verb);
        let output = self.run(call).await?;
        match output.code {
            Some(0) => Ok(output),
            _ => Err(self.rejection(what, &output)),
        }
    }

    /// Returns the services. Accepts an empty answer only if the registry file is missing or empty.
    pub async fn registry(&self) -> Result<Registry, ManagerError> {
        let unreachable = |reason: String| ManagerError::Unreachable {
            supervisor: "antctl".to_owned(),
            reason,
        };
        let mut text = String::new();
        for attempt in 0..ATTEMPTS {
            let lock = self.lock().await?;
            let query = Call::new("status").arg("--json");
            let output = self.run_locked(&lock, query).await?;
            if output.code != Some(0) {
                return Err(match self.rejection("antctl status".to_owned(), &output) {
                    ManagerError::Rejected { words, .. } => unreachable(format!(
                        "it cannot say what services there are: {words} (its registry is {})",
                        self.layout.registry.display()
                    )),
                    other => other,
                });
            }
            if let Some(registry) = Registry::parse(&output.stdout) {
                if let Err(error) = self.backup.update(&registry).await {
                    tracing::warn!(%error, "cannot update the backup of antctl's registry");
                }
                return Ok(registry);
            }
            if attempt > 0 && self.layout.has_no_services()? {
                return Ok(Registry::default());
            }
            text = output::plain_text(&output.stdout);
        }
        let text: String = text.trim().chars().take(80).collect();
        Err(unreachable(format!(
            "it printed '{text}' instead of the services in {}",
            self.layout.registry.display()
        )))
    }

    /// The backup of the registry.
    pub fn registry_backup(&self) -> &RegistryBackup {
        &self.backup
    }

    /// Turns a failed call into an error. Reports missing rights separately.
    fn rejection(&self, what: String, output: &CommandOutput) -> ManagerError {
        let words = output::failure_message(output.code, &output.stdout, &output.stderr);
        if words.starts_with("sudo:") || words.contains("(os error 13)") {
            return ManagerError::NotPermitted(format!("{what}: {words}"));
        }
        ManagerError::Rejected { what, words }
    }

    fn spec(&self, call: &Call) -> CommandSpec {
        let services = PER_SERVICE.saturating_mul(self.layout.max_services());
        let limit = call
            .limit
            .saturating_add(services)
            .min(MAX_LENGTH.max(call.limit));
        let args = self
            .debug
            .then_some("--debug")
            .into_iter()
            .chain(call.quiet.then_some("-v"))
            .chain([call.verb])
            .map(OsString::from)
            .chain(call.args.iter().cloned());
        match self.layout.ownership {
            Ownership::User => {
                let mut spec = CommandSpec::new(&self.program, limit).args(args);
                spec.env = self.environment();
                spec
            }
            Ownership::System => self.with_root(limit).args(args),
        }
        .output_limit(MAX_OUTPUT)
    }

    /// sudo drops variables, so `env` sets this one behind it.
    fn with_root(&self, limit: Duration) -> CommandSpec {
        match &self.backtrace {
            None => CommandSpec::new(&self.program, limit).with_root(),
            Some(level) => CommandSpec::new("env", limit)
                .with_root()
                .arg(format!("RUST_BACKTRACE={level}"))
                .arg(&self.program),
        }
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut variables = Vec::new();
        if let Some(level) = &self.backtrace {
            variables.push(("RUST_BACKTRACE".into(), level.into()));
        }
        variables.extend(runtime_directory());
        variables
    }
}

/// `XDG_RUNTIME_DIR` at the path of pam_systemd(8), unless already set. cron does not set it, and without it
/// `systemctl --user` reaches no one.
pub(crate) fn runtime_directory() -> Option<(OsString, OsString)> {
    let name = "XDG_RUNTIME_DIR";
    let given = std::env::var_os(name).filter(|dir| !dir.is_empty());
    let uid = nix::unistd::geteuid();
    given
        .is_none()
        .then(|| (name.into(), format!("/run/user/{uid}").into()))
}
