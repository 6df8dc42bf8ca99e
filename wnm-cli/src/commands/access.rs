//! Opening the colony that a command is about, with what was given in force, and closing it again.

use wnm_colony::{Colony, ColonyError};
use wnm_config::StoredSettings;

use super::Context;
use crate::error::ProgramError;

/// Opens the colony to be worked on, with what was given stored.
pub async fn open(context: &Context) -> Result<Colony, ProgramError> {
    let db = context.input.database()?;
    let mut colony = Colony::open(&db, context.environment.clone()).await?;
    if let Some(lock) = colony.stale_python_lock() {
        context.output.warn(&format!(
            "{} was left by a Python wnm that is long gone; --remove-lockfile deletes it",
            lock.display()
        ));
    }
    match store_given(context, &mut colony).await {
        Ok(()) => Ok(colony),
        Err(error) => close(colony, Err(error)).await,
    }
}

/// Puts what was given into force and stores what it changes.
async fn store_given(context: &Context, colony: &mut Colony) -> Result<(), ProgramError> {
    let stored = in_force(colony).await?;
    let (StoredSettings { machine, state }, changes) = context.input.layers.apply(&stored)?;
    if changes.is_empty() {
        colony.use_machine(machine)?;
    } else {
        let by_hand = (state != stored.state).then_some(state);
        colony.store_settings(machine, by_hand, &changes).await?;
        for change in &changes {
            context.output.warn(&change.to_string());
        }
    }
    Ok(())
}

/// Opens the colony to be looked at, with what was given in force but not stored.
pub async fn view(context: &Context) -> Result<Colony, ProgramError> {
    let db = context.input.database()?;
    let mut colony = Colony::view(&db, context.environment.clone()).await?;
    let used = use_given(context, &mut colony).await;
    if let Some(missing) = colony.missing_manager() {
        context
            .output
            .warn(&format!("{missing}; this colony can only be looked at"));
    }
    match used {
        Ok(()) => Ok(colony),
        Err(error) => close(colony, Err(error)).await,
    }
}

/// Puts what was given into force.
async fn use_given(context: &Context, colony: &mut Colony) -> Result<(), ProgramError> {
    let stored = in_force(colony).await?;
    let (given, _) = context.input.layers.apply(&stored)?;
    Ok(colony.use_machine(given.machine)?)
}

/// The settings that a colony goes by, and what wnm keeps besides.
pub async fn in_force(colony: &Colony) -> Result<StoredSettings, ColonyError> {
    Ok(StoredSettings {
        machine: colony.machine().clone(),
        state: colony.machine_state().await?,
    })
}

/// Closes a colony and gives on what came of the work with it: a database that is not closed leaves files of
/// SQLite beside it.
pub async fn close<T, E: Into<ProgramError>>(
    colony: Colony,
    done: Result<T, E>,
) -> Result<T, ProgramError> {
    let closed = colony.close().await;
    let done = done.map_err(Into::into)?;
    closed?;
    Ok(done)
}
