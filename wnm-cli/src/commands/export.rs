//! `wnm export`: the colony for another program.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use serde_json::Value;
use wnm_colony::store::Store;
use wnm_colony::{Colony, ColonyError};
use wnm_config::stored_values;
use wnm_core::reports::ReportFormat;
use wnm_host::files::write_whole;

use super::Context;
use super::access::close;
use crate::cli;
use crate::documents::{Exported, ExportedFile, to_json};
use crate::error::ProgramError;
use wnm_core::machine::ConfigValue;

/// Everyone who may read the database may read what is made of it.
const MODE: u32 = 0o644;

/// Prints it, or writes it to a file.
pub async fn run(context: &Context, given: &ArgMatches) -> Result<(), ProgramError> {
    let db = context.input.database()?;
    let word = given.get_one::<String>(cli::FORMAT).map(String::as_str);
    let output = given.get_one::<String>(cli::OUTPUT).map(PathBuf::from);
    let text = match (word.unwrap_or_default(), &output) {
        ("python", Some(file)) => return for_python(context, &db, file).await,
        ("python", None) => {
            return Err(ProgramError::Usage(
                "export --format python writes a database: name it with --output FILE".to_owned(),
            ));
        }
        ("config", _) => settings(context, &db, ReportFormat::Config).await?,
        ("env", _) => settings(context, &db, ReportFormat::Env).await?,
        _ => whole(context, &db).await?,
    };
    match output {
        None => Ok(context.output.text(&text)?),
        Some(file) => {
            let written = write_whole(&file, text.as_bytes(), MODE);
            written.map_err(|error| ProgramError::Input {
                path: file.display().to_string(),
                reason: error.to_string(),
            })?;
            told(context, &file)
        }
    }
}

async fn for_python(context: &Context, db: &Path, file: &Path) -> Result<(), ProgramError> {
    // Opened first, so that it is said which of two files is the wrong one.
    let colony = Colony::view(db, context.environment.clone()).await?;
    close(colony, Ok::<(), ProgramError>(())).await?;
    let written = Store::export_for_python(db, file).await;
    written.map_err(ColonyError::from)?;
    told(context, file)
}

fn told(context: &Context, file: &Path) -> Result<(), ProgramError> {
    let document = ExportedFile {
        status: "exported",
        file,
    };
    let text = format!("wrote {}", file.display());
    Ok(context.output.outcome(&text, &document)?)
}

/// The settings as a config file or for a shell; wnm and the Python wnm read both. What is not set is left out,
/// and so is what is no option.
async fn settings(
    context: &Context,
    db: &Path,
    format: ReportFormat,
) -> Result<String, ProgramError> {
    let colony = Colony::view(db, context.environment.clone()).await?;
    let values = stored_values(colony.machine());
    close(colony, Ok::<(), ProgramError>(())).await?;
    let kept: Vec<_> = values
        .into_iter()
        .filter(|(name, value)| {
            let unset =
                matches!(value, ConfigValue::Null) || *value == ConfigValue::Text(String::new());
            !unset && !NOT_GIVEN.contains(name)
        })
        .collect();
    Ok(wnm_report::machine_config(&kept, format)?)
}

/// What is of this machine and this colony alone.
const NOT_GIVEN: [&str; 4] = ["id", "cpu_count", "last_stopped_at", "highest_node_id_used"];

/// Settings and nodes, all that a program could want of them.
async fn whole(context: &Context, db: &Path) -> Result<String, ProgramError> {
    let colony = Colony::view(db, context.environment.clone()).await?;
    let machine = stored_values(colony.machine());
    let nodes = colony.nodes().await;
    let nodes = close(colony, nodes).await?;
    let machine: Value =
        serde_json::from_str(&wnm_report::machine_config(&machine, ReportFormat::Json)?)?;
    let refs: Vec<_> = nodes.iter().collect();
    let columns: Value = match refs.is_empty() {
        true => Value::Array(Vec::new()),
        false => {
            serde_json::from_str(&wnm_report::node_status_details(&refs, ReportFormat::Json)?)?
        }
    };
    Ok(to_json(&Exported {
        status: "exported",
        machine,
        nodes: columns,
    })?)
}
