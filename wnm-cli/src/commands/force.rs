//! `--force-action`: what a person makes wnm do.

use wnm_colony::Colony;
use wnm_config::ForceAction;
use wnm_core::cycle::CycleStatus;
use wnm_core::decide::{ForcedAction, ForcedRequest};
use wnm_core::id::NodeId;

use super::access::{close, open, view};
use super::{Context, cycle, plan};
use crate::documents::{Done, DryAction, Message, TornDown};
use crate::error::ProgramError;
use crate::progress::{LOOKING, Watched};

/// Does it, or with `--dry-run` says what would be done.
pub async fn run(context: &Context, action: ForceAction) -> Result<(), ProgramError> {
    if context.input.run.dry_run {
        return dry(context, action).await;
    }
    match action {
        ForceAction::Nodes(action) => nodes(context, action).await,
        ForceAction::Survey => {
            let mut colony = open(context).await?;
            let watched = Watched::begin(&context.output, LOOKING);
            let done = colony.survey(&context.input.cycle_options()).await;
            drop(watched);
            let done = close(colony, done).await?;
            cycle::tell(context, &done)
        }
        ForceAction::Teardown => teardown(context).await,
        ForceAction::DatabaseMigration => migrate(context).await,
        ForceAction::Nullop | ForceAction::UpdateConfig | ForceAction::DisableConfig => {
            open(context).await?.close().await?;
            let document = Done {
                status: action.word(),
            };
            Ok(context.output.outcome("settings are stored", &document)?)
        }
    }
}

async fn nodes(context: &Context, action: ForcedAction) -> Result<(), ProgramError> {
    let mut colony = open(context).await?;
    let request = match request(context, &colony, action).await {
        Ok(request) => request,
        Err(error) => return close(colony, Err(error)).await,
    };
    let mut options = context.input.cycle_options();
    let watched = Watched::begin(&context.output, LOOKING);
    options.progress = watched.progress();
    let done = colony.force(&request, &options).await;
    drop(watched);
    let done = close(colony, done).await?;
    cycle::tell(context, &done)
}

async fn request(
    context: &Context,
    colony: &Colony,
    action: ForcedAction,
) -> Result<ForcedRequest, ProgramError> {
    let names = context.input.service_names();
    let mut nodes: Vec<NodeId> = Vec::new();
    if !names.is_empty() {
        let all = colony.nodes().await?;
        for node in wnm_report::select_nodes(&all, &names)? {
            if !nodes.contains(&node.id) {
                nodes.push(node.id);
            }
        }
    }
    Ok(ForcedRequest {
        action,
        nodes,
        count: context.input.run.count,
    })
}

async fn teardown(context: &Context) -> Result<(), ProgramError> {
    let mut colony = open(context).await?;
    let watched = Watched::begin(&context.output, "removing all nodes");
    let torn_down = colony.teardown(context.input.run.confirm).await;
    drop(watched);
    let torn_down = close(colony, torn_down).await?;
    let status = CycleStatus::ClusterTeardown.as_str();
    let text = match torn_down.removed {
        0 => "there were no nodes to remove".to_owned(),
        1 => "1 node removed with its data".to_owned(),
        removed => format!("{removed} nodes removed with their data"),
    };
    let document = TornDown {
        status,
        removed_count: torn_down.removed,
    };
    Ok(context.output.outcome(&text, &document)?)
}

/// Opening brings a database up to date; here it is only said.
async fn migrate(context: &Context) -> Result<(), ProgramError> {
    if !context.input.run.confirm {
        return Err(ProgramError::Usage(
            "wnm-db-migration changes the database (a copy is made first): add --confirm"
                .to_owned(),
        ));
    }
    open(context).await?.close().await?;
    let message = "the database is up to date";
    let document = Message {
        status: "wnm-db-migration",
        message,
    };
    Ok(context.output.outcome(message, &document)?)
}

async fn dry(context: &Context, action: ForceAction) -> Result<(), ProgramError> {
    let colony = view(context).await?;
    let options = context.input.cycle_options();
    if let ForceAction::Nodes(action) = action {
        let watched = Watched::begin(&context.output, LOOKING);
        let planned = match request(context, &colony, action).await {
            Ok(request) => colony
                .plan_forced(&request, &options)
                .await
                .map_err(Into::into),
            Err(error) => Err(error),
        };
        drop(watched);
        let (snapshot, decided) = close(colony, planned).await?;
        return plan::tell(context.output, &snapshot, &decided);
    }
    let nodes = colony.nodes().await;
    let nodes = close(colony, nodes).await?.len();
    let text = match action {
        ForceAction::Teardown => format!("would remove {nodes} nodes with their data"),
        ForceAction::Survey => format!("would look at {nodes} nodes"),
        _ => "would store the settings that were given".to_owned(),
    };
    let status = format!("{}-dryrun", action.word());
    let document = DryAction {
        status: &status,
        nodes,
    };
    Ok(context.output.outcome(&text, &document)?)
}
