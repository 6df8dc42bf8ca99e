//! One run, from a colony in some state to the check that nothing is lost.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use crate::backend::FaultBackend;
use crate::expected::ExpectedNodes;
use crate::fault::{Fault, Kind, Ongoing};
use crate::operation::{Act, Operation};
use crate::outcome::checked;
use crate::script::{Desired, Script, Start, When};
use crate::seeds::Seed;
use crate::test_colony::TestColony;
use crate::{check, disk};

/// A drawn run.
pub struct Run {
    script: Script,
    fault: Fault,
}

impl Run {
    /// Draws one with a fault of these kinds.
    pub fn draw(seed: Seed<'_>, kinds: &[Kind]) -> Self {
        let mut rng = seed.rng();
        let mut script = Script::draw(&mut rng);
        let fault = Fault::draw(kinds, &mut rng, script.count());
        script.when = fault.when(script.when);
        eprintln!("{seed}: {fault:?} in {script:?}");
        Self { script, fault }
    }

    /// A fixed one: the program of a running node cannot be replaced.
    pub fn upgrade_on_a_full_disk() -> Self {
        let outdated = Start {
            outdated: true,
            desired: Desired::Running,
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
            // Enough to record the steps.
            fault: Fault::DiskFull { bytes: 256 * 1024 },
        }
    }

    /// Runs it with the backend that `backend` returns for a directory: on a disk of so many mebibytes for a fault of
    /// the disk, and otherwise in the directory for temporary files. Skips it when there is no backend or no such disk.
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

    /// Runs it with this backend.
    pub fn make_on(&self, backend: &dyn FaultBackend) {
        let adds = self.script.operation.adds() + self.fault.adds();
        let colony = TestColony::set(&self.script, self.script.count() + adds, backend);
        let mut expected = ExpectedNodes::unchanged(colony.observed_nodes());
        self.act(&colony, &mut expected);
        colony.settle();
        if matches!(self.fault, Fault::ReadOnly { .. }) {
            forget_replaced_programs(&colony);
        }
        check::check(&colony, &expected);
    }

    /// The operation, the fault, and the cycles while it lasts.
    fn act(&self, colony: &TestColony<'_>, expected: &mut ExpectedNodes) {
        let Self { script, fault } = self;
        let mut ongoing = Ongoing::Nothing;
        if script.when == When::Before {
            ongoing = fault.begin(colony.backend);
        }
        expected.may_have_run(&script.operation);
        let operation = colony.call_during(fault, script.operation.words()).spawn();
        if script.when == When::During {
            // Waits for nothing: the moment itself is what is tested.
            std::thread::sleep(script.moment);
        }
        let outcome = match fault {
            Fault::Killed => colony.backend.kill_program(operation),
            Fault::PowerCut => colony.backend.cut_power(operation),
            Fault::TwoAtOnce { other } => {
                // Before the other and, if it was done meanwhile, after it.
                expected.may_have_run(other);
                expected.may_have_run(&script.operation);
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
            expected.succeeded_with(&script.operation);
        }
        if script.when == When::After {
            ongoing = fault.begin(colony.backend);
        }
        for _ in 0..fault.cycles(script.cycles) {
            // Whatever happens, it must end well.
            checked(colony.call_during(fault, colony.cycle()).run());
        }
        drop(ongoing);
    }
}

/// An upgrade that could not delete the previous program reports it and leaves it to the next one.
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
