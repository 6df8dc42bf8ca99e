//! The behaviour of the fake.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::answer::Answer;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Nobody is logged in at the screen.
    pub headless: bool,
    /// Only the subcommands from before domains exist.
    pub former: bool,
    /// The domain whose jobs `list` shows. The caller's session if it is not given.
    pub listed: Option<String>,
    /// `print DOMAIN` has another form.
    pub strange_tables: bool,
    /// How long a label is busy after its job is gone.
    pub settles_ms: u64,
    /// The length of a second in the files of jobs, so that tests need not wait for real ones.
    pub second_ms: u64,
    /// Answers that replace an action.
    pub instead: Vec<Instead>,
    /// What it loads when it boots.
    pub at_boot: Vec<AtBoot>,
}

#[derive(Debug, Deserialize)]
pub struct Instead {
    pub verb: String,
    /// This many times. Then it acts again.
    pub times: usize,
    pub answer: Answer,
}

#[derive(Debug, Deserialize)]
pub struct AtBoot {
    pub domain: String,
    pub directory: PathBuf,
}

impl Settings {
    pub fn read(dir: &Path) -> Self {
        let text = std::fs::read(dir.join("settings.json")).expect("no settings");
        serde_json::from_slice(&text).expect("bad settings")
    }
}
