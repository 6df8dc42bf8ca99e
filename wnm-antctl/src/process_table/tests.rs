use super::*;
use crate::registry::Registry;

/// A fake process table and node directories.
struct Table {
    dir: tempfile::TempDir,
}

impl Table {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("proc")).unwrap();
        std::os::unix::fs::symlink("1", dir.path().join("proc/self")).unwrap();
        Self { dir }
    }

    fn process_table(&self) -> ProcessTable {
        ProcessTable {
            table: self.dir.path().join("proc"),
            other_accounts: false,
        }
    }

    fn program(&self, number: u32) -> PathBuf {
        self.data_dir(number).join("antnode")
    }

    fn data_dir(&self, number: u32) -> PathBuf {
        self.dir.path().join(format!("antnode{number}"))
    }

    fn service(&self, number: u32, status: &str) -> Service {
        std::fs::create_dir_all(self.data_dir(number)).unwrap();
        let entry = serde_json::json!({"nodes": [{
            "service_name": format!("antnode{number}"), "status": status,
            "antnode_path": self.program(number), "data_dir_path": self.data_dir(number),
        }]});
        let registry = Registry::parse(entry.to_string().as_bytes()).unwrap();
        registry.services()[0].clone()
    }

    fn add_process(&self, pid: u32, exe: &str, argv: &[&str]) {
        let process = self.dir.path().join("proc").join(pid.to_string());
        std::fs::create_dir(&process).unwrap();
        std::os::unix::fs::symlink(exe, process.join("exe")).unwrap();
        std::fs::write(process.join("cmdline"), argv.join("\0") + "\0").unwrap();
    }

    fn write_pid_file(&self, number: u32, content: &str) {
        std::fs::write(self.data_dir(number).join(PID_FILE), content).unwrap();
    }

    fn state(&self, service: &Service) -> ProcessState {
        self.process_table()
            .read_states(std::slice::from_ref(service))
            .remove(0)
    }
}

fn running(pid: u32) -> ProcessState {
    ProcessState::Running { pid: Some(pid) }
}

#[test]
fn a_pid_counts_only_if_it_runs_the_nodes_program() {
    let table = Table::new();
    let service = table.service(1, "Running");
    let exe = table.program(1).display().to_string();
    assert_eq!(table.state(&service), ProcessState::Stopped, "no process");
    // The pid now belongs to another node, or to a program that is not a node.
    table.add_process(7, "/n/other/antnode", &["/n/other/antnode"]);
    table.add_process(8, "/bin/sleep", &[&exe, "--root-dir", "x"]);
    for stale in ["7", "8", "9", "", "x", "-1", &"7".repeat(40)] {
        table.write_pid_file(1, stale);
        assert_eq!(table.state(&service), ProcessState::Stopped, "{stale}");
    }
    table.add_process(10, &exe, &[&exe, "--version"]);
    assert_eq!(
        table.state(&service),
        ProcessState::Stopped,
        "only --version"
    );
    table.add_process(11, &exe, &[&exe, "--rpc", "127.0.0.1:1"]);
    table.write_pid_file(1, "10");
    assert_eq!(table.state(&service), running(11), "found without the file");
    table.write_pid_file(1, "11\n");
    assert_eq!(table.state(&service), running(11));
}

#[test]
fn a_node_that_replaced_itself_still_matches() {
    let table = Table::new();
    let service = table.service(2, "Stopped");
    let exe = table.program(2).display().to_string();
    table.add_process(5, &format!("{exe} (deleted)"), &[&exe, "--port", "1"]);
    assert_eq!(table.state(&service), running(5), "whatever antctl says");
}

#[test]
fn an_unreadable_table_makes_states_unknown() {
    let table = Table::new();
    let service = table.service(1, "Stopped");
    std::fs::remove_file(table.dir.path().join("proc/self")).unwrap();
    assert!(matches!(table.state(&service), ProcessState::Unknown(_)));
    let mut process_table = table.process_table();
    process_table.other_accounts = true;
    std::os::unix::fs::symlink("1", table.dir.path().join("proc/self")).unwrap();
    let state = process_table.read_states(&[service]).remove(0);
    assert!(matches!(state, ProcessState::Unknown(reason) if reason.contains("hidepid")));
}
