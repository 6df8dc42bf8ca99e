//! Checks the `systemctl` commands and how their output is interpreted.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use wnm_core::command::{CommandError, CommandOutput, CommandRunner, CommandSpec};

use crate::client::{Client, ClientError, Systemctl, Unit};
use crate::domain::Domain;

/// Answers a command that contains a given text, and records all commands.
struct FakeSystemctl {
    replies: Vec<(&'static str, i32, &'static str, &'static str)>,
    commands: Mutex<Vec<String>>,
}

#[async_trait]
impl CommandRunner for FakeSystemctl {
    async fn run(&self, spec: &CommandSpec) -> Result<CommandOutput, CommandError> {
        let args: Vec<_> = spec.args.iter().map(|arg| arg.to_string_lossy()).collect();
        let words = args.join(" ");
        let (_, code, stdout, stderr) = self
            .replies
            .iter()
            .find(|(part, ..)| words.contains(part))
            .copied()
            .unwrap_or_default();
        self.commands.lock().unwrap().push(words);
        Ok(CommandOutput {
            code: Some(code),
            stdout: stdout.into(),
            stderr: stderr.into(),
        })
    }
}

fn systemctl(
    replies: Vec<(&'static str, i32, &'static str, &'static str)>,
) -> (Systemctl, Arc<FakeSystemctl>) {
    let answers = Arc::new(FakeSystemctl {
        replies,
        commands: Mutex::default(),
    });
    let domain = Domain::User {
        runtime: "/run/user/7".into(),
        in_environment: true,
    };
    (Systemctl::new(domain, answers.clone()), answers)
}

#[tokio::test]
async fn lists_loaded_units_and_units_on_disk() {
    let loaded = r#"[{"unit":"a.service","load":"loaded","active":"active","sub":"running","description":"x"},
        {"unit":"gone.service","load":"not-found","active":"inactive","sub":"dead","description":""}]"#;
    let files = r#"[{"unit_file":"a.service","state":"enabled","vendor_preset":"enabled"},
        {"unit_file":"b.service","state":"disabled","preset":null}]"#;
    let (client, commands) = systemctl(vec![
        ("list-unit-files", 0, files, ""),
        ("list-units", 0, loaded, ""),
    ]);
    let units = client
        .units(&["antnode*.service".to_owned()])
        .await
        .unwrap();
    assert_eq!(units.len(), 3);
    let state = |load: &str, active: &str| Unit::Loaded {
        load: load.into(),
        active: active.into(),
    };
    assert_eq!(units["a.service"], state("loaded", "active"));
    assert_eq!(units["b.service"], Unit::OnDisk);
    assert_eq!(units["gone.service"], state("not-found", "inactive"));
    assert_eq!(commands.commands.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn classifies_failures() {
    let reload_error = async |code, stderr| {
        let (client, _) = systemctl(vec![("", code, "", stderr)]);
        client.reload().await.unwrap_err()
    };
    let bus = "Failed to connect to bus: No medium found";
    assert!(matches!(
        reload_error(1, bus).await,
        ClientError::Unreachable(_)
    ));
    let access = "Failed to reload daemon: Access denied";
    assert!(matches!(
        reload_error(1, access).await,
        ClientError::NotPermitted(_)
    ));
    let auth = "Failed to start x.service: Interactive authentication required.";
    assert!(matches!(
        reload_error(4, auth).await,
        ClientError::NotPermitted(_)
    ));
    assert!(matches!(
        reload_error(1, "No such thing").await,
        ClientError::Rejected { .. }
    ));
}

#[tokio::test]
async fn no_output_and_garbage_are_not_an_empty_list() {
    let (client, _) = systemctl(vec![("", 0, "{not json", "")]);
    assert!(matches!(
        client.units(&[]).await.unwrap_err(),
        ClientError::Unreachable(_)
    ));
    let (client, _) = systemctl(vec![(
        "",
        1,
        "",
        "Failed to connect to bus: Connection refused",
    )]);
    assert!(matches!(
        client.units(&[]).await.unwrap_err(),
        ClientError::Unreachable(_)
    ));
    let (client, _) = systemctl(vec![("", 0, "[]\n", "")]);
    assert!(client.units(&[]).await.unwrap().is_empty());
    let (client, _) = systemctl(vec![("", 1, "[]\n", "")]);
    assert!(client.units(&[]).await.unwrap().is_empty());
    let (client, _) = systemctl(vec![("", 1, "", "")]);
    client.units(&[]).await.unwrap_err();
}

#[tokio::test]
async fn a_refused_stop_is_ignored_and_a_refused_start_is_an_error() {
    let (client, commands) = systemctl(vec![
        ("stop", 5, "", "Unit x.service not loaded."),
        ("start", 1, "", "no"),
    ]);
    let many: Vec<String> = (0..1200).map(|n| format!("antnode{n}.service")).collect();
    client.stop(&many).await.unwrap();
    assert_eq!(commands.commands.lock().unwrap().len(), 3);
    assert!(matches!(
        client.start("x.service").await.unwrap_err(),
        ClientError::Rejected { .. }
    ));
}

#[tokio::test]
async fn details_are_parsed_by_name() {
    let answer = "NRestarts=2\nResult=exit-code\nExecMainStatus=203\nLoadState=loaded\n\
        ActiveState=activating\nSubState=auto-restart\n";
    let (client, _) = systemctl(vec![("show", 0, answer, "")]);
    let details = client.details("x.service").await.unwrap();
    assert_eq!((details.restarts, details.status), (2, 203));
    assert_eq!(
        (details.sub.as_str(), details.result.as_str()),
        ("auto-restart", "exit-code")
    );
}
