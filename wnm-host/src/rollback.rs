//! The program that an upgrade replaced: kept beside the new one until that has run once, in the same act or in
//! a later one, so that a crash in between loses nothing.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::blocking::blocking;
use super::files::Files;
use crate::files::same_content;
use wnm_core::manager::ManagerError;

/// Where the replaced program is kept.
pub fn path(binary: &Path) -> PathBuf {
    let mut name = binary.as_os_str().to_owned();
    name.push(".previous");
    PathBuf::from(name)
}

/// Keeps the program that is about to be replaced. One that is kept already stays: it is the last that is known
/// to have started.
pub async fn keep(files: &dyn Files, binary: &Path) -> Result<(), ManagerError> {
    let kept = path(binary);
    if std::fs::symlink_metadata(&kept).is_err() && binary.is_file() {
        files.keep(binary, &kept).await?;
    }
    Ok(())
}

/// Replaces a program by `from` and keeps the old one. Calls `kept` in between.
pub async fn replace(
    files: &dyn Files,
    from: &Path,
    binary: &Path,
    kept: impl FnOnce() + Send,
) -> Result<(), ManagerError> {
    keep(files, binary).await?;
    kept();
    let copied = files.install_unless_same(from, binary).await;
    after_copy(files, binary, copied).await
}

/// Starts a node whose program may have been replaced: calls `start`, and once more if the first start was refused
/// and the old program was put back.
pub async fn start<F>(
    files: &dyn Files,
    binary: &Path,
    start: impl Fn() -> F + Send,
) -> Result<(), ManagerError>
where
    F: Future<Output = Result<(), ManagerError>> + Send,
{
    let started = start().await;
    settle(files, binary, started, start()).await
}

/// After the copy of the new program: where it failed and the program is still in place, what was kept of it is of
/// no use.
pub async fn after_copy(
    files: &dyn Files,
    binary: &Path,
    copied: Result<(), ManagerError>,
) -> Result<(), ManagerError> {
    let Err(error) = copied else {
        return Ok(());
    };
    let (kept, program) = (path(binary), binary.to_owned());
    // Where they cannot be compared nothing is known, and both stay.
    let unchanged = blocking(move || Ok(same_content(&kept, &program).unwrap_or(false))).await;
    if unchanged.unwrap_or(false)
        && let Err(second) = files.delete_files(&[&path(binary)]).await
    {
        tracing::warn!(binary = %binary.display(), error = %second, "the kept program stays");
    }
    Err(error)
}

/// After a start: a kept program is of no use when it went well. When the start was refused, the program is put
/// back and `again` starts it, and the error of the first start also tells how that went.
pub async fn settle(
    files: &dyn Files,
    binary: &Path,
    started: Result<(), ManagerError>,
    again: impl Future<Output = Result<(), ManagerError>> + Send,
) -> Result<(), ManagerError> {
    match started {
        Ok(()) => {
            forget(files, binary).await;
            Ok(())
        }
        Err(ManagerError::Rejected { what, words }) if is_kept(binary) => {
            let back = put_back(files, binary).await?;
            let words = format!("{words}; {}", back.told_with(again.await));
            Err(ManagerError::Rejected { what, words })
        }
        other => other,
    }
}

/// Whether there is a program to go back to.
pub fn is_kept(binary: &Path) -> bool {
    std::fs::symlink_metadata(path(binary)).is_ok_and(|entry| entry.is_file())
}

/// After a start that went well. The node runs; a file too many is no reason to say that it does not.
pub async fn forget(files: &dyn Files, binary: &Path) {
    let kept = path(binary);
    if is_kept(binary)
        && let Err(error) = files.delete_files(&[&kept]).await
    {
        tracing::warn!(file = %kept.display(), %error, "the replaced program stays");
    }
}

/// After a start that was refused: the kept program takes its place again.
pub async fn put_back(files: &dyn Files, binary: &Path) -> Result<PutBack, ManagerError> {
    let kept = path(binary);
    if is_one_file(&kept, binary) {
        files.delete_files(&[&kept]).await?;
        Ok(PutBack("the same program was started again"))
    } else {
        files.rename(&kept, binary).await?;
        Ok(PutBack("the previous program was put back"))
    }
}

/// What was done about a program that does not start.
#[derive(Debug, Clone, Copy)]
pub struct PutBack(&'static str);

impl PutBack {
    /// In words, with how the start after it went.
    pub fn told_with(self, again: Result<(), ManagerError>) -> String {
        match again {
            Ok(()) => format!("{} and runs", self.0),
            Err(error) => format!("{} and does not start either: {error}", self.0),
        }
    }
}

/// Whether both are names of one file: the program was kept and then not replaced, having been the same already. A
/// rename would leave both names, or be refused, depending on who does it.
fn is_one_file(one: &Path, other: &Path) -> bool {
    let place = |path| {
        let entry = std::fs::symlink_metadata(path).ok()?;
        Some((entry.dev(), entry.ino()))
    };
    place(one).is_some_and(|found| place(other) == Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Direct;

    fn refused() -> Result<(), ManagerError> {
        Err(ManagerError::Rejected {
            what: "starting".to_owned(),
            words: "no".to_owned(),
        })
    }

    #[tokio::test]
    async fn a_copy_that_failed_leaves_a_kept_program_only_where_it_differs() {
        let dir = tempfile::tempdir().unwrap();
        let binary = dir.path().join("antnode");
        let files = Direct::for_caller();
        std::fs::write(&binary, "first").unwrap();
        keep(&files, &binary).await.unwrap();
        after_copy(&files, &binary, Ok(())).await.unwrap();
        assert!(path(&binary).exists());
        after_copy(&files, &binary, refused()).await.unwrap_err();
        assert!(!path(&binary).exists());
        assert_eq!(std::fs::read_to_string(&binary).unwrap(), "first");
        // The program is another one that has not started yet.
        std::fs::write(path(&binary), "first").unwrap();
        std::fs::write(&binary, "second").unwrap();
        after_copy(&files, &binary, refused()).await.unwrap_err();
        assert!(path(&binary).exists());
    }

    #[tokio::test]
    async fn the_old_program_goes_after_a_start_and_comes_back_after_a_refusal() {
        let dir = tempfile::tempdir().unwrap();
        let binary = dir.path().join("antnode");
        let files = Direct::for_caller();
        let write = |words: &str| std::fs::write(dir.path().join("source"), words).unwrap();
        let install = || async {
            keep(&files, &binary).await.unwrap();
            files
                .install(&dir.path().join("source"), &binary)
                .await
                .unwrap();
        };
        write("first");
        install().await;
        write("second");
        install().await;
        settle(&files, &binary, Ok(()), async { unreachable!() })
            .await
            .unwrap();
        assert!(!path(&binary).exists());
        write("third");
        install().await;
        write("fourth");
        install().await;
        // Nothing is known of a start that ended in another way.
        let unknown = Err(ManagerError::NotFound("it".to_owned()));
        settle(&files, &binary, unknown, async { unreachable!() })
            .await
            .unwrap_err();
        assert_eq!(std::fs::read_to_string(&binary).unwrap(), "fourth");
        let error = settle(&files, &binary, refused(), async { Ok(()) }).await;
        let error = error.unwrap_err().to_string();
        assert_eq!(
            error,
            "starting: no; the previous program was put back and runs"
        );
        assert_eq!(std::fs::read_to_string(&binary).unwrap(), "second");
    }

    #[tokio::test]
    async fn a_program_that_was_not_replaced_is_not_kept_twice() {
        let dir = tempfile::tempdir().unwrap();
        let binary = dir.path().join("antnode");
        let files = Direct::for_caller();
        std::fs::write(&binary, "first").unwrap();
        keep(&files, &binary).await.unwrap();
        let error = settle(&files, &binary, refused(), async { Ok(()) }).await;
        let error = error.unwrap_err().to_string();
        assert_eq!(
            error,
            "starting: no; the same program was started again and runs"
        );
        assert!(!path(&binary).exists());
        assert_eq!(std::fs::read_to_string(&binary).unwrap(), "first");
    }
}
