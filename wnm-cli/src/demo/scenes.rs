use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};
use wnm_core::cycle::CycleReport;
use wnm_core::node::{Node, Status};

use super::screen;
use super::stage::{CAP, Stage, VERSIONS};
use crate::error::ProgramError;

/// How often a cycle runs: once a minute in life, fast enough to watch here.
const BEAT: Duration = Duration::from_millis(700);

/// Cycles a scene may take before it is given up. Each needs about a dozen.
const LONGEST_SCENE: u32 = 60;

/// How busy the pretended processors are: idle, between the thresholds, and above the upper one.
const CALM: u32 = 25;
const BUSY: u32 = 60;
const OVERLOADED: u32 = 85;

/// Plays all scenes.
pub async fn play(stage: &mut Stage) -> Result<(), ProgramError> {
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);

    screen::title(
        "A colony of simulated nodes. Every line is one cycle: look, decide, act, record.",
    );
    screen::legend();

    screen::title(&format!(
        "1. Nothing runs yet. Nodes are added up to the cap of {CAP}."
    ));
    stage.set_cpu(CALM);
    until(stage, &mut beat, false, all_running).await?;

    screen::title("2. A node dies. The next cycle sees it and brings it back.");
    let victim = kill_one(stage, &mut beat).await?;
    screen::note(&format!(
        "killed the process of {}",
        victim.id.directory_name()
    ));
    stage.set_cpu(BUSY);
    watch(stage, &mut beat).await?;
    until(stage, &mut beat, false, all_running).await?;

    screen::title(&format!(
        "3. {} is out. Nodes are upgraded two at a time.",
        VERSIONS[1]
    ));
    stage.set_cpu(CALM);
    stage.publish_upgrade()?;
    until(stage, &mut beat, true, |report| {
        all_running(report) && all_of_version(report)
    })
    .await?;

    screen::title(
        "4. Something else needs the processors. The youngest node is stopped, not removed.",
    );
    stage.set_cpu(OVERLOADED);
    until(stage, &mut beat, false, |report| {
        count(report, Status::Stopped) > 0
    })
    .await?;
    screen::note("the load falls, but not below the threshold for adding: nothing changes");
    stage.set_cpu(BUSY);
    watch(stage, &mut beat).await?;
    watch(stage, &mut beat).await?;
    screen::note("now it does");
    stage.set_cpu(CALM);
    until(stage, &mut beat, false, all_running).await?;

    screen::title("That is all. Nodes, directories and database are deleted.");
    Ok(())
}

async fn cycle(
    stage: &mut Stage,
    beat: &mut Interval,
    upgrades: bool,
) -> Result<CycleReport, ProgramError> {
    beat.tick().await;
    let report = stage.cycle(upgrades).await?;
    screen::cycle(&report);
    Ok(report)
}

/// One cycle of which nothing is expected but what is shown.
async fn watch(stage: &mut Stage, beat: &mut Interval) -> Result<(), ProgramError> {
    cycle(stage, beat, false).await.map(drop)
}

async fn until(
    stage: &mut Stage,
    beat: &mut Interval,
    upgrades: bool,
    reached: impl Fn(&CycleReport) -> bool,
) -> Result<(), ProgramError> {
    for _ in 0..LONGEST_SCENE {
        if reached(&cycle(stage, beat, upgrades).await?) {
            return Ok(());
        }
    }
    Err(ProgramError::Usage(
        "the demonstration did not get on; this machine is too busy".into(),
    ))
}

async fn kill_one(stage: &mut Stage, beat: &mut Interval) -> Result<Node, ProgramError> {
    let report = cycle(stage, beat, false).await?;
    for node in report.nodes {
        if stage.kill(&node).await? {
            return Ok(node);
        }
    }
    Err(ProgramError::Usage("no node runs any more".into()))
}

fn all_running(report: &CycleReport) -> bool {
    count(report, Status::Running) == CAP as usize
}

fn all_of_version(report: &CycleReport) -> bool {
    report.nodes.iter().all(|node| {
        node.version
            .as_ref()
            .is_some_and(|version| version.to_string() == VERSIONS[1])
    })
}

fn count(report: &CycleReport, status: Status) -> usize {
    report
        .nodes
        .iter()
        .filter(|node| node.status() == status)
        .count()
}
