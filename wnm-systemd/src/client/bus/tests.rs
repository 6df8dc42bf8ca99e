//! Tests the client against a fake manager over a socket pair, without a bus or systemd.

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use zbus::object_server::SignalEmitter;
use zbus::{Guid, ObjectPath, OwnedObjectPath, fdo, interface};

use super::proxy::UnitRow;
use super::*;

const ROOT: &str = "/org/freedesktop/systemd1";

/// A fake manager that records the calls it receives.
struct Manager {
    calls: Arc<Mutex<Vec<String>>>,
    jobs: u32,
}

fn path(text: &str) -> OwnedObjectPath {
    ObjectPath::try_from(text.to_owned()).unwrap().into()
}

impl Manager {
    fn note(&self, words: String) {
        self.calls.lock().unwrap().push(words);
    }

    /// Sends the signal before the reply: a job can finish as soon as it is queued.
    async fn job(
        &mut self,
        words: String,
        unit: &str,
        emitter: SignalEmitter<'_>,
    ) -> fdo::Result<OwnedObjectPath> {
        self.note(words);
        if unit.starts_with("denied") {
            return Err(fdo::Error::AccessDenied("no right".to_owned()));
        }
        self.jobs += 1;
        let job = path(&format!("{ROOT}/job/{}", self.jobs));
        Self::job_removed(
            &emitter,
            self.jobs,
            job.clone(),
            unit.to_owned(),
            "done".to_owned(),
        )
        .await?;
        Ok(job)
    }
}

#[interface(name = "org.freedesktop.systemd1.Manager")]
impl Manager {
    fn subscribe(&self) {
        self.note("subscribe".to_owned());
    }

    fn list_units_by_patterns(&self, _states: Vec<String>, patterns: Vec<String>) -> Vec<UnitRow> {
        self.note(format!("list {}", patterns.join(" ")));
        let row = |name: &str, active: &str| {
            let text = |text: &str| text.to_owned();
            let root = path(ROOT);
            let sub = text("running");
            let loaded = text("loaded");
            (
                text(name),
                text("d"),
                loaded,
                text(active),
                sub,
                text(""),
                root.clone(),
                0,
                text(""),
                root,
            )
        };
        vec![
            row("antnode0001.service", "active"),
            row("antnode0002.service", "failed"),
        ]
    }

    fn list_unit_files_by_patterns(
        &self,
        _states: Vec<String>,
        _patterns: Vec<String>,
    ) -> Vec<(String, String)> {
        ["antnode0002", "antnode0003"]
            .map(|name| {
                (
                    format!("/etc/systemd/system/{name}.service"),
                    "disabled".to_owned(),
                )
            })
            .into()
    }

    async fn start_unit(
        &mut self,
        name: &str,
        mode: &str,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> fdo::Result<OwnedObjectPath> {
        self.job(format!("start {name} {mode}"), name, emitter)
            .await
    }

    async fn stop_unit(
        &mut self,
        name: &str,
        mode: &str,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> fdo::Result<OwnedObjectPath> {
        self.job(format!("stop {name} {mode}"), name, emitter).await
    }

    fn enable_unit_files(
        &self,
        files: Vec<String>,
        runtime: bool,
        force: bool,
    ) -> (bool, Vec<(String, String, String)>) {
        self.note(format!("enable {} {runtime} {force}", files.join(" ")));
        (true, Vec::new())
    }

    fn reload(&self) -> fdo::Result<()> {
        Err(fdo::Error::Failed("disk full".to_owned()))
    }

    #[zbus(signal)]
    async fn job_removed(
        emitter: &SignalEmitter<'_>,
        id: u32,
        job: OwnedObjectPath,
        unit: String,
        result: String,
    ) -> zbus::Result<()>;
}

/// Returns a client, the fake's connection that must stay alive, and the recorded calls.
async fn connected() -> (BusClient, Connection, Arc<Mutex<Vec<String>>>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let manager = Manager {
        calls: Arc::clone(&calls),
        jobs: 0,
    };
    let server = Builder::unix_stream(theirs)
        .server(Guid::generate())
        .p2p()
        .serve_at(ROOT, manager)
        .build();
    let client = Builder::unix_stream(ours).p2p().build();
    let (server, client) = tokio::try_join!(server, client).unwrap();
    (
        BusClient::with_connection(client).await.unwrap(),
        server,
        calls,
    )
}

#[tokio::test]
async fn lists_loaded_units_and_units_on_disk() {
    let (bus, _server, calls) = connected().await;
    let units = bus.units(&["antnode*.service".to_owned()]).await.unwrap();
    assert_eq!(units.len(), 3);
    let state = |active: &str| Unit::Loaded {
        load: "loaded".into(),
        active: active.into(),
    };
    assert_eq!(units["antnode0001.service"], state("active"));
    assert_eq!(units["antnode0002.service"], state("failed"));
    assert_eq!(units["antnode0003.service"], Unit::OnDisk);
    assert_eq!(
        *calls.lock().unwrap(),
        ["subscribe", "list antnode*.service"]
    );
}

#[tokio::test]
async fn waits_for_jobs_however_early_they_finish() {
    let (bus, _server, calls) = connected().await;
    bus.start("antnode0001.service").await.unwrap();
    // More than fit into any signal queue.
    let many: Vec<String> = (0..500).map(|n| format!("antnode{n}.service")).collect();
    bus.stop(&many).await.unwrap();
    let calls = calls.lock().unwrap();
    assert_eq!(calls[1], "start antnode0001.service replace");
    assert_eq!(calls.len(), 502);
}

#[tokio::test]
async fn maps_dbus_errors() {
    let (bus, server, _) = connected().await;
    let denied = bus.start("denied.service").await.unwrap_err();
    assert!(matches!(denied, ClientError::NotPermitted(_)), "{denied}");
    let failed = bus.reload().await.unwrap_err();
    let expected = ClientError::Rejected {
        what: "reloading systemd".to_owned(),
        words: "disk full".to_owned(),
    };
    assert_eq!(failed, expected);
    server.close().await.unwrap();
    let gone = bus.units(&[]).await.unwrap_err();
    assert!(matches!(gone, ClientError::Unreachable(_)), "{gone}");
}

#[tokio::test]
async fn a_missing_bus_is_unreachable() {
    let dir = tempfile::tempdir().unwrap();
    let domain = Domain::User {
        runtime: dir.path().to_owned(),
        in_environment: true,
    };
    let error = BusClient::connect(&domain).await.err().unwrap();
    assert!(matches!(error, ClientError::Unreachable(_)), "{error}");
}
