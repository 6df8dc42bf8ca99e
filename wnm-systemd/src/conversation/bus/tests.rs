//! The proxy against a manager at the other end of a pair of sockets: no bus, no systemd.

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use zbus::object_server::SignalEmitter;
use zbus::{Guid, ObjectPath, OwnedObjectPath, fdo, interface};

use super::proxy::UnitRow;
use super::*;

const ROOT: &str = "/org/freedesktop/systemd1";

/// Plays the manager: what it is to say, and what it was told.
struct Manager {
    told: Arc<Mutex<Vec<String>>>,
    jobs: u32,
}

fn path(text: &str) -> OwnedObjectPath {
    ObjectPath::try_from(text.to_owned()).unwrap().into()
}

impl Manager {
    fn note(&self, words: String) {
        self.told.lock().unwrap().push(words);
    }

    /// The signal goes out before the answer: a job can be over as soon as it is asked for.
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

/// A bus to a manager, which lives as long as the connection that comes with it.
async fn connected() -> (Bus, Connection, Arc<Mutex<Vec<String>>>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let manager = Manager {
        told: Arc::clone(&told),
        jobs: 0,
    };
    let server = Builder::unix_stream(theirs)
        .server(Guid::generate())
        .p2p()
        .serve_at(ROOT, manager)
        .build();
    let client = Builder::unix_stream(ours).p2p().build();
    let (server, client) = tokio::try_join!(server, client).unwrap();
    (Bus::over(client).await.unwrap(), server, told)
}

#[tokio::test]
async fn one_question_joins_what_is_loaded_and_what_is_on_disk() {
    let (bus, _server, told) = connected().await;
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
        *told.lock().unwrap(),
        ["subscribe", "list antnode*.service"]
    );
}

#[tokio::test]
async fn jobs_are_waited_for_however_early_they_end() {
    let (bus, _server, told) = connected().await;
    bus.start("antnode0001.service").await.unwrap();
    // More than fit into any queue of signals.
    let many: Vec<String> = (0..500).map(|n| format!("antnode{n}.service")).collect();
    bus.stop(&many).await.unwrap();
    let told = told.lock().unwrap();
    assert_eq!(told[1], "start antnode0001.service replace");
    assert_eq!(told.len(), 502);
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let (bus, server, _) = connected().await;
    let denied = bus.start("denied.service").await.unwrap_err();
    assert!(matches!(denied, TalkError::NotPermitted(_)), "{denied}");
    let failed = bus.reload().await.unwrap_err();
    let expected = TalkError::Rejected {
        what: "reloading systemd".to_owned(),
        words: "disk full".to_owned(),
    };
    assert_eq!(failed, expected);
    server.close().await.unwrap();
    let gone = bus.units(&[]).await.unwrap_err();
    assert!(matches!(gone, TalkError::Unreachable(_)), "{gone}");
}

#[tokio::test]
async fn where_no_bus_listens_it_is_unreachable() {
    let dir = tempfile::tempdir().unwrap();
    let domain = Domain::User {
        runtime: dir.path().to_owned(),
        told: true,
    };
    let error = Bus::connect(&domain).await.err().unwrap();
    assert!(matches!(error, TalkError::Unreachable(_)), "{error}");
}
