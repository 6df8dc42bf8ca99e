//! Reads and writes `colony.db` behind the program's back, as another program would.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as Connection, DbBackend, DbErr, Statement,
};

/// A database file.
#[derive(Debug, Clone)]
pub struct Database {
    path: PathBuf,
}

/// A lock on the database that keeps others from writing.
#[derive(Debug)]
pub struct Held {
    release: Option<Sender<()>>,
    thread: Option<JoinHandle<Result<(), DbErr>>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.release.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            let ended = ended.expect("it is dropped once");
            ended
                .expect("the holder panicked")
                .expect("the lock was lost");
        }
    }
}

/// The columns of a node's row that tests look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// `id`.
    pub id: u32,
    /// `node_name`.
    pub name: String,
    /// `service`.
    pub service: String,
    /// `status`, the word that people read.
    pub status: String,
    /// `version`.
    pub version: Option<String>,
    /// `peer_id`.
    pub peer_id: Option<String>,
    /// `root_dir`.
    pub root_dir: PathBuf,
    /// `port`.
    pub port: u16,
    /// `metrics_port`.
    pub metrics_port: Option<u16>,
}

impl Database {
    /// The database in this file, which need not exist yet.
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file exists.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// The nodes, by id. None when there is no database.
    pub fn nodes(&self) -> Vec<NodeRow> {
        if !self.exists() {
            return Vec::new();
        }
        let columns = [
            "id",
            "node_name",
            "service",
            "status",
            "version",
            "peer_id",
            "root_dir",
            "port",
            "metrics_port",
        ];
        let rows = self.rows(&columns, "node ORDER BY id");
        rows.into_iter().map(node_row).collect()
    }

    /// One value: the first column of the first row of `SELECT {what}`.
    pub fn value(&self, what: &str) -> Option<String> {
        self.query(&format!("SELECT CAST(({what}) AS TEXT)"), 1)
            .into_iter()
            .next()
            .and_then(|mut row| row.remove(0))
    }

    /// The values of these columns in `from` (a table and what may follow it), each as text.
    pub fn rows(&self, columns: &[&str], from: &str) -> Vec<Vec<Option<String>>> {
        let texts: Vec<String> = columns
            .iter()
            .map(|column| format!("CAST({column} AS TEXT)"))
            .collect();
        let sql = format!("SELECT {} FROM {from}", texts.join(", "));
        self.query(&sql, columns.len())
    }

    /// Runs a statement that changes something, to prepare a test.
    pub fn execute(&self, sql: &str) {
        self.with("rw", sql, async |connection, sql| {
            connection.execute_unprepared(sql).await.map(drop)
        });
    }

    /// Takes the lock under which SQLite lets one connection write, until the result is dropped.
    pub fn hold(&self) -> Held {
        let url = format!("sqlite://{}?mode=rw", self.path.display());
        let (ready, is_ready) = channel();
        let (release, released) = channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("no runtime");
            runtime.block_on(async {
                let mut options = ConnectOptions::new(url);
                options.max_connections(1);
                let connection = Connection::connect(options).await?;
                connection.execute_unprepared("BEGIN IMMEDIATE").await?;
                ready.send(()).expect("nobody waits for the lock");
                // Fails once the lock is dropped, which is what it waits for.
                released.recv().ok();
                connection.execute_unprepared("ROLLBACK").await?;
                connection.close().await
            })
        });
        is_ready.recv().expect("the database cannot be locked");
        Held {
            release: Some(release),
            thread: Some(thread),
        }
    }

    /// Prints every event of the journal, for a test that fails.
    pub fn print_events(&self) {
        let columns = ["at", "node", "action", "outcome", "reason"];
        for event in self.rows(&columns, "wnm_event ORDER BY id") {
            let words: Vec<String> = event.into_iter().flatten().collect();
            eprintln!("{}", words.join(" "));
        }
    }

    fn query(&self, sql: &str, columns: usize) -> Vec<Vec<Option<String>>> {
        self.with("ro", sql, async |connection, sql| {
            let statement = Statement::from_string(DbBackend::Sqlite, sql);
            let rows = connection.query_all_raw(statement).await?;
            rows.iter()
                .map(|row| (0..columns).map(|at| row.try_get_by_index(at)).collect())
                .collect()
        })
    }

    /// Runs `work` on its own thread, so that tests within a runtime can call this, too.
    fn with<T: Send>(
        &self,
        mode: &str,
        sql: &str,
        work: impl AsyncFnOnce(&sea_orm::DatabaseConnection, &str) -> Result<T, DbErr> + Send,
    ) -> T {
        let url = format!("sqlite://{}?mode={mode}", self.path.display());
        let done = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("no runtime");
                runtime.block_on(async {
                    let connection = Connection::connect(&url).await?;
                    let done = work(&connection, sql).await;
                    connection.close().await?;
                    done
                })
            });
            thread.join().expect("the database thread panicked")
        });
        done.unwrap_or_else(|error| panic!("{}: {error}: {sql}", self.path.display()))
    }
}

fn node_row(row: Vec<Option<String>>) -> NodeRow {
    let columns: [Option<String>; 9] = row.try_into().expect("nine columns were asked for");
    let [
        id,
        name,
        service,
        status,
        version,
        peer_id,
        root_dir,
        port,
        metrics_port,
    ] = columns;
    let there = |value: Option<String>| value.expect("a column that must be set is NULL");
    NodeRow {
        id: number(&there(id)),
        name: there(name),
        service: there(service),
        status: there(status),
        version,
        peer_id,
        root_dir: there(root_dir).into(),
        port: number(&there(port)),
        metrics_port: metrics_port.as_deref().map(number),
    }
}

fn number<T: FromStr>(text: &str) -> T {
    text.parse()
        .unwrap_or_else(|_| panic!("'{text}' is no number of its column"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_back_as_text() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("colony.db");
        let database = Database::at(&path);
        assert!(!database.exists());
        assert_eq!(database.nodes(), []);
        std::fs::write(&path, b"").unwrap();
        database.execute(
            "CREATE TABLE node (id INTEGER, node_name TEXT, service TEXT, status TEXT, version TEXT, \
             peer_id TEXT, root_dir TEXT, port INTEGER, metrics_port INTEGER)",
        );
        assert_eq!(database.nodes(), []);
        database.execute(
            "INSERT INTO node VALUES (7, '0007', 'antnode0007.service', 'RUNNING', NULL, 'p', '/n', 10007, 0)",
        );
        let nodes = database.nodes();
        assert_eq!(nodes.len(), 1);
        assert_eq!((nodes[0].id, nodes[0].port), (7, 10007));
        assert_eq!(
            (nodes[0].version.as_deref(), nodes[0].peer_id.as_deref()),
            (None, Some("p"))
        );
        assert_eq!(
            database.value("SELECT count(*) FROM node").as_deref(),
            Some("1")
        );
        assert_eq!(database.value("SELECT version FROM node"), None);
    }
}
