//! Opening the colony that a command is about, with what was given in force, and closing it again.

use wnm_colony::Colony;

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
    let (machine, changes) = context.input.layers.apply(colony.machine())?;
    if changes.is_empty() {
        colony.use_machine(machine)?;
    } else {
        colony.store_machine(machine, &changes).await?;
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
    let given = context.input.layers.apply(colony.machine());
    let used = given.map_err(ProgramError::from).and_then(|(machine, _)| {
        colony.use_machine(machine)?;
        Ok(())
    });
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
