//! Starting a program that may just have been written.

use std::io;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::Instant;

/// Longest wait for a program that is held open by a child on its way to its own exec, which takes milliseconds.
const FREE_WITHIN: Duration = Duration::from_secs(5);

/// How often it is tried meanwhile: nothing reports that the last writer is gone.
const TRY_EVERY: Duration = Duration::from_millis(10);

/// Starts a program that may just have been written. While it was, this process may have started another:
/// between its fork and its exec that child holds every file that is open for writing, and the kernel refuses to
/// run a file that someone could still write to.
pub async fn spawn_when_free(command: &mut Command) -> io::Result<Child> {
    let deadline = Instant::now() + FREE_WITHIN;
    let mut tries = tokio::time::interval(TRY_EVERY);
    loop {
        tries.tick().await;
        match command.spawn() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy
                    && Instant::now() < deadline => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;

    use super::*;
    use crate::files::install_program;

    /// A program that ends at once, its file held open for writing, and what starts it.
    fn busy_program(dir: &Path) -> (File, Command) {
        let program = dir.join("program");
        install_program(Path::new("/bin/sh"), &program).unwrap();
        let held = File::options().append(true).open(&program).unwrap();
        let mut command = Command::new(&program);
        command.args(["-c", "exit 7"]);
        (held, command)
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_is_held_open_is_started_once_it_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let (held, mut command) = busy_program(dir.path());
        assert_eq!(
            command.spawn().unwrap_err().kind(),
            io::ErrorKind::ExecutableFileBusy
        );
        let (child, ()) = tokio::join!(spawn_when_free(&mut command), async {
            tokio::time::sleep(TRY_EVERY * 10).await;
            drop(held);
        });
        let status = child.unwrap().wait().await.unwrap();
        assert_eq!(status.code(), Some(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_stays_held_open_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let (_held, mut command) = busy_program(dir.path());
        let begun = Instant::now();
        let error = spawn_when_free(&mut command).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ExecutableFileBusy);
        assert!(begun.elapsed() >= FREE_WITHIN);
    }
}
