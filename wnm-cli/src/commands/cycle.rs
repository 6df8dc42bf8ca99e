//! One cycle, as cron calls it.

use wnm_core::cycle::{CycleReport, StepResult};
use wnm_core::decide::Act;
use wnm_core::event::Outcome;
use wnm_core::id::NodeId;
use wnm_core::node::Status;
use wnm_report::CycleSummary;

use super::access::{close, open};
use super::{Context, plan, report as reports};
use crate::documents::Cycle;
use crate::error::ProgramError;
use crate::progress::{LOOKING, Watched};

/// Most warnings in a run that cron may mail every minute. A taken range of ports gives one for each number.
const MOST_WARNINGS: usize = 3;

/// Runs it.
pub async fn run(context: &Context) -> Result<(), ProgramError> {
    if context.input.run.dry_run {
        return plan::now(context).await;
    }
    let mut colony = open(context).await?;
    if let Err(error) = reports::show_asked(context, &colony).await {
        return close(colony, Err(error)).await;
    }
    let mut options = context.input.cycle_options();
    let watched = Watched::begin(&context.output, LOOKING);
    options.progress = watched.progress();
    let done = colony.cycle(&options).await;
    drop(watched);
    let done = close(colony, done).await?;
    tell(context, &done)
}

/// Tells what came of it, and fails where a step did.
pub fn tell(context: &Context, done: &CycleReport) -> Result<(), ProgramError> {
    let run = &context.input.run;
    let shown = (run.show_decisions || run.verbosity > 0) && !context.output.json;
    if shown {
        context
            .output
            .text(&wnm_report::plan(&done.snapshot, &done.plan))?;
    }
    let document = Cycle::of(done, running(done), under_way(done));
    context.output.outcome(&text(done, shown), &document)?;
    let machine = done.machine_results.iter().map(|result| result.outcome);
    let outcomes = machine.chain(done.results.iter().map(|result| result.outcome));
    let failed = outcomes
        .filter(|outcome| *outcome == Outcome::Failed)
        .count();
    if failed > 0 {
        return Err(ProgramError::StepsFailed {
            failed,
            steps: done.machine_results.len() + done.results.len(),
        });
    }
    Ok(())
}

/// One line, and one more for each warning that a plan did not show before and for each thing that went wrong.
fn text(done: &CycleReport, plan_shown: bool) -> String {
    let steps: Vec<(Act, NodeId, Outcome)> = done
        .results
        .iter()
        .map(|result| (result.step.act, result.step.node, result.outcome))
        .collect();
    let held_back = wnm_report::held_back(&done.plan.held_back);
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let mut text = wnm_report::cycle_summary(&CycleSummary {
        status: done.status.as_str(),
        running: count(running(done)),
        total: count(done.nodes.len()),
        under_way: count(under_way(done)),
        cap: done.snapshot.machine.node_cap,
        steps: &steps,
        held_back: &held_back,
    });
    let warnings = if plan_shown {
        &[]
    } else {
        done.plan.warnings.as_slice()
    };
    for warning in warnings.iter().take(MOST_WARNINGS) {
        text.push_str(&format!("\nwarning: {warning}"));
    }
    if let Some(more @ 1..) = warnings.len().checked_sub(MOST_WARNINGS) {
        text.push_str(&format!(
            "\nwarning: {more} more of that kind; wnm plan lists them"
        ));
    }
    for result in &done.machine_results {
        // The steps that needed it say the same.
        let told = |step: &StepResult| step.error == result.error;
        if let Some(error) = result
            .error
            .as_ref()
            .filter(|_| !done.results.iter().any(told))
        {
            let on = result.step.act.to_string();
            // Some errors begin with it.
            match error.starts_with(&on) {
                true => text.push_str(&format!("\n{error}")),
                false => text.push_str(&format!("\n{on}: {error}")),
            }
        }
    }
    let failures: Vec<(Act, NodeId, &str)> = done
        .results
        .iter()
        .filter_map(|result| {
            let error = result.error.as_deref()?;
            Some((result.step.act, result.step.node, error))
        })
        .collect();
    for line in wnm_report::cycle_failures(&failures) {
        text.push('\n');
        text.push_str(&line);
    }
    text
}

fn running(done: &CycleReport) -> usize {
    done.nodes
        .iter()
        .filter(|node| node.status() == Status::Running)
        .count()
}

/// Nodes between two states, of which the line would otherwise say nothing.
fn under_way(done: &CycleReport) -> usize {
    let moving = [
        Status::Restarting,
        Status::Stopping,
        Status::Upgrading,
        Status::Migrating,
        Status::Removing,
    ];
    done.nodes
        .iter()
        .filter(|node| moving.contains(&node.status()))
        .count()
}
