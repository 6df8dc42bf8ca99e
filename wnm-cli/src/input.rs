//! Where the settings of a run come from: command line, environment, config files; and which database it is
//! about.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use wnm_colony::takeover::anm::{self, Anm};
use wnm_colony::{CycleOptions, Environment};
use wnm_config::{AnmSettings, Layers, MachineFacts, OptionTable, RunSettings, read_config_files};
use wnm_core::kind::{ManagerKind, Mode};
use wnm_core::machine::Source;
use wnm_core::paths::{Paths, UnknownHome};

use crate::cli;
use crate::error::ProgramError;
use crate::managers;

/// Name of the database in its directory.
const DATABASE: &str = "colony.db";

/// Everything that was given.
pub struct Input {
    /// In layers.
    pub layers: Layers,
    /// What concerns this run alone.
    pub run: RunSettings,
    /// What is taken over, with `--migrate-anm`.
    pub anm: Option<AnmFleet>,
}

/// A fleet of anm, with its settings as options.
pub struct AnmFleet {
    /// What there is of it.
    pub found: Anm,
    /// Its settings.
    pub settings: AnmSettings,
}

impl AnmFleet {
    fn new(found: Anm) -> Self {
        let settings = AnmSettings::from_files(&found.files, found.script.as_ref());
        Self { found, settings }
    }
}

impl Input {
    /// Reads all places.
    pub fn read(options: OptionTable, matches: &ArgMatches) -> Result<Self, ProgramError> {
        let given = cli::given(&options, matches);
        let mut layers = Layers::new(options)
            .command_line(given)
            .environment(std::env::vars_os());
        let named = layers.get("config").map(|(path, _)| PathBuf::from(path));
        let home = std::env::home_dir();
        for file in read_config_files(named.as_deref(), home.as_deref())? {
            layers = layers.file(&file.path, &file.content);
        }
        let mut anm = None;
        // Only where it is asked for: files of another program are no business of every run.
        if layers
            .run_settings()
            .is_ok_and(|run| run.migrate_anm && run.init)
        {
            let fleet = AnmFleet::new(find_anm()?);
            layers = under_anm(layers, &fleet);
            anm = Some(fleet);
        }
        let run = layers.run_settings()?;
        Ok(Self { layers, run, anm })
    }

    /// The database: the one that was named; else that of the manager that was named; else one that is there;
    /// else the one that `--init` would make.
    pub fn database(&self) -> Result<PathBuf, ProgramError> {
        if let Some(path) = &self.run.dbpath {
            return Ok(path.clone());
        }
        if let Some(kind) = self.process_manager() {
            return database_of(kind.mode());
        }
        let root = nix::unistd::geteuid().is_root();
        let modes = if root {
            [Mode::Sudo, Mode::User]
        } else {
            [Mode::User, Mode::Sudo]
        };
        for mode in modes {
            let path = database_of(mode)?;
            if path.exists() {
                return Ok(path);
            }
        }
        database_of(managers::proposed(&managers::registry(None)).mode())
    }

    /// The manager that was named, if one was.
    pub fn process_manager(&self) -> Option<ManagerKind> {
        self.layers
            .get("process_manager")
            .and_then(|(kind, _)| kind.parse().ok())
    }

    /// How this run does a cycle.
    pub fn cycle_options(&self) -> CycleOptions {
        CycleOptions {
            upgrades_enabled: self.run.enable_upgrade,
            survey_delay: self.run.this_survey_delay,
            action_delay: self.run.this_action_delay,
            progress: None,
        }
    }

    /// The nodes that were named, as they were typed.
    pub fn service_names(&self) -> Vec<String> {
        self.run
            .service_names
            .iter()
            .map(|name| name.typed.clone())
            .collect()
    }

    /// What the defaults of a new colony depend on.
    pub fn facts(environment: &Environment) -> MachineFacts {
        MachineFacts {
            cpu_count: environment.cpu_count(),
            home: environment.home_dir().map(Path::to_owned),
            default_manager: managers::proposed(environment.managers()),
        }
    }
}

fn find_anm() -> Result<Anm, ProgramError> {
    let unreadable = |error: std::io::Error| ProgramError::Input {
        path: "anm".to_owned(),
        reason: error.to_string(),
    };
    Anm::detect(Path::new("/")).map_err(unreadable)?.ok_or_else(|| {
        ProgramError::Usage(
            "--migrate-anm: there is no anm on this machine (no /var/antctl/system); nodes without it are taken \
             over with --init --import"
                .to_owned(),
        )
    })
}

/// What anm was told counts where nothing is given. Its nodes are units of the machine's systemd.
fn under_anm(layers: Layers, anm: &AnmFleet) -> Layers {
    let machine = anm::MANAGER.to_string();
    let layers = layers.found("process_manager", machine, Source::Nodes);
    anm.settings.values.iter().fold(layers, |layers, setting| {
        let source = Source::File {
            path: setting.path.clone(),
            line: setting.line,
        };
        layers.found(setting.option, setting.value.clone(), source)
    })
}

fn database_of(mode: Mode) -> Result<PathBuf, ProgramError> {
    let home = std::env::home_dir();
    match Paths::for_mode(mode, home.as_deref()) {
        Ok(paths) => Ok(paths.state.join(DATABASE)),
        Err(UnknownHome) => Err(ProgramError::Usage(
            "HOME is not set, so there is no place for the colony; set it or give --dbpath"
                .to_owned(),
        )),
    }
}
