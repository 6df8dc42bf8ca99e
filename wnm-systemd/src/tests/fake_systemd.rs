//! A fake systemd in memory with unit files in a real directory.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::client::{Client, ClientError, Details, Unit};

/// A fake that records its requests in order, as `verb unit unit`.
#[derive(Default)]
pub struct FakeSystemd {
    pub dir: PathBuf,
    pub requests: Mutex<Vec<String>>,
    pub running: Mutex<BTreeSet<String>>,
    pub enabled: Mutex<BTreeSet<String>>,
    /// The text of each unit at the last reload.
    pub read: Mutex<HashMap<String, String>>,
    /// A program that contains this text exits at once.
    pub broken_program: Option<&'static str>,
    /// Fails every request.
    pub unresponsive: AtomicBool,
    /// Each reload waits for a permit.
    pub gate: Option<Semaphore>,
}

impl FakeSystemd {
    pub fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            ..Self::default()
        }
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub fn times(&self, verb: &str) -> usize {
        self.requests()
            .iter()
            .filter(|request| request.starts_with(verb))
            .count()
    }

    pub fn is_running(&self, unit: &str) -> bool {
        self.running.lock().unwrap().contains(unit)
    }

    pub fn is_enabled(&self, unit: &str) -> bool {
        self.enabled.lock().unwrap().contains(unit)
    }

    fn record(&self, verb: &str, units: &[String]) -> Result<(), ClientError> {
        if self.unresponsive.load(Ordering::Relaxed) {
            return Err(ClientError::Unreachable("unresponsive".to_owned()));
        }
        let words = format!("{verb} {}", units.join(" "));
        self.requests
            .lock()
            .unwrap()
            .push(words.trim_end().to_owned());
        Ok(())
    }

    fn exists(&self, unit: &str) -> bool {
        self.dir.join(unit).exists()
    }

    /// Returns the text of a unit's program. The path must not be quoted.
    fn program(&self, unit: &str) -> String {
        let text = std::fs::read_to_string(self.dir.join(unit)).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart="))
            .unwrap();
        let path = line.split(' ').next().unwrap();
        std::fs::read_to_string(path).unwrap_or_default()
    }

    fn launch(&self, unit: &str) {
        let program = self.program(unit);
        let stays_up = self
            .broken_program
            .is_none_or(|text| !program.contains(text))
            && !program.is_empty();
        let mut running = self.running.lock().unwrap();
        if stays_up {
            running.insert(unit.to_owned());
        } else {
            running.remove(unit);
        }
    }
}

#[async_trait]
impl Client for FakeSystemd {
    async fn loaded(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, ClientError> {
        self.record("loaded", patterns)?;
        let loaded = |name: &String| {
            let (load, active) = ("loaded".to_owned(), "active".to_owned());
            (name.clone(), Unit::Loaded { load, active })
        };
        Ok(self.running.lock().unwrap().iter().map(loaded).collect())
    }

    async fn units(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, ClientError> {
        self.record("units", patterns)?;
        let entries = std::fs::read_dir(&self.dir).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut units: HashMap<String, Unit> = names
            .filter(|name| name.ends_with(".service"))
            .map(|name| (name, Unit::OnDisk))
            .collect();
        for name in self.running.lock().unwrap().iter() {
            let (load, active) = ("loaded".to_owned(), "active".to_owned());
            units.insert(name.clone(), Unit::Loaded { load, active });
        }
        Ok(units)
    }

    async fn details(&self, unit: &str) -> Result<Details, ClientError> {
        if self.unresponsive.load(Ordering::Relaxed) {
            return Err(ClientError::Unreachable("unresponsive".to_owned()));
        }
        let word = |is: bool, yes: &str, no: &str| if is { yes } else { no }.to_owned();
        Ok(Details {
            load: word(self.exists(unit), "loaded", "not-found"),
            active: word(self.is_running(unit), "active", "failed"),
            sub: word(self.is_running(unit), "running", "failed"),
            result: word(self.is_running(unit), "success", "exit-code"),
            status: if self.is_running(unit) { 0 } else { 203 },
            restarts: 0,
        })
    }

    async fn is_outdated(&self, unit: &str) -> Result<bool, ClientError> {
        self.record("is-outdated", &[unit.to_owned()])?;
        let now = std::fs::read_to_string(self.dir.join(unit)).ok();
        let read = self.read.lock().unwrap();
        Ok(read
            .get(unit)
            .is_some_and(|text| Some(text) != now.as_ref()))
    }

    async fn start(&self, unit: &str) -> Result<(), ClientError> {
        self.record("start", &[unit.to_owned()])?;
        self.launch(unit);
        Ok(())
    }

    async fn restart(&self, unit: &str) -> Result<(), ClientError> {
        self.record("restart", &[unit.to_owned()])?;
        self.launch(unit);
        Ok(())
    }

    async fn stop(&self, units: &[String]) -> Result<(), ClientError> {
        self.record("stop", units)?;
        self.running
            .lock()
            .unwrap()
            .retain(|unit| !units.contains(unit));
        Ok(())
    }

    async fn enable(&self, units: &[String]) -> Result<(), ClientError> {
        self.record("enable", units)?;
        self.enabled.lock().unwrap().extend(units.iter().cloned());
        Ok(())
    }

    async fn disable(&self, units: &[String]) -> Result<(), ClientError> {
        self.record("disable", units)?;
        self.enabled
            .lock()
            .unwrap()
            .retain(|unit| !units.contains(unit));
        Ok(())
    }

    async fn reload(&self) -> Result<(), ClientError> {
        self.record("reload", &[])?;
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
        let entries = std::fs::read_dir(&self.dir).into_iter().flatten();
        let files = entries.map(|entry| entry.unwrap().path());
        let read = files.filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            Some((name, std::fs::read_to_string(&path).ok()?))
        });
        *self.read.lock().unwrap() = read.collect();
        Ok(())
    }

    async fn reset_failed(&self, units: &[String]) -> Result<(), ClientError> {
        self.record("reset-failed", units)
    }
}
