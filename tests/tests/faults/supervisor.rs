//! The same with units of a user's systemd: it goes away, hangs, or cannot be found.

mod silence;
mod stage;

use fastrand::Rng;
use wnm_tests::wait::LONG;

use crate::outcome::checked;
use crate::script::{Script, When};
use crate::wanted::Wanted;
use silence::{Ongoing, Silence};
use stage::Stage;

/// A call waits for a systemd that hangs until it is sure, several times over.
const DEADLINE: std::time::Duration = LONG.saturating_mul(10);

/// One run in a system of its own.
pub fn run(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut script = Script::draw(&mut rng);
    let silence = Silence::draw(&mut rng);
    script.when = silence.when(script.when);
    eprintln!("{seed}: {silence:?} in {script:?}");
    let ceiling = script.count() + script.operation.adds();
    let Some(stage) = Stage::set(&script, ceiling) else {
        return;
    };
    let mut wanted = Wanted::as_it_is(stage.seen());
    act(&script, &silence, &stage, &mut wanted);
    stage.settle();
    stage.inside.check_agreement();
    stage.check_database();
    wanted.check(stage.seen());
}

/// The operation, the silence, and what the next cycles make of it while it lasts.
fn act(script: &Script, silence: &Silence, stage: &Stage, wanted: &mut Wanted) {
    let mut ongoing = Ongoing::nothing(stage);
    if script.when == When::Before {
        ongoing = silence.begin(stage);
    }
    wanted.perhaps(&script.operation);
    let words = script.operation.words();
    let operation = silence.call(stage, &words).within(DEADLINE).spawn();
    if script.when == When::During {
        // Not to wait for anything: the time itself is what is tried.
        std::thread::sleep(script.moment);
        ongoing = silence.begin(stage);
    }
    if let Some(length) = silence.length() {
        std::thread::sleep(length);
        ongoing = Ongoing::nothing(stage);
    }
    let outcome = checked(operation.finish());
    if outcome.code == Some(0) {
        wanted.surely(&script.operation);
    }
    if script.when == When::After {
        ongoing = silence.begin(stage);
    }
    for _ in 0..script.cycles.min(1) {
        // Whatever comes of it, it must end well.
        let upgrades = script.upgrades.then(|| "--enable-upgrade".to_owned());
        let cycle = silence.call(stage, upgrades.as_slice());
        checked(cycle.within(DEADLINE).run());
    }
    drop(ongoing);
}
