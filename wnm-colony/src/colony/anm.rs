//! Taking the machine over from anm: its line of cron goes, and comes back if the rest fails.

use std::io;
use std::sync::Arc;

use super::{Colony, ColonyError, Environment, open};
use crate::takeover::anm::{Anm, running};
use wnm_core::machine::Machine;
use wnm_host::files;
use wnm_host::files::Files;

/// anm without its line of cron.
pub struct SilencedAnm {
    anm: Anm,
    files: Arc<dyn Files>,
}

impl Colony {
    /// Takes anm's line of cron away, with a copy kept. Nothing is changed while it works: what it does to nodes
    /// would not be in any record.
    pub async fn silence_anm(
        anm: &Anm,
        machine: &Machine,
        environment: &Environment,
    ) -> Result<SilencedAnm, ColonyError> {
        refuse_while_working(anm, environment)?;
        let context = open::context(environment, machine);
        let silenced = SilencedAnm {
            anm: anm.clone(),
            files: files::of(&machine.manager, &context),
        };
        let failed = |source| ColonyError::Manager {
            kind: machine.manager.clone(),
            source,
        };
        if let Some(cron) = &anm.cron {
            let text = String::from_utf8_lossy(cron);
            let files = &silenced.files;
            let kept = files.write(&anm.kept_cron_file(), &text).await;
            kept.map_err(failed)?;
            let taken = files.delete_files(&[&anm.cron_file()]).await;
            taken.map_err(failed)?;
        }
        // Cron may have started it while its line was taken away.
        if let Err(works) = refuse_while_working(anm, environment) {
            silenced.give_back().await?;
            return Err(works);
        }
        Ok(silenced)
    }
}

impl SilencedAnm {
    /// Puts the line of cron back.
    pub async fn give_back(&self) -> Result<(), ColonyError> {
        let Some(cron) = &self.anm.cron else {
            return Ok(());
        };
        let path = self.anm.cron_file();
        let put = self
            .files
            .write(&path, &String::from_utf8_lossy(cron))
            .await;
        put.map_err(|source| ColonyError::AnmCron { path, source })
    }
}

fn refuse_while_working(anm: &Anm, environment: &Environment) -> Result<(), ColonyError> {
    let told = |source: io::Error| ColonyError::Anm {
        path: anm.block(),
        source,
    };
    let since = anm.working_since().map_err(told)?;
    if since.is_none() && running().is_none() {
        return Ok(());
    }
    Err(ColonyError::AnmWorks {
        block: anm.block(),
        age: since.map(|since| environment.clock.now().since(since)),
        process: running(),
    })
}
