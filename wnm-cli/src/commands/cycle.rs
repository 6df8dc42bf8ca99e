//! One cycle, as cron calls it.

use serde_json::{Value, json};
use wnm_core::colony::{Colony, CycleOptions, CycleReport};
use wnm_core::decide::Act;
use wnm_core::event::Outcome;
use wnm_core::node::{NodeId, Status};
use wnm_core::report::{self, CycleSummary};

use super::{Context, plan, report as reports};
use crate::error::ProgramError;

/// Runs it.
pub async fn run(context: &Context) -> Result<(), ProgramError> {
    if context.input.run.dry_run {
        return plan::now(context).await;
    }
    let mut colony = open(context).await?;
    reports::show_asked(context, &colony).await?;
    let mut options = CycleOptions::from(&context.input.run);
    let most = colony.machine().limits.operations;
    options.progress = context.output.progress(most as usize);
    let done = colony.cycle(&options).await?;
    colony.close().await?;
    tell(context, &done)
}

/// Opens the colony to be worked on, with what was given stored.
pub async fn open(context: &Context) -> Result<Colony, ProgramError> {
    let db = context.input.database()?;
    let mut colony = Colony::open(&db, context.outside.clone()).await?;
    if let Some(lock) = colony.stale_python_lock() {
        context.output.warn(&format!(
            "{} was left by a Python wnm that is long gone; --remove-lockfile deletes it",
            lock.display()
        ));
    }
    let (machine, changes) = context.input.layers.apply(colony.machine())?;
    if changes.is_empty() {
        colony.use_machine(machine)?;
    } else {
        colony.store_machine(machine, &changes).await?;
        for change in &changes {
            context.output.warn(&change.to_string());
        }
    }
    Ok(colony)
}

/// Opens the colony to be looked at, with what was given in force but not stored.
pub async fn view(context: &Context) -> Result<Colony, ProgramError> {
    let db = context.input.database()?;
    let mut colony = Colony::view(&db, context.outside.clone()).await?;
    let (machine, _) = context.input.layers.apply(colony.machine())?;
    colony.use_machine(machine)?;
    Ok(colony)
}

/// Tells what came of it, and fails where a step did.
pub fn tell(context: &Context, done: &CycleReport) -> Result<(), ProgramError> {
    let run = &context.input.run;
    if (run.show_decisions || run.verbosity > 0) && !context.output.json {
        context
            .output
            .text(&report::plan(&done.snapshot, &done.plan))?;
    }
    context.output.outcome(&text(done), &as_json(done))?;
    let failed = done
        .results
        .iter()
        .filter(|r| r.outcome == Outcome::Failed)
        .count();
    if failed > 0 {
        return Err(ProgramError::StepsFailed {
            failed,
            steps: done.results.len(),
        });
    }
    Ok(())
}

/// One line, and one more for each step that failed.
fn text(done: &CycleReport) -> String {
    let steps: Vec<(Act, NodeId, Outcome)> = done
        .results
        .iter()
        .map(|result| (result.step.act, result.step.node, result.outcome))
        .collect();
    let held_back: Vec<String> = done
        .plan
        .held_back
        .iter()
        .map(ToString::to_string)
        .collect();
    let running = done
        .nodes
        .iter()
        .filter(|node| node.status() == Status::Running)
        .count();
    let mut text = report::cycle_summary(&CycleSummary {
        status: done.status.word(),
        running: u32::try_from(running).unwrap_or(u32::MAX),
        total: u32::try_from(done.nodes.len()).unwrap_or(u32::MAX),
        cap: done.snapshot.machine.node_cap,
        steps: &steps,
        held_back: &held_back,
    });
    for warning in &done.plan.warnings {
        text.push_str(&format!("\nwarning: {warning}"));
    }
    for result in &done.results {
        if let Some(error) = &result.error {
            let node = result.step.node.directory_name();
            text.push_str(&format!("\n{} {node}: {error}", result.step.act.word()));
        }
    }
    text
}

fn as_json(done: &CycleReport) -> Value {
    let steps: Vec<Value> = done
        .results
        .iter()
        .map(|result| {
            json!({
                "node": result.step.node.directory_name(),
                "act": result.step.act.word(),
                "outcome": result.outcome,
                "reason": result.step.reason.to_string(),
                "error": result.error,
            })
        })
        .collect();
    let texts = |reasons: &[wnm_core::decide::Reason]| -> Vec<String> {
        reasons.iter().map(ToString::to_string).collect()
    };
    json!({
        "status": done.status.word(),
        "running": done.nodes.iter().filter(|node| node.status() == Status::Running).count(),
        "total": done.nodes.len(),
        "cap": done.snapshot.machine.node_cap,
        "steps": steps,
        "held_back": texts(&done.plan.held_back),
        "warnings": texts(&done.plan.warnings),
    })
}
