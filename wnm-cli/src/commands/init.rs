//! `--init`: makes a colony.

use serde_json::json;
use wnm_core::colony::{Colony, CycleStatus};
use wnm_core::manager::ManagerKind;

use super::Context;
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
    let (cap, storage) = (machine.node_cap, machine.node_storage.clone());
    if run.dry_run {
        Colony::check_init(&db, &machine, &context.outside).await?;
        let text = format!(
            "would make a colony at {} under {kind}, for up to {cap} nodes in {}",
            db.display(),
            storage.display()
        );
        let value = json!({ "status": "system-initialized-dryrun", "database": db });
        return Ok(context.output.outcome(&text, &value)?);
    }
    let mut colony = Colony::init(&db, machine, context.outside.clone()).await?;
    let mut adopted = 0;
    if run.import {
        let found = colony.find_nodes().await?;
        adopted = found.nodes.len();
        colony.adopt(&found).await?;
    }
    let mut text = format!(
        "made a colony at {} under {kind}, for up to {cap} nodes in {}",
        db.display(),
        storage.display()
    );
    if run.import {
        text.push_str(&format!("\n{adopted} nodes taken over as they are"));
    }
    if kind == ManagerKind::SETSID_USER && context.input.process_manager().is_none() {
        text.push_str(&format!("\n{}", why_setsid()));
    }
    if let Some(advice) = managers::advice(kind) {
        text.push_str(&format!("\n{advice}"));
    }
    text.push_str("\nnext: 'wnm plan' shows what a cycle would do; for one a minute, crontab -e and add\n");
    text.push_str(&format!("* * * * * {}", cron_command(&db)));
    let value = json!({
        "status": CycleStatus::SystemInitialized.word(),
        "database": db,
        "process_manager": kind.to_string(),
        "adopted": adopted,
    });
    Ok(context.output.outcome(&text, &value)?)
}

fn why_setsid() -> String {
    let proposed = managers::proposed();
    format!("no process manager was named, so it is {proposed}: plain processes, which need nothing installed")
}

fn cron_command(db: &std::path::Path) -> String {
    let program = std::env::current_exe()
        .map_or_else(|_| "wnm".to_owned(), |path| path.display().to_string());
    format!("{program} -q --dbpath {}", db.display())
}
