//! A second copy of antctl's registry. antctl writes that file anew with every call, `status` too, and from its
//! beginning: a power cut or a full disk at that moment leaves a part of it or nothing, and nothing is to antctl a
//! machine without services, whose nodes it then never finds again.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::IgnoredAny;
use wnm_core::manager::ManagerError;
use wnm_host::blocking;
use wnm_host::files::Files;

use crate::place::Place;
use crate::registry::{Registry, Service};

/// What its file is called, behind the registry's name.
const ENDING: &str = ".wnm";

/// Largest registry that is kept: ten thousand services have some 30 MB.
const LIMIT: u64 = 256 << 20;

/// The copy, beside the registry.
pub(crate) struct Spare {
    registry: PathBuf,
    copy: PathBuf,
    files: Arc<dyn Files>,
}

impl Spare {
    /// The copy that belongs to a place.
    pub fn of(place: &Place, files: Arc<dyn Files>) -> Self {
        let mut copy = place.registry.clone().into_os_string();
        copy.push(ENDING);
        Self {
            registry: place.registry.clone(),
            copy: copy.into(),
            files,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.copy
    }

    /// Whether the registry was not written to its end, or not yet.
    pub async fn is_wanted(&self) -> Result<bool, ManagerError> {
        let registry = read(&self.registry).await?;
        Ok(registry.is_some_and(|text| !is_whole(&text)))
    }

    /// Puts it in the place of a registry that was not written to its end. Nobody else may be at the registry.
    pub async fn mend(&self) -> Result<(), ManagerError> {
        if !self.is_wanted().await? {
            return Ok(());
        }
        let Some(copy) = read(&self.copy).await?.filter(|copy| is_whole(copy)) else {
            return Ok(());
        };
        self.files.write(&self.registry, &copy).await?;
        tracing::warn!(
            registry = %self.registry.display(),
            "antctl was interrupted while it wrote its registry; what it had before is there again"
        );
        Ok(())
    }

    /// Keeps what antctl has, unless the copy has it already. `known` is what antctl just said. Nobody else may be
    /// at the registry. One that is bare is not kept: it may have been lost.
    pub async fn keep(&self, known: &Registry) -> Result<(), ManagerError> {
        if known.is_bare() || self.holds(known).await? {
            return Ok(());
        }
        match read(&self.registry).await? {
            Some(text) if is_of(&text, known) => self.files.write(&self.copy, &text).await,
            _ => Ok(()),
        }
    }

    /// What antctl had when it was made.
    pub async fn content(&self) -> Result<Registry, ManagerError> {
        let copy = read(&self.copy).await?;
        let registry = copy.and_then(|text| Registry::find(text.as_bytes()));
        Ok(registry.unwrap_or_default())
    }

    /// Forgets it: what antctl has is about to go.
    pub async fn forget(&self) -> Result<(), ManagerError> {
        self.files.delete_files(&[&self.copy]).await
    }

    async fn holds(&self, known: &Registry) -> Result<bool, ManagerError> {
        let copy = read(&self.copy).await?;
        Ok(copy.is_some_and(|text| is_of(&text, known)))
    }
}

/// A file; none where there is none, or none that may be read: antctl, which can, says more of that.
async fn read(path: &Path) -> Result<Option<String>, ManagerError> {
    let path = path.to_owned();
    blocking(move || {
        let size = std::fs::metadata(&path).map(|file| file.len());
        match size.and_then(|size| match size {
            ..=LIMIT => std::fs::read_to_string(&path),
            _ => Err(ErrorKind::FileTooLarge.into()),
        }) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::InvalidData => Ok(Some(String::new())),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::PermissionDenied
                ) =>
            {
                Ok(None)
            }
            Err(source) => Err(ManagerError::io(
                format!("reading {}", path.display()),
                source,
            )),
        }
    })
    .await
}

/// Whether a registry was written to its end.
fn is_whole(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Whether a registry has these services. How they stand antctl finds out by itself.
fn is_of(text: &str, known: &Registry) -> bool {
    let places = |registry: &Registry| -> Vec<(String, PathBuf, PathBuf)> {
        let place = |service: &Service| {
            (
                service.name.clone(),
                service.program.clone(),
                service.data_dir.clone(),
            )
        };
        registry.services().iter().map(place).collect()
    };
    is_whole(text)
        && Registry::find(text.as_bytes()).is_some_and(|found| places(&found) == places(known))
}
