//! Fakes of what a colony asks besides its manager: clock, machine, nodes and program.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use semver::Version;
use wnm_core::clock::Clock;
use wnm_core::id::NodeId;
use wnm_core::machine::{Launch, MachineLoad};
use wnm_core::node::{Node, NodeReport, ProbeResult};
use wnm_core::paths::Paths;
use wnm_core::probe::{
    Counters, MachineProbe, MachineReading, NodeProbe, ObserveError, SurveyTarget,
};
use wnm_core::program::{NodeProgram, PagePaths, ProgramError};
use wnm_core::quantity::{Milliseconds, Seconds, UnixTime};
use wnm_core::testing::{NOW, snapshot};

/// A clock that moves only when told.
#[derive(Debug)]
pub struct FakeClock(Mutex<UnixTime>);

impl Default for FakeClock {
    fn default() -> Self {
        Self(Mutex::new(NOW))
    }
}

impl FakeClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: Seconds) {
        let mut now = lock(&self.0);
        *now = now.plus(by);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> UnixTime {
        *lock(&self.0)
    }
}

/// A machine of four processors with little to do, until a test changes that.
#[derive(Debug)]
pub struct FakeMachine {
    load: Mutex<MachineLoad>,
    boots: Mutex<u32>,
}

impl Default for FakeMachine {
    fn default() -> Self {
        Self {
            load: Mutex::new(snapshot().load),
            boots: Mutex::new(1),
        }
    }
}

impl FakeMachine {
    /// Changes the load of the next measurements.
    pub fn set_load(&self, change: impl FnOnce(&mut MachineLoad)) {
        change(&mut lock(&self.load));
    }

    /// Reboots.
    pub fn reboot(&self) {
        *lock(&self.boots) += 1;
    }
}

#[async_trait]
impl MachineProbe for FakeMachine {
    async fn measure(
        &self,
        now: UnixTime,
        _: &Path,
        _: Option<Counters>,
    ) -> Result<MachineReading, ObserveError> {
        let load = MachineLoad {
            at: now,
            ..*lock(&self.load)
        };
        Ok(MachineReading {
            load,
            counters: Counters::default(),
        })
    }

    fn boot_id(&self) -> Result<String, ObserveError> {
        Ok(format!("boot {}", lock(&self.boots)))
    }

    fn cpu_count(&self) -> u32 {
        4
    }
}

/// Nodes that say nothing, until a test gives them an answer.
#[derive(Debug, Default)]
pub struct FakeNodes(Mutex<HashMap<NodeId, NodeReport>>);

impl FakeNodes {
    /// Answers with this report from now on.
    pub fn answer(&self, node: NodeId, report: NodeReport) {
        lock(&self.0).insert(node, report);
    }
}

#[async_trait]
impl NodeProbe for FakeNodes {
    async fn survey(
        &self,
        targets: &[SurveyTarget],
        _: Milliseconds,
    ) -> HashMap<NodeId, ProbeResult> {
        let reports = lock(&self.0);
        let answer = |target: &SurveyTarget| match reports.get(&target.id) {
            Some(report) => ProbeResult::Answered(Box::new(report.clone())),
            None => ProbeResult::Refused,
        };
        let answers = targets.iter().map(|target| (target.id, answer(target)));
        answers.collect()
    }
}

/// A program without arguments or pages, whose version a test can change.
#[derive(Debug)]
pub struct FakeProgram(Mutex<Option<Version>>);

impl Default for FakeProgram {
    fn default() -> Self {
        Self(Mutex::new(Some(Version::new(0, 4, 7))))
    }
}

impl FakeProgram {
    /// Another version from now on.
    pub fn set_version(&self, version: Version) {
        *lock(&self.0) = Some(version);
    }

    /// No program from now on.
    pub fn vanish(&self) {
        *lock(&self.0) = None;
    }
}

#[async_trait]
impl NodeProgram for FakeProgram {
    fn name(&self) -> &str {
        "antnode"
    }

    fn network(&self) -> &str {
        "evm-arbitrum-one"
    }

    fn arguments(&self, _: &Node, _: &Launch, _: &Paths) -> Result<Vec<OsString>, ProgramError> {
        Ok(Vec::new())
    }

    fn environment(&self, _: &Node, _: &Launch) -> Result<Vec<(OsString, OsString)>, ProgramError> {
        Ok(Vec::new())
    }

    async fn version(&self, binary: &Path) -> Result<Version, ProgramError> {
        let version = lock(&self.0).clone();
        version.ok_or_else(|| ProgramError::Missing(binary.to_owned()))
    }

    fn identity_file(&self, root_dir: &Path) -> PathBuf {
        root_dir.join("secret-key")
    }

    fn pages(&self) -> Option<PagePaths> {
        Some(PagePaths {
            metadata: "/metadata".to_owned(),
            metrics: "/metrics".to_owned(),
        })
    }

    fn read_report(&self, _: &[u8], _: &[u8]) -> Option<NodeReport> {
        None
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}
