use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use wnm_colony::observe::SystemProbe;
use wnm_core::machine::MachineLoad;
use wnm_core::probe::{Counters, MachineProbe, MachineReading, ObserveError};
use wnm_core::quantity::{Percent, UnixTime};

/// The machine the demonstration pretends to run on: its processors are as busy as the scenes say. The rest is
/// measured, so that what is shown looks like the machine it is shown on, except that nothing real can keep
/// the colony from growing.
#[derive(Default)]
pub struct PretendedMachine {
    real: SystemProbe,
    cpu: AtomicU32,
}

impl PretendedMachine {
    /// Sets how busy the processors are.
    pub fn set_cpu(&self, percent: u32) {
        self.cpu.store(percent, Ordering::Relaxed);
    }
}

#[async_trait]
impl MachineProbe for PretendedMachine {
    async fn measure(
        &self,
        now: UnixTime,
        storage: &Path,
        previous: Option<Counters>,
    ) -> Result<MachineReading, ObserveError> {
        let reading = self.real.measure(now, storage, previous).await?;
        let cpu = Percent::new(f64::from(self.cpu.load(Ordering::Relaxed))).unwrap_or_default();
        let load = MachineLoad {
            cpu,
            memory: Percent::whole(30),
            disk: Percent::whole(20),
            load: Default::default(),
            ..reading.load
        };
        Ok(MachineReading { load, ..reading })
    }

    fn boot_id(&self) -> Result<String, ObserveError> {
        self.real.boot_id()
    }

    fn cpu_count(&self) -> u32 {
        self.real.cpu_count()
    }
}
