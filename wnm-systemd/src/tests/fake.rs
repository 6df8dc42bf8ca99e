//! A systemd in memory, whose units are files in a real directory.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Mutex;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::conversation::{Conversation, Details, TalkError, Unit};

/// What it was asked to do, in order, as `verb unit unit`.
#[derive(Default)]
pub struct Fake {
    pub dir: PathBuf,
    pub asked: Mutex<Vec<String>>,
    pub running: Mutex<BTreeSet<String>>,
    pub enabled: Mutex<BTreeSet<String>>,
    /// The text of units as it read them last.
    pub read: Mutex<HashMap<String, String>>,
    /// Text in a program with which it does not stay up.
    pub breaks: Option<&'static str>,
    /// Answers nothing.
    pub mute: bool,
    /// Reloads wait for a permit of this one.
    pub gate: Option<Semaphore>,
}

impl Fake {
    pub fn over(dir: PathBuf) -> Self {
        Self {
            dir,
            ..Self::default()
        }
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub fn times(&self, verb: &str) -> usize {
        self.asked()
            .iter()
            .filter(|asked| asked.starts_with(verb))
            .count()
    }

    pub fn runs(&self, unit: &str) -> bool {
        self.running.lock().unwrap().contains(unit)
    }

    pub fn is_enabled(&self, unit: &str) -> bool {
        self.enabled.lock().unwrap().contains(unit)
    }

    fn note(&self, verb: &str, units: &[String]) -> Result<(), TalkError> {
        if self.mute {
            return Err(TalkError::Unreachable("mute".to_owned()));
        }
        let words = format!("{verb} {}", units.join(" "));
        self.asked.lock().unwrap().push(words.trim_end().to_owned());
        Ok(())
    }

    fn exists(&self, unit: &str) -> bool {
        self.dir.join(unit).exists()
    }

    /// The program of a unit without quotes.
    fn program(&self, unit: &str) -> String {
        let text = std::fs::read_to_string(self.dir.join(unit)).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart="))
            .unwrap();
        let path = line.split(' ').next().unwrap();
        std::fs::read_to_string(path).unwrap_or_default()
    }

    fn begin(&self, unit: &str) {
        let program = self.program(unit);
        let stays = self.breaks.is_none_or(|text| !program.contains(text)) && !program.is_empty();
        let mut running = self.running.lock().unwrap();
        if stays {
            running.insert(unit.to_owned());
        } else {
            running.remove(unit);
        }
    }
}

#[async_trait]
impl Conversation for Fake {
    async fn loaded(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, TalkError> {
        self.note("loaded", patterns)?;
        let loaded = |name: &String| {
            let (load, active) = ("loaded".to_owned(), "active".to_owned());
            (name.clone(), Unit::Loaded { load, active })
        };
        Ok(self.running.lock().unwrap().iter().map(loaded).collect())
    }

    async fn units(&self, patterns: &[String]) -> Result<HashMap<String, Unit>, TalkError> {
        self.note("units", patterns)?;
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

    async fn details(&self, unit: &str) -> Result<Details, TalkError> {
        if self.mute {
            return Err(TalkError::Unreachable("mute".to_owned()));
        }
        let word = |is: bool, yes: &str, no: &str| if is { yes } else { no }.to_owned();
        Ok(Details {
            load: word(self.exists(unit), "loaded", "not-found"),
            active: word(self.runs(unit), "active", "failed"),
            sub: word(self.runs(unit), "running", "failed"),
            result: word(self.runs(unit), "success", "exit-code"),
            status: if self.runs(unit) { 0 } else { 203 },
            restarts: 0,
        })
    }

    async fn is_outdated(&self, unit: &str) -> Result<bool, TalkError> {
        self.note("is-outdated", &[unit.to_owned()])?;
        let now = std::fs::read_to_string(self.dir.join(unit)).ok();
        let read = self.read.lock().unwrap();
        Ok(read
            .get(unit)
            .is_some_and(|text| Some(text) != now.as_ref()))
    }

    async fn start(&self, unit: &str) -> Result<(), TalkError> {
        self.note("start", &[unit.to_owned()])?;
        self.begin(unit);
        Ok(())
    }

    async fn restart(&self, unit: &str) -> Result<(), TalkError> {
        self.note("restart", &[unit.to_owned()])?;
        self.begin(unit);
        Ok(())
    }

    async fn stop(&self, units: &[String]) -> Result<(), TalkError> {
        self.note("stop", units)?;
        self.running
            .lock()
            .unwrap()
            .retain(|unit| !units.contains(unit));
        Ok(())
    }

    async fn enable(&self, units: &[String]) -> Result<(), TalkError> {
        self.note("enable", units)?;
        self.enabled.lock().unwrap().extend(units.iter().cloned());
        Ok(())
    }

    async fn disable(&self, units: &[String]) -> Result<(), TalkError> {
        self.note("disable", units)?;
        self.enabled
            .lock()
            .unwrap()
            .retain(|unit| !units.contains(unit));
        Ok(())
    }

    async fn reload(&self) -> Result<(), TalkError> {
        self.note("reload", &[])?;
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

    async fn reset_failed(&self, units: &[String]) -> Result<(), TalkError> {
        self.note("reset-failed", units)
    }
}
