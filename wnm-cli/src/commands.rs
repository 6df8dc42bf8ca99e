//! A file per command: what it takes, what it does, what it says.

mod access;
mod cycle;
mod dockerfile;
mod doctor;
mod events;
mod export;
mod force;
mod init;
mod lockfile;
mod plan;
mod release;
mod report;
mod takeover;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::ArgMatches;
use clap::error::ErrorKind;
use wnm_colony::Environment;
use wnm_config::OptionTable;

use crate::cli::Help;
use crate::error::ProgramError;
use crate::input::Input;
use crate::output::{self, Output};
use crate::{cli, demo, documents, managers, usage};

/// Everything a command is given.
struct Context {
    input: Input,
    output: Output,
    environment: Environment,
}

/// Reads the command line, does what it says, tells how it went.
pub fn run() -> ExitCode {
    // Until the settings are read, the words themselves tell in which form a failure is wanted.
    let mut json = std::env::args_os().any(|arg| arg == "--json" || arg == "--json=true");
    match by_words(&mut json) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough: `wnm events | head`.
        Err(ProgramError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            // Without standard output and standard error there is nobody left to tell.
            let _told = output::failure(json, &error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn by_words(json: &mut bool) -> Result<(), ProgramError> {
    let all = std::env::args_os().any(|arg| arg == "--help");
    let help = if all { Help::All } else { Help::EveryDay };
    let options = OptionTable::new(&managers::registry(None));
    let matches = match cli::command(&options, help).try_get_matches() {
        Ok(matches) => matches,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => return Ok(error.print()?),
        Err(error) => return Err(ProgramError::Usage(usage::words(&options, &error))),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(dispatch(options, &matches, json))
}

async fn dispatch(
    options: OptionTable,
    matches: &ArgMatches,
    json: &mut bool,
) -> Result<(), ProgramError> {
    match matches.subcommand() {
        Some(("completions", given)) => return completions(&options, given),
        Some(("demo", _)) => return demo::run().await,
        // A plan on a snapshot from a file needs no settings and no database.
        Some(("plan", given)) if given.contains_id(cli::SNAPSHOT) => {
            return plan::on_snapshot(&options, given);
        }
        _ => {}
    }
    if matches
        .get_one::<String>("version")
        .is_some_and(|value| value == "true")
    {
        return version(*json);
    }
    let input = Input::read(options, matches)?;
    *json = input.run.json;
    output::start_log(&input.run);
    let managers = managers::registry(input.run.rust_backtrace.clone());
    let context = Context {
        output: Output::new(&input.run),
        input,
        environment: Environment::system(managers, managers::programs()),
    };
    match matches.subcommand() {
        Some(("plan", _)) => plan::now(&context).await,
        Some(("events", given)) => events::run(&context, given).await,
        Some(("doctor", given)) => doctor::run(&context, given).await,
        Some(("export", given)) => export::run(&context, given).await,
        Some(("release", _)) => release::run(&context).await,
        _ => by_option(&context).await,
    }
}

fn version(json: bool) -> Result<(), ProgramError> {
    let version = env!("CARGO_PKG_VERSION");
    let document = documents::Version {
        status: "version",
        version,
    };
    Ok(Output { json, quiet: false }.outcome(&format!("wnm {version}"), &document)?)
}

/// Without a command, options say what a run is for.
async fn by_option(context: &Context) -> Result<(), ProgramError> {
    let run = &context.input.run;
    if run.remove_lockfile {
        return lockfile::remove(context);
    }
    if run.dockerfile {
        return dockerfile::print(context);
    }
    if run.migrate_anm && !run.init {
        return Err(ProgramError::Usage(
            "--migrate-anm makes a colony of anm's nodes: add --init".to_owned(),
        ));
    }
    if run.init {
        return init::run(context).await;
    }
    if run.import {
        return takeover::into_existing(context).await;
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

fn completions(options: &OptionTable, given: &ArgMatches) -> Result<(), ProgramError> {
    let Some(shell) = given.get_one::<clap_complete::Shell>(cli::SHELL) else {
        return Ok(());
    };
    // Not straight to standard output: clap_complete panics where that ends early.
    let mut script = Vec::new();
    clap_complete::generate(
        *shell,
        &mut cli::command(options, Help::All),
        "wnm",
        &mut script,
    );
    let mut out = io::stdout().lock();
    out.write_all(&script)?;
    Ok(out.flush()?)
}
