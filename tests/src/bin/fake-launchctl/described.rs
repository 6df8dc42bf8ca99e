//! A job as its file describes it.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::User;
use plist::Value;
use serde::Deserialize;

/// The keys of launchd.plist(5) that the fake uses.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Described {
    pub label: String,
    pub program: Option<String>,
    #[serde(default)]
    pub program_arguments: Vec<String>,
    pub working_directory: Option<PathBuf>,
    #[serde(default)]
    pub environment_variables: BTreeMap<String, String>,
    pub user_name: Option<String>,
    #[serde(default)]
    pub run_at_load: bool,
    pub keep_alive: Option<Value>,
    pub throttle_interval: Option<u32>,
    #[serde(rename = "ExitTimeOut")]
    pub exit_time_out: Option<u32>,
    pub standard_out_path: Option<PathBuf>,
    pub standard_error_path: Option<PathBuf>,
    pub limit_load_to_session_type: Option<Value>,
    #[serde(default)]
    pub disabled: bool,
}

/// Why launchd refuses a file, as its error code.
pub type Code = u8;

impl Described {
    pub fn read(file: &Path) -> Result<Self, Code> {
        let mode = std::fs::metadata(file).map_err(|_| 5)?.permissions().mode();
        if mode & 0o022 != 0 {
            return Err(122);
        }
        let job: Self = plist::from_file(file).map_err(|_| 5)?;
        if job.program.is_none() && job.program_arguments.is_empty() {
            return Err(5);
        }
        Ok(job)
    }

    /// Whether it may run in a session of this type.
    pub fn is_for(&self, session: &str) -> bool {
        match &self.limit_load_to_session_type {
            None => session == "Aqua",
            Some(Value::String(only)) => only == session,
            Some(Value::Array(some)) => some.iter().any(|one| one.as_string() == Some(session)),
            Some(_) => false,
        }
    }

    pub fn is_kept_alive(&self) -> bool {
        !matches!(self.keep_alive, None | Some(Value::Boolean(false)))
    }

    /// The process as launchd starts it: little environment, streams to files.
    pub fn command(&self) -> io::Result<Command> {
        let program = self.program.as_ref().or(self.program_arguments.first());
        let mut command = Command::new(program.ok_or(io::ErrorKind::InvalidInput)?);
        command
            .args(self.program_arguments.iter().skip(1))
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .env("XPC_SERVICE_NAME", &self.label)
            .envs(&self.environment_variables)
            .stdin(Stdio::null())
            .stdout(stream(self.standard_out_path.as_deref())?)
            .stderr(stream(self.standard_error_path.as_deref())?)
            .process_group(0);
        if let Some(dir) = &self.working_directory {
            command.current_dir(dir);
        }
        if let Some(name) = &self.user_name {
            let user = User::from_name(name)?.ok_or(io::ErrorKind::NotFound)?;
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        Ok(command)
    }
}

fn stream(path: Option<&Path>) -> io::Result<Stdio> {
    match path {
        None => Ok(Stdio::null()),
        Some(path) => Ok(std::fs::File::options()
            .append(true)
            .create(true)
            .open(path)?
            .into()),
    }
}
