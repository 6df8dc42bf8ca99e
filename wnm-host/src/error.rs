use wnm_core::manager::ManagerError;

use crate::files::DeleteError;

impl From<DeleteError> for ManagerError {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Refused { path, reason } => Self::Rejected {
                what: format!("deleting {}", path.display()),
                words: format!("refused, since {reason}"),
            },
            DeleteError::Io { path, source } => {
                Self::io(format!("deleting {}", path.display()), source)
            }
        }
    }
}
