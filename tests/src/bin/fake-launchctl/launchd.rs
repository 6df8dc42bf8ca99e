//! What launchd does for each request.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::answer::{Answer, Request};
use crate::described::Described;
use crate::job::Job;
use crate::printing;
use crate::settings::Settings;

pub struct Launchd {
    dir: PathBuf,
    state: Mutex<State>,
}

/// The jobs by domain and label.
pub type Jobs = BTreeMap<(String, String), Arc<Job>>;

#[derive(Default)]
struct State {
    jobs: Jobs,
    /// How often each prepared answer was given, by its place in the settings.
    instead: BTreeMap<usize, usize>,
    /// All requests.
    asked: Vec<String>,
}

impl Launchd {
    pub fn boot(dir: &Path) -> Arc<Self> {
        let launchd = Arc::new(Self {
            dir: dir.to_owned(),
            state: Mutex::default(),
        });
        let settings = Settings::read(dir);
        for boot in &settings.at_boot {
            for entry in std::fs::read_dir(&boot.directory).into_iter().flatten() {
                let file = entry.expect("an entry cannot be read").path();
                if file.extension().is_some_and(|ending| ending == "plist") {
                    // launchd passes over what it cannot load.
                    launchd.take(&settings, &boot.domain, &file).ok();
                }
            }
        }
        launchd
    }

    pub fn answer(self: &Arc<Self>, request: &Request) -> Answer {
        let settings = Settings::read(&self.dir);
        let words: Vec<&str> = request.words.iter().map(String::as_str).collect();
        let verb = words.first().copied().unwrap_or_default();
        self.note(&words);
        if let Some(answer) = self.instead(&settings, verb) {
            return answer;
        }
        let session = match &settings.listed {
            Some(domain) => domain.clone(),
            None if settings.headless => format!("user/{}", request.uid),
            None => format!("gui/{}", request.uid),
        };
        match (&words[..], settings.former) {
            (["list"], _) => self.list(&session),
            (["list", label], _) => self.list_one(&session, label),
            (["load", options @ .., file], _) => self.load(
                &settings,
                &session,
                options.contains(&"-w"),
                Path::new(file),
            ),
            (["unload", options @ .., file], _) => {
                self.unload(&session, options.contains(&"-w"), Path::new(file))
            }
            (["bootstrap", domain, file], false) => {
                match self.bootstrap(&settings, domain, Path::new(file)) {
                    Ok(()) => Answer::done(),
                    Err(code) => Answer::failed("Bootstrap", code),
                }
            }
            (["bootout", target], false) => self.bootout(target),
            (["kickstart", options @ .., target], false) => {
                self.kickstart(target, options.contains(&"-k"))
            }
            (["print", target], false) => self.print(&settings, target),
            (["enable", target], false) => self.set_disabled(target, false),
            (["disable", target], false) => self.set_disabled(target, true),
            _ => Answer::unknown(verb),
        }
    }

    fn note(&self, words: &[&str]) {
        let mut state = self.state();
        state.asked.push(words.join(" "));
        let text = state.asked.join("\n");
        std::fs::write(self.dir.join("asked"), text).expect("what was asked cannot be noted");
    }

    fn instead(&self, settings: &Settings, verb: &str) -> Option<Answer> {
        let mut state = self.state();
        for (at, instead) in settings.instead.iter().enumerate() {
            let given = state.instead.entry(at).or_default();
            if instead.verb == verb && *given < instead.times {
                *given += 1;
                return Some(instead.answer.clone());
            }
        }
        None
    }

    fn bootstrap(
        self: &Arc<Self>,
        settings: &Settings,
        domain: &str,
        file: &Path,
    ) -> Result<(), u8> {
        if settings.headless && domain.starts_with("gui/") {
            return Err(125);
        }
        let described = Described::read(file)?;
        let session = if domain.starts_with("user/") {
            "Background"
        } else {
            "Aqua"
        };
        if domain != "system" && !described.is_for(session) {
            return Err(134);
        }
        if self.is_disabled(domain, &described) {
            return Err(119);
        }
        self.take(settings, domain, file)
    }

    /// Loads a job.
    fn take(self: &Arc<Self>, settings: &Settings, domain: &str, file: &Path) -> Result<(), u8> {
        let described = Described::read(file)?;
        if self.is_disabled(domain, &described) {
            return Err(5);
        }
        let key = (domain.to_owned(), described.label.clone());
        let mut state = self.state();
        if state.jobs.contains_key(&key) {
            return Err(5);
        }
        let second = Duration::from_millis(settings.second_ms);
        let job = Job::new(domain.to_owned(), file.to_owned(), described, second);
        state.jobs.insert(key.clone(), Arc::clone(&job));
        let (launchd, dir) = (Arc::clone(self), self.dir.clone());
        thread::spawn(move || {
            job.keep();
            // The fake models exactly this interval.
            thread::sleep(Duration::from_millis(Settings::read(&dir).settles_ms));
            launchd.state().jobs.remove(&key);
        });
        Ok(())
    }

    fn bootout(&self, target: &str) -> Answer {
        match self.find(target) {
            None => Answer::failed("Boot-out", 3),
            Some(job) if job.stand().leaving => Answer::failed("Boot-out", 36),
            Some(job) => {
                job.unload();
                Answer::done()
            }
        }
    }

    fn kickstart(&self, target: &str, ends: bool) -> Answer {
        let (domain, label) = split(target);
        match self.find(target) {
            None => Answer::no_service(domain, label),
            Some(job) if job.stand().leaving => Answer::complaint(
                37,
                "Could not kickstart service: 37: Operation already in progress",
            ),
            Some(job) => {
                job.kick(ends);
                Answer::done()
            }
        }
    }

    fn print(&self, settings: &Settings, target: &str) -> Answer {
        let is_domain = target == "system"
            || target.matches('/').count() == 1 && !target.starts_with("system/");
        let domain = if is_domain { target } else { split(target).0 };
        if settings.headless && domain.starts_with("gui/") {
            return Answer::no_domain(domain);
        }
        if is_domain {
            let state = self.state();
            return Answer::printed(printing::domain(
                domain,
                &state.jobs,
                settings.strange_tables,
            ));
        }
        match self.find(target) {
            Some(job) => Answer::printed(printing::job(target, &job)),
            None => Answer::no_service(domain, split(target).1),
        }
    }

    fn list(&self, domain: &str) -> Answer {
        Answer::printed(printing::list(domain, &self.state().jobs))
    }

    fn list_one(&self, domain: &str, label: &str) -> Answer {
        match self.find(&format!("{domain}/{label}")) {
            Some(job) => Answer::printed(printing::dictionary(&job)),
            None => Answer::no_service(domain, label),
        }
    }

    /// Always ends with 0.
    fn load(
        self: &Arc<Self>,
        settings: &Settings,
        domain: &str,
        enables: bool,
        file: &Path,
    ) -> Answer {
        let label = Described::read(file).map(|job| job.label);
        if let (true, Ok(label)) = (enables, &label) {
            self.set_disabled(&format!("{domain}/{label}"), false);
        }
        match label.and_then(|_| self.take(settings, domain, file)) {
            Ok(()) => Answer::done(),
            Err(code) => Answer {
                code: 0,
                ..Answer::failed("Load", code)
            },
        }
    }

    /// Always ends with 0.
    fn unload(&self, domain: &str, disabled: bool, file: &Path) -> Answer {
        let Ok(described) = Described::read(file) else {
            return Answer {
                code: 0,
                ..Answer::failed("Unload", 5)
            };
        };
        let target = format!("{domain}/{}", described.label);
        if disabled {
            self.set_disabled(&target, true);
        }
        match self.find(&target) {
            Some(job) => {
                job.unload();
                Answer::done()
            }
            None => Answer::complaint(0, "Unload failed: 113: Could not find specified service"),
        }
    }

    /// The job of this name.
    fn find(&self, target: &str) -> Option<Arc<Job>> {
        let (domain, label) = split(target);
        let key = (domain.to_owned(), label.to_owned());
        let job = self.state().jobs.get(&key).cloned();
        job.filter(|job| !job.stand().drained)
    }

    /// Both domains of a user share the disabled labels. They outlast a reboot, and override the file of a job.
    fn set_disabled(&self, target: &str, disabled: bool) -> Answer {
        let (domain, label) = split(target);
        // One at a time, or one request would overwrite what another disabled.
        let _alone = self.state();
        let mut disabled_labels = self.disabled_labels();
        disabled_labels.insert(format!("{}/{label}", owner(domain)), disabled);
        let text = serde_json::to_vec(&disabled_labels).expect("names are text");
        // The file is complete at every moment: this process may be killed at any.
        let beside = self.dir.join("disabled.new");
        std::fs::write(&beside, text).expect("the disabled labels cannot be stored");
        std::fs::rename(beside, self.dir.join("disabled.json"))
            .expect("the disabled labels cannot be stored");
        Answer::done()
    }

    fn is_disabled(&self, domain: &str, described: &Described) -> bool {
        let entry = format!("{}/{}", owner(domain), described.label);
        let stored = self.disabled_labels().get(&entry).copied();
        stored.unwrap_or(described.disabled)
    }

    fn disabled_labels(&self) -> BTreeMap<String, bool> {
        let text = std::fs::read(self.dir.join("disabled.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Kills everything, as a power cut does, and returns when it is gone.
    pub fn end(&self) {
        loop {
            let left: Vec<Arc<Job>> = self.state().jobs.values().cloned().collect();
            let left = left.into_iter().filter(|job| !job.stand().drained);
            let left: Vec<Arc<Job>> = left.collect();
            for job in &left {
                job.unload();
                job.signal(Signal::SIGKILL);
            }
            if left.is_empty() {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// The domain and the label of a service.
fn split(target: &str) -> (&str, &str) {
    target.rsplit_once('/').unwrap_or((target, ""))
}

fn owner(domain: &str) -> &str {
    domain.split_once('/').map_or(domain, |(_, uid)| uid)
}
