//! What root has to do for a caller who is not root.

use std::sync::Mutex;

use super::*;
use wnm_core::command::{CommandError, CommandOutput};

/// Keeps what it was to run, and refuses as sudo does if told to.
#[derive(Default)]
struct Recorder {
    ran: Mutex<Vec<Vec<String>>>,
    refuses: bool,
}

#[async_trait]
impl CommandRunner for Recorder {
    async fn run(&self, spec: &CommandSpec) -> Result<CommandOutput, CommandError> {
        let mut words = vec![spec.program.to_string_lossy().into_owned()];
        words.extend(
            spec.args
                .iter()
                .map(|arg| arg.to_string_lossy().into_owned()),
        );
        self.ran.lock().unwrap().push(words);
        let refused = CommandOutput {
            code: Some(1),
            stderr: b"sudo: a password is required\n".to_vec(),
            ..CommandOutput::default()
        };
        let done = CommandOutput {
            code: Some(0),
            ..CommandOutput::default()
        };
        Ok(if self.refuses { refused } else { done })
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_file_is_put_there_whole_and_no_shell_sees_its_name() {
    let recorder = Arc::new(Recorder::default());
    let hands = Sudo::new("nobody", recorder.clone());
    hands
        .write(Path::new("/units/a b;c.service"), "[Unit]\n")
        .await
        .unwrap();
    let ran = recorder.ran.lock().unwrap();
    let [install, rename] = &ran[..] else {
        panic!("{ran:?}")
    };
    assert_eq!(install[..4], ["sudo", "-n", "install", "-m"]);
    assert_eq!(install.last().unwrap(), "/units/a b;c.service.new");
    let end = [
        "mv",
        "-f",
        "-T",
        "--",
        "/units/a b;c.service.new",
        "/units/a b;c.service",
    ];
    assert_eq!(rename[2..], end);
}

#[tokio::test]
async fn a_refusal_names_the_command() {
    let hands = Sudo::new(
        "nobody",
        Arc::new(Recorder {
            refuses: true,
            ..Recorder::default()
        }),
    );
    let error = hands
        .delete_files(&[Path::new("/units/x.service")])
        .await
        .unwrap_err();
    assert!(matches!(error, ManagerError::NotPermitted(_)));
    assert_eq!(error.to_string(), {
        "not permitted: rm -f -- /units/x.service: sudo: a password is required"
    });
}

#[test]
fn what_is_no_file_is_not_replaced_by_programs_that_would_go_into_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("file"), b"").unwrap();
    std::fs::create_dir(path("directory")).unwrap();
    std::os::unix::fs::symlink(path("directory"), path("link")).unwrap();
    must_be_replaceable(&path("file")).unwrap();
    must_be_replaceable(&path("nothing")).unwrap();
    must_be_replaceable(&path("directory")).unwrap_err();
    must_be_replaceable(&path("link")).unwrap_err();
}
