//! `--report`: prints what is recorded. Nothing is asked, sampled or changed.

use std::time::{SystemTime, UNIX_EPOCH};

use wnm_colony::Colony;
use wnm_config::stored_values;
use wnm_core::machine::ConfigValue;
use wnm_core::reports::{ReportFormat, ReportKind};
use wnm_report::{MetricsReport, NodeCounts};

use super::Context;
use super::access::{close, view};
use crate::error::ProgramError;

/// Prints one report.
pub async fn run(context: &Context, kind: ReportKind) -> Result<(), ProgramError> {
    let colony = view(context).await?;
    let format = context.input.run.report_format;
    let text = text(context, &colony, kind, format).await;
    let text = close(colony, text).await?;
    Ok(context.output.text(&text)?)
}

/// What `--show-machine-config` and `--show-machine-metrics` put in front of a run's own output.
pub async fn show_asked(context: &Context, colony: &Colony) -> Result<(), ProgramError> {
    let run = &context.input.run;
    let asked = [
        (run.show_machine_config, ReportKind::MachineConfig),
        (run.show_machine_metrics, ReportKind::MachineMetrics),
    ];
    for (wanted, kind) in asked {
        if wanted && !context.output.json {
            let text = text(context, colony, kind, ReportFormat::Text).await?;
            context.output.text(&text)?;
        }
    }
    Ok(())
}

async fn text(
    context: &Context,
    colony: &Colony,
    kind: ReportKind,
    format: ReportFormat,
) -> Result<String, ProgramError> {
    kind.check(format)?;
    let all = colony.nodes().await?;
    let nodes = wnm_report::select_nodes(&all, &context.input.service_names())?;
    Ok(match kind {
        ReportKind::NodeStatus => wnm_report::node_status(&nodes, format)?,
        ReportKind::NodeStatusDetails => wnm_report::node_status_details(&nodes, format)?,
        ReportKind::InfluxResources => wnm_report::influx_resources(&nodes, nanoseconds_now()),
        ReportKind::MachineConfig => {
            let mut values = shown_values(context, colony).await?;
            let url = format!("sqlite:///{}", colony.database().display());
            values.push(("dbpath", url.as_str().into()));
            wnm_report::machine_config(&values, format)?
        }
        ReportKind::MachineMetrics => {
            let machine = colony.machine();
            let version = context
                .environment
                .node_program()
                .version(&machine.antnode_path)
                .await
                .ok();
            let metrics = MetricsReport {
                load: &colony.last_load().await?,
                machine,
                nodes: &NodeCounts::of(&all, version.as_ref()),
                antnode: &machine.antnode_path,
                antnode_version: version.as_ref(),
            };
            wnm_report::machine_metrics(&metrics, format)?
        }
    })
}

/// The settings as they are stored, a `~` in a path among them, and over them what was given.
async fn shown_values(
    context: &Context,
    colony: &Colony,
) -> Result<Vec<(&'static str, ConfigValue)>, ProgramError> {
    let in_force = stored_values(colony.machine());
    let Some(stored) = colony.stored_machine().await? else {
        return Ok(in_force);
    };
    let layers = &context.input.layers;
    let stored = stored_values(&stored).into_iter();
    Ok(stored
        .zip(in_force)
        .map(|(stored, given)| match layers.get(given.0) {
            Some(_) => given,
            None => stored,
        })
        .collect())
}

fn nanoseconds_now() -> i128 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i128::try_from(since.as_nanos()).unwrap_or(i128::MAX),
        Err(_) => 0,
    }
}
