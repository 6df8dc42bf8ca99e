//! A file per command: what it takes, what it does, what it says.

mod cycle;
mod events;
mod force;
mod init;
mod lockfile;
mod plan;
mod report;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::ArgMatches;
use clap::error::ErrorKind;
use wnm_core::colony::Outside;

use crate::error::ProgramError;
use crate::input::Input;
use crate::output::{self, Output};
use crate::{cli, demo, managers};

/// Everything a command is given.
struct Context {
    input: Input,
    output: Output,
    outside: Outside,
}

/// Reads the command line, does what it says, tells how it went.
pub fn run() -> ExitCode {
    let matches = match cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return usage(&error),
    };
    let wants_json = std::env::args_os().any(|arg| arg == "--json" || arg == "--json=true");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(ProgramError::from);
    match runtime.and_then(|runtime| runtime.block_on(dispatch(&matches))) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough: `wnm events | head`.
        Err(ProgramError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            // Without standard output and standard error there is nobody left to tell.
            let _told = output::failure(wants_json, &error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(matches: &ArgMatches) -> Result<(), ProgramError> {
    match matches.subcommand() {
        Some(("completions", given)) => return completions(given),
        Some(("demo", _)) => return demo::run().await,
        // A plan on a snapshot from a file needs no settings and no database.
        Some(("plan", given)) if given.contains_id(cli::SNAPSHOT) => {
            return plan::on_snapshot(given);
        }
        _ => {}
    }
    if matches
        .get_one::<String>("version")
        .is_some_and(|value| value == "true")
    {
        return Ok(Output {
            json: false,
            quiet: false,
        }
        .text(&format!("wnm {}", env!("CARGO_PKG_VERSION")))?);
    }
    let input = Input::read(matches)?;
    output::start_log(&input.run);
    let context = Context {
        output: Output::new(&input.run),
        input,
        outside: Outside::system(Arc::new(managers::build)),
    };
    match matches.subcommand() {
        Some(("plan", _)) => plan::now(&context).await,
        Some(("events", given)) => events::run(&context, given).await,
        _ => by_option(&context).await,
    }
}

/// Without a command, options say what a run is for.
async fn by_option(context: &Context) -> Result<(), ProgramError> {
    let run = &context.input.run;
    if run.remove_lockfile {
        return lockfile::remove(context);
    }
    if run.dockerfile {
        return Err(ProgramError::Usage(
            "--dockerfile belongs to s6overlay+user, which this wnm was built without".to_owned(),
        ));
    }
    if run.migrate_anm {
        return Err(ProgramError::Usage(
            "--migrate-anm takes over systemd units, and this wnm was built without systemd; \
             nothing was changed"
                .to_owned(),
        ));
    }
    if run.init {
        return init::run(context).await;
    }
    match (run.force_action, run.report) {
        (Some(action), report) => {
            force::run(context, action).await?;
            match report {
                Some(kind) => report::run(context, kind).await,
                None => Ok(()),
            }
        }
        (None, Some(kind)) => report::run(context, kind).await,
        (None, None) => cycle::run(context).await,
    }
}

fn completions(given: &ArgMatches) -> Result<(), ProgramError> {
    if let Some(shell) = given.get_one::<clap_complete::Shell>(cli::SHELL) {
        clap_complete::generate(*shell, &mut cli::command(), "wnm", &mut io::stdout());
    }
    Ok(())
}

/// Help is an answer; anything else clap says is a refusal, which is exit code 1 here as for every refusal.
fn usage(error: &clap::Error) -> ExitCode {
    // A failure to print has nowhere to be told.
    let _printed = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
