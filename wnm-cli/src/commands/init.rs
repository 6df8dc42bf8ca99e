//! `--init`: makes a colony.

use std::path::{Path, PathBuf};

use wnm_colony::Colony;
use wnm_core::cycle::CycleStatus;
use wnm_core::kind::ManagerKind;
use wnm_core::machine::Machine;

use super::access::close;
use super::{Context, takeover};
use crate::documents::Initialized;
use crate::error::ProgramError;
use crate::input::Input;
use crate::managers;

/// Makes it and, with `--import` or `--migrate-anm`, takes over the nodes that are there.
pub async fn run(context: &Context) -> Result<(), ProgramError> {
    let run = &context.input.run;
    if run.import || run.migrate_anm {
        return takeover::into_new(context).await;
    }
    let db = context.input.database()?;
    let facts = Input::facts(&context.environment);
    let machine = context.input.layers.initial_machine(&facts)?;
    let lines = Lines::of(context, &machine, &db);
    if run.dry_run {
        Colony::check_init(&db, &machine, &context.environment).await?;
        let document = Initialized {
            status: "system-initialized-dryrun",
            database: &db,
            process_manager: None,
            adopted: None,
        };
        let text = lines.what("would make");
        return Ok(context.output.outcome(&text, &document)?);
    }
    let kind = machine.manager.clone();
    let colony = Colony::init(&db, machine, context.environment.clone()).await?;
    close(colony, Ok::<(), ProgramError>(())).await?;
    let mut text = lines.what("made");
    text.push_str(&lines.next());
    let document = Initialized {
        status: CycleStatus::SystemInitialized.as_str(),
        database: &db,
        process_manager: Some(kind.to_string()),
        adopted: Some(0),
    };
    Ok(context.output.outcome(&text, &document)?)
}

/// What is told of a new colony.
pub(super) struct Lines {
    cap: u32,
    storage: PathBuf,
    db: PathBuf,
    kind: ManagerKind,
    advice: Option<String>,
    kind_was_named: bool,
}

impl Lines {
    /// Of a colony with these settings.
    pub fn of(context: &Context, machine: &Machine, db: &Path) -> Self {
        Self {
            cap: machine.node_cap,
            storage: machine.node_storage.clone(),
            db: db.to_owned(),
            kind: machine.manager.clone(),
            advice: managers::advice(context.environment.managers(), &machine.manager),
            kind_was_named: context.input.process_manager().is_some(),
        }
    }

    /// What it is, behind what was or would be done.
    pub fn what(&self, did: &str) -> String {
        let why = match self.kind_was_named || self.kind != managers::FALLBACK {
            false => ": plain processes, which need nothing installed",
            true => "",
        };
        format!(
            "{did} a colony for up to {} nodes\n  database  {}\n  nodes in  {}\n  manager   {}{why}",
            self.cap,
            self.db.display(),
            self.storage.display(),
            self.kind,
        )
    }

    /// What a person should know, and what comes next.
    pub fn next(&self) -> String {
        let advice = self.advice.as_ref().map(|advice| format!("\n{advice}"));
        format!(
            "{}\nnext\n  wnm plan    shows what a cycle would do; wnm does it\n  \
             crontab -e  and this line, for one every minute:\n* * * * * {}",
            advice.unwrap_or_default(),
            cron_command(&self.db)
        )
    }
}

/// The line for cron, which gives its commands to a shell and takes a percent sign for the end of the line.
fn cron_command(db: &Path) -> String {
    let program = std::env::current_exe()
        .map_or_else(|_| "wnm".to_owned(), |path| path.display().to_string());
    let db = db.display().to_string();
    let words = [program.as_str(), "-q", "--dbpath", db.as_str()];
    // Only a NUL cannot be quoted, and no path has one.
    let line = shlex::try_join(words).unwrap_or_else(|_| words.join(" "));
    line.replace('%', "\\%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cron_gets_the_path_as_it_is() {
        let line = cron_command(Path::new("/srv/my ants/100%/colony.db"));
        assert!(
            line.ends_with(r" -q --dbpath '/srv/my ants/100\%/colony.db'"),
            "{line}"
        );
    }
}
