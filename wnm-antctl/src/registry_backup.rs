//! Keeps a backup of antctl's registry. Every call of antctl rewrites that file in place, even `status`. A
//! power cut or a full disk during the write leaves it truncated or empty, and to antctl an empty file means no
//! services: it would never find their nodes again.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::IgnoredAny;
use wnm_core::manager::ManagerError;
use wnm_host::blocking;
use wnm_host::files::Files;

use crate::layout::Layout;
use crate::registry::{Registry, Service};

/// Suffix of the backup, after the registry's name.
const SUFFIX: &str = ".wnm";

/// Largest registry to back up; ten thousand services take about 30 MB.
const LIMIT: u64 = 256 << 20;

/// The backup beside the registry.
pub(crate) struct RegistryBackup {
    registry: PathBuf,
    copy: PathBuf,
    files: Arc<dyn Files>,
}

impl RegistryBackup {
    /// The backup of this layout's registry.
    pub fn new(layout: &Layout, files: Arc<dyn Files>) -> Self {
        let mut copy = layout.registry.clone().into_os_string();
        copy.push(SUFFIX);
        Self {
            registry: layout.registry.clone(),
            copy: copy.into(),
            files,
        }
    }

    /// Path of the backup.
    pub fn path(&self) -> &Path {
        &self.copy
    }

    /// Whether the registry is incomplete: antctl was interrupted, or is still writing.
    pub async fn is_registry_damaged(&self) -> Result<bool, ManagerError> {
        let registry = read(&self.registry).await?;
        Ok(registry.is_some_and(|text| !is_complete(&text)))
    }

    /// Replaces an incomplete registry with the backup. The caller must be the only user of the registry.
    pub async fn repair(&self) -> Result<(), ManagerError> {
        if !self.is_registry_damaged().await? {
            return Ok(());
        }
        let Some(copy) = read(&self.copy).await?.filter(|copy| is_complete(copy)) else {
            return Ok(());
        };
        self.files.write(&self.registry, &copy).await?;
        tracing::warn!(
            registry = %self.registry.display(),
            "antctl was interrupted while writing its registry; restored it from the backup"
        );
        Ok(())
    }

    /// Updates the backup unless it already lists the same services. `known` is antctl's latest answer. Skips a
    /// blank registry, which may have been lost. The caller must be the only user of the registry.
    pub async fn update(&self, known: &Registry) -> Result<(), ManagerError> {
        if known.is_blank() || self.is_current(known).await? {
            return Ok(());
        }
        match read(&self.registry).await? {
            Some(text) if lists_same_services(&text, known) => {
                self.files.write(&self.copy, &text).await
            }
            _ => Ok(()),
        }
    }

    /// The services in the backup; none if there is no backup.
    pub async fn content(&self) -> Result<Registry, ManagerError> {
        let copy = read(&self.copy).await?;
        let registry = copy.and_then(|text| Registry::parse(text.as_bytes()));
        Ok(registry.unwrap_or_default())
    }

    /// Deletes the backup, because antctl's services are about to go or wnm releases them.
    pub async fn delete(&self) -> Result<(), ManagerError> {
        self.files.delete_files(&[&self.copy]).await
    }

    async fn is_current(&self, known: &Registry) -> Result<bool, ManagerError> {
        let copy = read(&self.copy).await?;
        Ok(copy.is_some_and(|text| lists_same_services(&text, known)))
    }
}

/// Reads a file; `None` if it is missing or not readable. antctl can read it then, and reports more.
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

/// Whether the registry was written completely.
fn is_complete(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Whether the registry lists exactly these services. Their states do not matter: antctl determines those
/// itself.
fn lists_same_services(text: &str, known: &Registry) -> bool {
    let identities = |registry: &Registry| -> Vec<(String, PathBuf, PathBuf)> {
        let identity = |service: &Service| {
            (
                service.name.clone(),
                service.program.clone(),
                service.data_dir.clone(),
            )
        };
        registry.services().iter().map(identity).collect()
    };
    is_complete(text)
        && Registry::parse(text.as_bytes())
            .is_some_and(|found| identities(&found) == identities(known))
}
