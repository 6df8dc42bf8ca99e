//! One run, from a colony in some state to the proof that nothing is lost.

use std::path::Path;

use nix::sys::signal::Signal;

use crate::fault::{Fault, Kind, Ongoing};
use crate::script::{Script, When};
use crate::stage::{Stage, checked};
use crate::wanted::Wanted;
use crate::{check, disk, power};

/// A run of a colony that lies where tests lie.
pub fn on_the_disk(seed: u64, kinds: &[Kind]) {
    run(&Script::draw(seed, kinds), &std::env::temp_dir());
}

/// A run of a colony on a small disk.
pub fn on_a_small_disk(seed: u64, kinds: &[Kind]) {
    let script = Script::draw(seed, kinds);
    disk::with_small(|place| run(&script, place));
}

fn run(script: &Script, place: &Path) {
    eprintln!("{script:?}");
    let mut asked = u32::try_from(script.nodes.len()).unwrap() + script.operation.adds();
    if let Fault::TwoAtOnce { other } = &script.fault {
        asked += other.adds();
    }
    let stage = Stage::set(script, asked, place);
    let mut wanted = Wanted::at(&stage);
    act(script, &stage, &mut wanted);
    stage.settle();
    check::check(&stage, &wanted);
}

/// The operation, the fault, and what the next cycles make of it while it lasts.
fn act(script: &Script, stage: &Stage, wanted: &mut Wanted) {
    let mut ongoing = Ongoing::Nothing;
    if script.when == When::Before {
        ongoing = script.fault.begin(stage);
    }
    wanted.perhaps(&script.operation);
    let operation = stage.call(script.operation.words()).spawn();
    if script.when == When::During {
        // Not to wait for anything: the time itself is what is tried.
        std::thread::sleep(script.moment);
    }
    let outcome = match &script.fault {
        Fault::Killed => operation.end_with(Signal::SIGKILL),
        Fault::PowerCut => power::cut(&stage.colony, operation),
        Fault::TwoAtOnce { other } => {
            // Before the other and, if it was done meanwhile, after it.
            wanted.perhaps(other);
            wanted.perhaps(&script.operation);
            checked(stage.call(other.words()).run());
            operation.finish()
        }
        lasting => {
            if script.when == When::During {
                ongoing = lasting.begin(stage);
            }
            operation.finish()
        }
    };
    let alone = !matches!(script.fault, Fault::PowerCut | Fault::TwoAtOnce { .. });
    if checked(outcome).code == Some(0) && alone {
        wanted.surely(&script.operation);
    }
    if script.when == When::After {
        ongoing = script.fault.begin(stage);
    }
    for _ in 0..script.cycles {
        // Whatever comes of it, it must end well.
        checked(stage.cycle(&[]).run());
    }
    drop(ongoing);
}
