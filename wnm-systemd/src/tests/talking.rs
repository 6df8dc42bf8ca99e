//! The words of `systemctl`, and what its answers mean.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use wnm_core::command::{CommandError, CommandOutput, CommandRunner, CommandSpec};

use crate::conversation::{Conversation, Systemctl, TalkError, Unit};
use crate::domain::Domain;

/// Answers the command whose words contain a text, and keeps all that it ran.
struct Answers {
    to: Vec<(&'static str, i32, &'static str, &'static str)>,
    ran: Mutex<Vec<String>>,
}

#[async_trait]
impl CommandRunner for Answers {
    async fn run(&self, spec: &CommandSpec) -> Result<CommandOutput, CommandError> {
        let args: Vec<_> = spec.args.iter().map(|arg| arg.to_string_lossy()).collect();
        let words = args.join(" ");
        let (_, code, stdout, stderr) = self
            .to
            .iter()
            .find(|(part, ..)| words.contains(part))
            .copied()
            .unwrap_or_default();
        self.ran.lock().unwrap().push(words);
        Ok(CommandOutput {
            code: Some(code),
            stdout: stdout.into(),
            stderr: stderr.into(),
        })
    }
}

fn systemctl(
    to: Vec<(&'static str, i32, &'static str, &'static str)>,
) -> (Systemctl, Arc<Answers>) {
    let answers = Arc::new(Answers {
        to,
        ran: Mutex::default(),
    });
    let domain = Domain::User {
        runtime: "/run/user/7".into(),
        told: true,
    };
    (Systemctl::new(domain, answers.clone()), answers)
}

#[tokio::test]
async fn units_in_memory_and_on_disk_are_joined() {
    let loaded = r#"[{"unit":"a.service","load":"loaded","active":"active","sub":"running","description":"x"},
        {"unit":"gone.service","load":"not-found","active":"inactive","sub":"dead","description":""}]"#;
    let files = r#"[{"unit_file":"a.service","state":"enabled","vendor_preset":"enabled"},
        {"unit_file":"b.service","state":"disabled","preset":null}]"#;
    let (talk, ran) = systemctl(vec![
        ("list-unit-files", 0, files, ""),
        ("list-units", 0, loaded, ""),
    ]);
    let units = talk.units(&["antnode*.service".to_owned()]).await.unwrap();
    assert_eq!(units.len(), 3);
    let state = |load: &str, active: &str| Unit::Loaded {
        load: load.into(),
        active: active.into(),
    };
    assert_eq!(units["a.service"], state("loaded", "active"));
    assert_eq!(units["b.service"], Unit::OnDisk);
    assert_eq!(units["gone.service"], state("not-found", "inactive"));
    assert_eq!(ran.ran.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let ask = async |code, stderr| {
        let (talk, _) = systemctl(vec![("", code, "", stderr)]);
        talk.reload().await.unwrap_err()
    };
    let bus = "Failed to connect to bus: No medium found";
    assert!(matches!(ask(1, bus).await, TalkError::Unreachable(_)));
    let access = "Failed to reload daemon: Access denied";
    assert!(matches!(ask(1, access).await, TalkError::NotPermitted(_)));
    let auth = "Failed to start x.service: Interactive authentication required.";
    assert!(matches!(ask(4, auth).await, TalkError::NotPermitted(_)));
    assert!(matches!(
        ask(1, "No such thing").await,
        TalkError::Rejected { .. }
    ));
}

#[tokio::test]
async fn silence_and_garbage_are_no_empty_list() {
    let (talk, _) = systemctl(vec![("", 0, "{not json", "")]);
    assert!(matches!(
        talk.units(&[]).await.unwrap_err(),
        TalkError::Unreachable(_)
    ));
    let (talk, _) = systemctl(vec![(
        "",
        1,
        "",
        "Failed to connect to bus: Connection refused",
    )]);
    assert!(matches!(
        talk.units(&[]).await.unwrap_err(),
        TalkError::Unreachable(_)
    ));
    let (talk, _) = systemctl(vec![("", 0, "[]\n", "")]);
    assert!(talk.units(&[]).await.unwrap().is_empty());
    let (talk, _) = systemctl(vec![("", 1, "[]\n", "")]);
    assert!(talk.units(&[]).await.unwrap().is_empty());
    let (talk, _) = systemctl(vec![("", 1, "", "")]);
    talk.units(&[]).await.unwrap_err();
}

#[tokio::test]
async fn a_unit_that_refuses_to_stop_shows_in_its_state_only() {
    let (talk, ran) = systemctl(vec![
        ("stop", 5, "", "Unit x.service not loaded."),
        ("start", 1, "", "no"),
    ]);
    let many: Vec<String> = (0..1200).map(|n| format!("antnode{n}.service")).collect();
    talk.stop(&many).await.unwrap();
    assert_eq!(ran.ran.lock().unwrap().len(), 3);
    assert!(matches!(
        talk.start("x.service").await.unwrap_err(),
        TalkError::Rejected { .. }
    ));
}

#[tokio::test]
async fn details_are_read_by_name() {
    let answer = "NRestarts=2\nResult=exit-code\nExecMainStatus=203\nLoadState=loaded\n\
        ActiveState=activating\nSubState=auto-restart\n";
    let (talk, _) = systemctl(vec![("show", 0, answer, "")]);
    let details = talk.details("x.service").await.unwrap();
    assert_eq!((details.restarts, details.status), (2, 203));
    assert_eq!(
        (details.sub.as_str(), details.result.as_str()),
        ("auto-restart", "exit-code")
    );
}
