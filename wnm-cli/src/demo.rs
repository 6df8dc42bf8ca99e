//! `wnm demo`: a colony of simulated nodes in a temporary directory, live in the terminal.

mod machine;
mod scenes;
mod screen;
mod stage;

use crate::error::ProgramError;

/// Runs the demonstration to its end, or until it is interrupted. Either way nothing is left of it.
pub async fn run() -> Result<(), ProgramError> {
    let mut stage = stage::Stage::set().await?;
    let played = tokio::select! {
        played = scenes::play(&mut stage) => played,
        signal = interrupted() => signal.map(|()| screen::note("interrupted: cleaning up")),
    };
    stage.clear().await?;
    played
}

/// Returns at the first signal that asks a program to end.
async fn interrupted() -> Result<(), ProgramError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt?,
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}
