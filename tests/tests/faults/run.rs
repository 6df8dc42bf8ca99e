//! One run, from a colony in some state to the proof that nothing is lost.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use crate::backend::FaultBackend;
use crate::fault::{Fault, Kind, Ongoing};
use crate::operation::{Act, Operation};
use crate::outcome::checked;
use crate::script::{Script, Standing, Start, When};
use crate::seeds::Seed;
use crate::test_colony::TestColony;
use crate::wanted::Wanted;
use crate::{check, disk};

/// What happens in a run.
pub struct Run {
    script: Script,
    fault: Fault,
}

impl Run {
    /// One with a fault of these kinds.
    pub fn draw(seed: Seed<'_>, kinds: &[Kind]) -> Self {
        let mut rng = seed.rng();
        let mut script = Script::draw(&mut rng);
        let fault = Fault::draw(kinds, &mut rng, script.count());
        script.when = fault.when(script.when);
        eprintln!("{seed}: {fault:?} in {script:?}");
        Self { script, fault }
    }

    /// One that need not be drawn: the program of a node that runs cannot be replaced.
    pub fn upgrade_on_a_full_disk() -> Self {
        let outdated = Start {
            outdated: true,
            standing: Standing::Running,
        };
        Self {
            script: Script {
                nodes: vec![outdated; 2],
                operation: Operation::On(Act::Upgrade, vec![1, 2]),
                when: When::Before,
                moment: Duration::ZERO,
                cycles: 0,
                upgrades: false,
                delay: 0,
            },
            // Enough to record what is done.
            fault: Fault::DiskFull { bytes: 256 * 1024 },
        }
    }

    /// Makes it on what `ground` gives for a directory to be in: where tests lie, or on a disk of so many mebibytes
    /// if the fault is one of the disk. Where there is no ground, or no such disk, that was said.
    pub fn make<G: FaultBackend>(
        &self,
        mebibytes: u32,
        backend: impl FnOnce(&Path) -> Option<G> + Send,
    ) {
        let make = |place: &Path| {
            if let Some(backend) = backend(place) {
                self.make_on(&backend);
            }
        };
        if !self.fault.is_of_the_disk() {
            make(&std::env::temp_dir());
        } else if disk::permitted() {
            disk::with_disk(mebibytes, make);
        }
    }

    /// Makes it on this ground.
    pub fn make_on(&self, backend: &dyn FaultBackend) {
        let adds = self.script.operation.adds() + self.fault.adds();
        let colony = TestColony::set(&self.script, self.script.count() + adds, backend);
        let mut wanted = Wanted::as_it_is(colony.seen());
        self.act(&colony, &mut wanted);
        colony.settle();
        if matches!(self.fault, Fault::ReadOnly { .. }) {
            forget_replaced_programs(&colony);
        }
        check::check(&colony, &wanted);
    }

    /// The operation, the fault, and what the next cycles make of it while it lasts.
    fn act(&self, colony: &TestColony<'_>, wanted: &mut Wanted) {
        let Self { script, fault } = self;
        let mut ongoing = Ongoing::Nothing;
        if script.when == When::Before {
            ongoing = fault.begin(colony.backend);
        }
        wanted.perhaps(&script.operation);
        let operation = colony.call_during(fault, script.operation.words()).spawn();
        if script.when == When::During {
            // Not to wait for anything: the time itself is what is tried.
            std::thread::sleep(script.moment);
        }
        let outcome = match fault {
            Fault::Killed => colony.backend.kill_program(operation),
            Fault::PowerCut => colony.backend.cut_power(operation),
            Fault::TwoAtOnce { other } => {
                // Before the other and, if it was done meanwhile, after it.
                wanted.perhaps(other);
                wanted.perhaps(&script.operation);
                checked(colony.call(other.words()).run());
                operation.finish()
            }
            lasting => {
                if script.when == When::During {
                    ongoing = lasting.begin(colony.backend);
                }
                if let Some(length) = lasting.length() {
                    std::thread::sleep(length);
                    ongoing = Ongoing::Nothing;
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
            ongoing = fault.begin(colony.backend);
        }
        for _ in 0..fault.cycles(script.cycles) {
            // Whatever comes of it, it must end well.
            checked(colony.call_during(fault, colony.cycle()).run());
        }
        drop(ongoing);
    }
}

/// An upgrade that went well but could not delete the program it replaced tells so and leaves it to the next one.
fn forget_replaced_programs(colony: &TestColony<'_>) {
    for row in colony.backend.database().nodes() {
        let dir = colony.backend.path_from_here(&row.root_dir);
        if row.status == "RUNNING"
            && let Err(error) = std::fs::remove_file(dir.join("antnode.previous"))
        {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        }
    }
}
