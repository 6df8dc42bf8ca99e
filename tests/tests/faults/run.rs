//! One run, from a colony in some state to the proof that nothing is lost.

use std::path::Path;

use fastrand::Rng;
use nix::sys::signal::Signal;

use crate::fault::{Fault, Kind, Ongoing};
use crate::outcome::checked;
use crate::script::{Script, When};
use crate::stage::Stage;
use crate::wanted::Wanted;
use crate::{check, disk, power};

/// A run of a colony that lies where tests lie.
pub fn on_the_disk(seed: u64, kinds: &[Kind]) {
    run(seed, kinds, &std::env::temp_dir());
}

/// A run of a colony on a small disk.
pub fn on_a_small_disk(seed: u64, kinds: &[Kind]) {
    disk::with_small(|place| run(seed, kinds, place));
}

fn run(seed: u64, kinds: &[Kind], place: &Path) {
    // Other faults with the same seed are to be other runs altogether.
    let mut rng = Rng::with_seed(seed ^ (kinds[0] as u64) << 48);
    let mut script = Script::draw(&mut rng);
    let fault = Fault::draw(kinds, &mut rng, script.count());
    script.when = fault.when(script.when);
    eprintln!("{seed}: {fault:?} in {script:?}");
    let other = match &fault {
        Fault::TwoAtOnce { other } => other.adds(),
        _ => 0,
    };
    let ceiling = script.count() + script.operation.adds() + other;
    let stage = Stage::set(&script, ceiling, place);
    let mut wanted = Wanted::as_it_is(stage.seen());
    act(&script, &fault, &stage, &mut wanted);
    stage.settle();
    check::check(&stage, &wanted);
}

/// The operation, the fault, and what the next cycles make of it while it lasts.
fn act(script: &Script, fault: &Fault, stage: &Stage, wanted: &mut Wanted) {
    let mut ongoing = Ongoing::Nothing;
    if script.when == When::Before {
        ongoing = fault.begin(stage);
    }
    wanted.perhaps(&script.operation);
    let operation = stage.call(script.operation.words()).spawn();
    if script.when == When::During {
        // Not to wait for anything: the time itself is what is tried.
        std::thread::sleep(script.moment);
    }
    let outcome = match fault {
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
    eprintln!("the operation ended with {:?}", outcome.code);
    let alone = !matches!(fault, Fault::PowerCut | Fault::TwoAtOnce { .. });
    if checked(outcome).code == Some(0) && alone {
        wanted.surely(&script.operation);
    }
    if script.when == When::After {
        ongoing = fault.begin(stage);
    }
    for _ in 0..script.cycles {
        // Whatever comes of it, it must end well.
        checked(stage.cycle(&[]).run());
    }
    drop(ongoing);
}
