use thiserror::Error;
use wnm_colony::ColonyError;
use wnm_config::SettingsError;
use wnm_report::ReportError;

/// Why the program ends with exit code 1. Every message says what to do, a line per fault.
#[derive(Debug, Error)]
pub enum ProgramError {
    /// Options, environment or configuration files.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The colony.
    #[error(transparent)]
    Colony(#[from] ColonyError),
    /// A report.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A report or a format that does not exist.
    #[error(transparent)]
    UnknownReport(#[from] wnm_core::reports::UnknownReport),
    /// A file that was named could not be read, or says nothing readable.
    #[error("{path}: {reason}")]
    Input {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Steps failed; what and why was told as they did.
    #[error("{failed} of {steps} steps failed; see wnm events")]
    StepsFailed {
        /// How many failed.
        failed: usize,
        /// Of how many.
        steps: usize,
    },
    /// Options that do not go together or need another.
    #[error("{0}")]
    Usage(String),
    /// Standard output is gone or full.
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
    /// JSON could not be made of it.
    #[error("cannot write as JSON: {0}")]
    Json(#[from] serde_json::Error),
}
