//! `--import` and `--migrate-anm`: takes over the nodes that are there.

mod words;

use std::path::Path;

use wnm_colony::Colony;
use wnm_colony::takeover::{Adoption, FoundSetting, anm, infer_launch_settings, infer_settings};
use wnm_config::MachineFacts;
use wnm_core::cycle::CycleStatus;
use wnm_core::machine::Machine;
use wnm_core::machine::Source;

use self::words::Taken;
use super::Context;
use super::access::{close, open, view};
use super::init::Lines;
use crate::error::ProgramError;
use crate::input::Input;

/// Makes a colony of what is there: `--init` with `--import` or `--migrate-anm`.
pub async fn into_new(context: &Context) -> Result<(), ProgramError> {
    let environment = &context.environment;
    let db = context.input.database()?;
    Colony::check_not_initialized(&db).await?;
    let Sight {
        machine,
        adoption,
        settings,
        cap_raised,
    } = sight(context).await?;
    Colony::check_init(&db, &machine, environment).await?;
    let taken = Taken {
        adoption: &adoption,
        settings: &settings,
        anm: context.input.anm.as_ref(),
        cap_raised_to: cap_raised.then_some(machine.node_cap),
    };
    let lines = Lines::of(context, &machine, &db);
    if context.input.run.dry_run {
        let text = format!("{}{}", lines.what("would make"), taken.would());
        let document = taken.document("system-initialized-dryrun", Some(&db));
        return Ok(context.output.outcome(&text, &document)?);
    }
    make(context, &db, machine, &adoption).await?;
    let text = format!("{}{}{}", lines.what("made"), taken.did(), lines.next());
    let status = CycleStatus::SystemInitialized.as_str();
    let document = taken.document(status, Some(&db));
    Ok(context.output.outcome(&text, &document)?)
}

/// The colony to be.
struct Sight {
    /// Its settings.
    machine: Machine,
    /// Its nodes.
    adoption: Adoption,
    /// Those of the settings that were read off the nodes.
    settings: Vec<FoundSetting>,
    /// Whether the cap was raised so that no node is over it.
    cap_raised: bool,
}

async fn sight(context: &Context) -> Result<Sight, ProgramError> {
    let (input, environment) = (&context.input, &context.environment);
    let facts = Input::facts(environment);
    // Who is rewarded can be found too, so that for looking anyone will do.
    let anyone = input.layers.clone();
    let anyone = anyone.found("rewards_address", "faucet", Source::Nodes);
    let scouting = anyone.initial_machine(&facts)?;
    check_manager(context, &scouting)?;
    let found = Colony::scout(&scouting, environment).await?;
    let mut settings = infer_settings(&found);
    settings.extend(infer_launch_settings(&found));
    let count = found.len();
    let mut machine = settled(context, &facts, &settings)?;
    let sure = input.run.confirm;
    let adoption = Colony::sight_for(&machine, environment, found, sure).await?;
    let cap_raised = room_for(context, &mut machine, count)?;
    // What was given wins, and then nothing was read off the nodes.
    settings.retain(|(name, _)| context.input.layers.get(name).is_none());
    Ok(Sight {
        machine,
        adoption,
        settings,
        cap_raised,
    })
}

/// The settings with what the nodes tell under what was given.
fn settled(
    context: &Context,
    facts: &MachineFacts,
    settings: &[FoundSetting],
) -> Result<Machine, ProgramError> {
    let layers = settings
        .iter()
        .fold(context.input.layers.clone(), |layers, (name, value)| {
            layers.found(name, value.as_str(), Source::Nodes)
        });
    Ok(layers.initial_machine(facts)?)
}

/// anm's nodes are units of the machine's systemd, whatever else there is.
fn check_manager(context: &Context, machine: &Machine) -> Result<(), ProgramError> {
    if context.input.anm.is_none() || machine.manager == anm::MANAGER {
        return Ok(());
    }
    Err(ProgramError::Usage(format!(
        "--migrate-anm: nodes of anm are units of the machine's systemd; give --process-manager {} or leave it out",
        anm::MANAGER
    )))
}

/// Sees to it that the first cycle removes no node for the cap. One that a person gives is theirs; one that
/// stood in a file of anm is raised.
fn room_for(context: &Context, machine: &mut Machine, count: usize) -> Result<bool, ProgramError> {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let source = context
        .input
        .layers
        .get("node_cap")
        .map(|(_, source)| source);
    let from_anm = |path: &Path| {
        let anm = context.input.anm.as_ref();
        anm.is_some_and(|anm| {
            anm.settings
                .values
                .iter()
                .any(|setting| setting.path == path)
        })
    };
    let given = match source {
        Some(Source::File { path, .. }) => !from_anm(path),
        Some(Source::CommandLine | Source::Environment) => true,
        _ => false,
    };
    if count <= machine.node_cap {
        return Ok(false);
    }
    if given {
        refuse_unless_sure(context, count, machine.node_cap)?;
        return Ok(false);
    }
    machine.node_cap = count;
    Ok(true)
}

fn refuse_unless_sure(context: &Context, nodes: u32, cap: u32) -> Result<(), ProgramError> {
    if context.input.run.confirm {
        return Ok(());
    }
    Err(ProgramError::Usage(format!(
        "there would be {nodes} nodes, and with a cap of {cap} the next cycle would remove {} with their data: give \
         --node-cap {nodes}, or --confirm if that is meant",
        nodes.saturating_sub(cap)
    )))
}

/// Makes the colony, with anm silenced before and given back its line of cron if that fails.
async fn make(
    context: &Context,
    db: &Path,
    machine: Machine,
    adoption: &Adoption,
) -> Result<(), ProgramError> {
    let environment = &context.environment;
    let silenced = match &context.input.anm {
        Some(anm) => Some(Colony::silence_anm(&anm.found, &machine, environment).await?),
        None => None,
    };
    let made = match Colony::init_with(db, machine, adoption, environment.clone()).await {
        Ok(colony) => close(colony, Ok::<(), ProgramError>(())).await,
        Err(error) => Err(error.into()),
    };
    if let (Err(_), Some(anm)) = (&made, silenced) {
        anm.give_back().await?;
    }
    made
}

/// Adopts what an existing colony does not know: `--import` alone.
pub async fn into_existing(context: &Context) -> Result<(), ProgramError> {
    let dry = context.input.run.dry_run;
    let mut colony = if dry {
        view(context).await?
    } else {
        open(context).await?
    };
    let adopted = adopt_more(context, &mut colony, dry).await;
    let adoption = close(colony, adopted).await?;
    let taken = Taken {
        adoption: &adoption,
        settings: &[],
        anm: None,
        cap_raised_to: None,
    };
    let text = if dry { taken.would() } else { taken.did() };
    let status = if dry { "adopted-dryrun" } else { "adopted" };
    let document = taken.document(status, None);
    Ok(context.output.outcome(text.trim_start(), &document)?)
}

async fn adopt_more(
    context: &Context,
    colony: &mut Colony,
    dry: bool,
) -> Result<Adoption, ProgramError> {
    let adoption = colony.find_nodes().await?;
    if !adoption.nodes.is_empty() {
        let kept = colony
            .nodes()
            .await?
            .iter()
            .filter(|node| node.is_kept())
            .count();
        let nodes = u32::try_from(kept + adoption.nodes.len()).unwrap_or(u32::MAX);
        let cap = colony.machine().node_cap;
        if nodes > cap {
            refuse_unless_sure(context, nodes, cap)?;
        }
    }
    if !dry {
        colony.adopt(&adoption).await?;
    }
    Ok(adoption)
}
