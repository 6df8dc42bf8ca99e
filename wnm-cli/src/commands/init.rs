//! `--init`: makes a colony.

use std::path::{Path, PathBuf};

use serde_json::json;
use wnm_core::colony::{Colony, CycleStatus};
use wnm_core::manager::ManagerKind;

use super::Context;
use super::access::close;
use crate::error::ProgramError;
use crate::input::Input;
use crate::managers;

/// Makes it and, with `--import`, takes over the nodes that are there.
pub async fn run(context: &Context) -> Result<(), ProgramError> {
    let run = &context.input.run;
    let db = context.input.database()?;
    let facts = Input::facts(&context.outside);
    let machine = context.input.layers.initial_machine(&facts)?;
    let kind = machine.manager;
    let lines = Lines {
        cap: machine.node_cap,
        storage: machine.node_storage.clone(),
        db: db.clone(),
        kind,
        kind_was_named: context.input.process_manager().is_some(),
    };
    if run.dry_run {
        Colony::check_init(&db, &machine, &context.outside).await?;
        let value = json!({ "status": "system-initialized-dryrun", "database": db });
        return Ok(context.output.outcome(&lines.what("would make"), &value)?);
    }
    let mut colony = Colony::init(&db, machine, context.outside.clone()).await?;
    let adopted = match run.import {
        true => adopt(&mut colony).await.map(Some),
        false => Ok(None),
    };
    let adopted = close(colony, adopted).await?;
    let mut text = lines.what("made");
    if let Some(adopted) = adopted {
        text.push_str(&format!("\n  adopted   {adopted} nodes, as they are"));
    }
    if let Some(advice) = managers::advice(kind) {
        text.push_str(&format!("\n{advice}"));
    }
    text.push_str(&lines.next());
    let value = json!({
        "status": CycleStatus::SystemInitialized.word(),
        "database": db,
        "process_manager": kind.to_string(),
        "adopted": adopted.unwrap_or(0),
    });
    Ok(context.output.outcome(&text, &value)?)
}

async fn adopt(colony: &mut Colony) -> Result<usize, ProgramError> {
    let found = colony.find_nodes().await?;
    colony.adopt(&found).await?;
    Ok(found.nodes.len())
}

/// What is told of a new colony.
struct Lines {
    cap: u32,
    storage: PathBuf,
    db: PathBuf,
    kind: ManagerKind,
    kind_was_named: bool,
}

impl Lines {
    fn what(&self, did: &str) -> String {
        let why = match (self.kind_was_named, self.kind) {
            (false, ManagerKind::SETSID_USER) => ": plain processes, which need nothing installed",
            _ => "",
        };
        format!(
            "{did} a colony for up to {} nodes\n  database  {}\n  nodes in  {}\n  manager   {}{why}",
            self.cap,
            self.db.display(),
            self.storage.display(),
            self.kind,
        )
    }

    fn next(&self) -> String {
        format!(
            "\nnext\n  wnm plan    shows what a cycle would do; wnm does it\n  \
             crontab -e  and this line, for one every minute:\n* * * * * {}",
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
