//! `--dockerfile`: prints what an image for containers is built from.

use std::io::{self, Write};

use super::Context;
use crate::documents::Dockerfile;
use crate::error::ProgramError;

/// Prints it, to be piped into `docker build -`. No colony is needed for it.
pub fn print(context: &Context) -> Result<(), ProgramError> {
    if let Some(named) = context.input.process_manager()
        && named != wnm_s6overlay::USER
    {
        return Err(ProgramError::Usage(format!(
            "--dockerfile belongs to s6overlay+user, and {named} needs no image"
        )));
    }
    let text = wnm_s6overlay::dockerfile::dockerfile();
    if context.output.json {
        let document = Dockerfile {
            status: "dockerfile",
            dockerfile: &text,
        };
        return Ok(context.output.outcome("", &document)?);
    }
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
