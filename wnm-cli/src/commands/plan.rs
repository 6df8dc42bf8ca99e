//! `wnm plan` and `--dry-run`: what would be done, and why.

use std::fs::File;
use std::io::{self, Read};

use clap::ArgMatches;
use serde_json::Value;
use wnm_config::OptionTable;
use wnm_core::decide::{Plan, decide};
use wnm_core::snapshot::{SNAPSHOT_FORMAT, Snapshot};

use super::Context;
use super::access::{close, view};
use crate::cli;
use crate::documents::{Planned, to_json};
use crate::error::ProgramError;
use crate::output::Output;
use crate::progress::{LOOKING, Watched};

/// Largest snapshot that is read. One of 10,000 nodes takes about 20 MB.
const LARGEST_SNAPSHOT: u64 = 256 << 20;

/// Decides on the machine as it is now, and changes nothing.
pub async fn now(context: &Context) -> Result<(), ProgramError> {
    let colony = view(context).await?;
    let watched = Watched::begin(&context.output, LOOKING);
    let planned = colony.plan(&context.input.cycle_options()).await;
    drop(watched);
    let (snapshot, plan) = close(colony, planned).await?;
    tell(context.output, &snapshot, &plan)
}

/// Decides on a snapshot from a file, on any machine.
pub fn on_snapshot(options: &OptionTable, given: &ArgMatches) -> Result<(), ProgramError> {
    let Some(file) = given.get_one::<String>(cli::SNAPSHOT) else {
        return Ok(());
    };
    let json = cli::given(options, given)
        .iter()
        .any(|(name, value)| *name == "json" && value == "true");
    let snapshot = read_snapshot(file)?;
    let plan = decide(&snapshot);
    tell(Output { json, quiet: false }, &snapshot, &plan)
}

/// Prints a plan. With JSON the snapshot it was decided on is in it, so that it can be read back.
pub fn tell(output: Output, snapshot: &Snapshot, plan: &Plan) -> Result<(), ProgramError> {
    if output.json {
        let document = Planned {
            status: "planned",
            plan,
            snapshot,
        };
        output.text(&to_json(&document)?)?;
    } else {
        output.text(&wnm_report::plan(snapshot, plan))?;
    }
    Ok(())
}

/// Takes a snapshot alone, or what `wnm plan --json` prints.
fn read_snapshot(path: &str) -> Result<Snapshot, ProgramError> {
    let fault = |reason: String| ProgramError::Input {
        path: path.to_owned(),
        reason,
    };
    let mut text = String::new();
    let source: Box<dyn Read> = match path {
        "-" => Box::new(io::stdin()),
        _ => Box::new(File::open(path).map_err(|e| fault(e.to_string()))?),
    };
    let read = source.take(LARGEST_SNAPSHOT + 1).read_to_string(&mut text);
    read.map_err(|e| fault(e.to_string()))?;
    if text.len() as u64 > LARGEST_SNAPSHOT {
        return Err(fault(format!(
            "is larger than {} MB",
            LARGEST_SNAPSHOT >> 20
        )));
    }
    let mut value: Value =
        serde_json::from_str(&text).map_err(|e| fault(format!("is not JSON: {e}")))?;
    let snapshot = match value.get_mut("snapshot") {
        Some(inner) => inner.take(),
        None => value,
    };
    match snapshot.get("format").and_then(Value::as_u64) {
        Some(format) if format == u64::from(SNAPSHOT_FORMAT) => {}
        Some(format) => {
            return Err(fault(format!(
                "is a snapshot of format {format}; this wnm reads format {SNAPSHOT_FORMAT}"
            )));
        }
        None => {
            return Err(fault(
                "is no snapshot; 'wnm plan --json' prints one".to_owned(),
            ));
        }
    }
    serde_json::from_value(snapshot).map_err(|e| fault(format!("is no snapshot: {e}")))
}
