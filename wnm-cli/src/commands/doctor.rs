//! `wnm doctor`: what does not fit together, and what mends it.

use clap::ArgMatches;
use wnm_colony::{Colony, ColonyError};
use wnm_core::doctor::{Facts, Finding, examine};

use super::Context;
use super::access::{close, open, view};
use crate::cli;
use crate::documents::{Doctor, to_json};
use crate::error::ProgramError;
use crate::progress::{LOOKING, Watched};

/// Looks, mends with `--fix` what is safe to mend, and tells what is left.
pub async fn run(context: &Context, given: &ArgMatches) -> Result<(), ProgramError> {
    if given.get_flag(cli::FIX) {
        return fix(context).await;
    }
    let colony = view(context).await?;
    let looked = look(context, &colony).await;
    let facts = close(colony, looked).await?;
    tell(context, &facts, &[])
}

async fn look(context: &Context, colony: &Colony) -> Result<Facts, ColonyError> {
    let watched = Watched::begin(&context.output, LOOKING);
    let facts = colony.facts().await;
    drop(watched);
    facts
}

async fn fix(context: &Context) -> Result<(), ProgramError> {
    let mut colony = open(context).await?;
    let done = mend(context, &mut colony).await;
    let (mended, facts) = close(colony, done).await?;
    tell(context, &facts, &mended)
}

/// Mends, and looks again: what is told is what is left.
async fn mend(
    context: &Context,
    colony: &mut Colony,
) -> Result<(Vec<Finding>, Facts), ProgramError> {
    let mut mended = Vec::new();
    for finding in examine(&look(context, colony).await?) {
        if let Some(fix) = finding.fix() {
            colony.mend(&finding, &fix).await?;
            mended.push(finding);
        }
    }
    Ok((mended, look(context, colony).await?))
}

fn tell(context: &Context, facts: &Facts, mended: &[Finding]) -> Result<(), ProgramError> {
    let findings = examine(facts);
    if context.output.json {
        let status = if findings.is_empty() {
            "healthy"
        } else {
            "findings"
        };
        let document = Doctor {
            status,
            nodes: facts.nodes.len(),
            findings: wnm_report::finding_reports(&findings),
            mended: wnm_report::finding_reports(mended),
        };
        return Ok(context.output.text(&to_json(&document)?)?);
    }
    let mut text: String = mended
        .iter()
        .map(|finding| format!("mended {finding}\n"))
        .collect();
    text.push_str(&wnm_report::doctor(&findings, facts.nodes.len()));
    Ok(context.output.text(&text)?)
}
