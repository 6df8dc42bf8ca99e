//! `wnm release`: stops managing, and leaves every node as it is.

mod cron;

use std::path::Path;

use wnm_colony::Colony;
use wnm_core::node::{Node, Status};

use super::Context;
use super::access::close;
use crate::documents::Released;
use crate::error::ProgramError;

/// anm's line of cron, where a take-over keeps it.
const ANM_CRON: &str = "/var/antctl/anm.cron";

/// Does it, or with `--dry-run` says what would be done.
pub async fn run(context: &Context) -> Result<(), ProgramError> {
    let db = context.input.database()?;
    let lines = cron::lines(context.environment.command_runner(), &db).await;
    if context.input.run.dry_run {
        let colony = Colony::view(&db, context.environment.clone()).await?;
        let removed = removed(context, &colony);
        let checked = colony.check_release().await;
        let nodes = close(colony, checked).await?;
        let text = format!(
            "would release {}, and touch none of them\n  database  would be kept as {}.released-TIME\n  \
             removed   would be {}{}",
            counted(&nodes),
            db.display(),
            removed,
            next(Path::new("COPY"), &lines),
        );
        let document = Released {
            status: "released-dryrun",
            nodes: nodes.len(),
            database: None,
            cron: &lines,
        };
        return Ok(context.output.outcome(&text, &document)?);
    }
    // Opened without what was given: settings that end here are not worth storing.
    let colony = Colony::open(&db, context.environment.clone()).await?;
    let removed = removed(context, &colony);
    let released = colony.release().await?;
    let text = format!(
        "released {}; they stay as they are\n  database  kept as {}\n  removed   {}{}",
        counted(&released.nodes),
        released.copy.display(),
        removed,
        next(&released.copy, &lines),
    );
    let document = Released {
        status: "released",
        nodes: released.nodes.len(),
        database: Some(&released.copy),
        cron: &lines,
    };
    Ok(context.output.outcome(&text, &document)?)
}

/// `3 nodes (2 RUNNING, 1 STOPPED)`.
fn counted(nodes: &[Node]) -> String {
    let of = |status: &Status| nodes.iter().filter(|node| node.status() == *status).count();
    let words: Vec<String> = Status::ALL
        .iter()
        .filter(|status| of(status) > 0)
        .map(|status| format!("{} {status}", of(status)))
        .collect();
    match nodes.len() {
        0 => "a colony without nodes".to_owned(),
        1 => format!("1 node ({})", words.join(", ")),
        count => format!("{count} nodes ({})", words.join(", ")),
    }
}

/// What only wnm needed.
fn removed(context: &Context, colony: &Colony) -> String {
    let managers = context.environment.managers();
    let factory = managers.factory(&colony.machine().manager);
    match factory.ok().and_then(|factory| factory.released()) {
        Some(more) => format!("the mark in the node storage, the lock file and {more}"),
        None => "the mark in the node storage and the lock file".to_owned(),
    }
}

/// What is left for a person to do, by who is to have the nodes.
fn next(copy: &Path, lines: &[String]) -> String {
    let mut text = "\nnext".to_owned();
    if lines.is_empty() {
        text.push_str("\n  crontab -e  and delete the line that runs wnm, if there is one");
    } else {
        text.push_str("\n  crontab -e  and delete:");
        for line in lines {
            text.push_str(&format!("\n{line}"));
        }
    }
    if Path::new(ANM_CRON).is_file() {
        text.push_str(&format!(
            "\n  to have anm again:  sudo mv {ANM_CRON} /etc/cron.d/anm"
        ));
    }
    text.push_str(&format!(
        "\n  to have wnm again:  wnm export --format config --dbpath {} --output wnm.conf\n                      \
         wnm -c wnm.conf --init --import\n  ports that were opened in a firewall stay open, since the nodes need them",
        copy.display()
    ));
    text
}
