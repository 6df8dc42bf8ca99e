//! The conformance suite over a fake antctl that keeps its services.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::{Value, json};
use wnm_core::manager::ProcessManager;
use wnm_core::node::Node;
use wnm_core::program::NodeBinary;
use wnm_testkit::conformance::Backend;

use super::backend::{Reply, TestBackend};

/// antctl's services by name.
#[derive(Default)]
struct Services {
    dir: OnceLock<PathBuf>,
    services: Mutex<BTreeMap<String, Value>>,
    silent: std::sync::atomic::AtomicBool,
}

impl Services {
    fn dir(&self) -> &Path {
        self.dir.get().unwrap()
    }

    fn answer(&self, args: &[String]) -> Reply {
        if self.silent.load(std::sync::atomic::Ordering::Relaxed) {
            return Reply::Hangs;
        }
        let option = |name: &str| {
            let at = args.iter().position(|arg| arg == name)?;
            args.get(at + 1).cloned()
        };
        let mut services = self.services.lock().unwrap();
        match args[0].as_str() {
            "status" => {
                let nodes: Vec<&Value> = services.values().collect();
                return Reply::Prints(json!({ "nodes": nodes, "daemon": null }).to_string());
            }
            "add" => {
                let number = services.len() + 1;
                let name = format!("antnode{number}");
                let path = |option_name| Path::new(&option(option_name).unwrap()).join(&name);
                let (data, logs) = (path("--data-dir-path"), path("--log-dir-path"));
                for directory in [&data, &logs, &self.dir().join("units")] {
                    std::fs::create_dir_all(directory).unwrap();
                }
                std::fs::copy(option("--path").unwrap(), data.join("antnode")).unwrap();
                let exec = format!("[Service]\nExecStart={}/antnode\n", data.display());
                std::fs::write(self.unit(&name), exec).unwrap();
                let port = |name| option(name).map(|port| port.parse::<u16>().unwrap());
                let service = json!({
                    "service_name": name,
                    "status": "Added",
                    "antnode_path": data.join("antnode"),
                    "data_dir_path": data,
                    "log_dir_path": logs,
                    "node_port": port("--node-port"),
                    "metrics_port": port("--metrics-port"),
                });
                services.insert(name, service);
            }
            "reset" => {
                for name in std::mem::take(&mut *services).into_keys() {
                    self.delete(&name);
                }
            }
            act => {
                let name = option("--service-name").unwrap();
                let Some(service) = services.get_mut(&name) else {
                    return Reply::Fails("No service named");
                };
                let program = PathBuf::from(service["antnode_path"].as_str().unwrap());
                match act {
                    "start" => self.run(&name, &program),
                    "stop" => self.end(&name),
                    "remove" => {
                        self.delete(&name);
                        std::fs::remove_dir_all(program.parent().unwrap()).unwrap();
                        services.remove(&name);
                        return Reply::Prints(String::new());
                    }
                    "upgrade" => {
                        self.end(&name);
                        std::fs::copy(option("--path").unwrap(), &program).unwrap();
                        if !args.contains(&"--do-not-start".to_owned()) {
                            self.run(&name, &program);
                        }
                    }
                    other => panic!("{other}"),
                }
                let runs = self.process(&name).exists();
                service["status"] = if runs { "Running" } else { "Stopped" }.into();
            }
        }
        Reply::Prints(String::new())
    }

    fn unit(&self, name: &str) -> PathBuf {
        self.dir().join("units").join(format!("{name}.service"))
    }

    /// The entry of a service's process in the process table.
    fn process(&self, name: &str) -> PathBuf {
        let number = name.trim_start_matches("antnode");
        self.dir().join("proc").join(format!("77{number}"))
    }

    fn run(&self, name: &str, program: &Path) {
        let process = self.process(name);
        if process.exists() {
            return;
        }
        std::fs::create_dir_all(&process).unwrap();
        std::fs::write(process.join("cmdline"), "antnode\0").unwrap();
        std::os::unix::fs::symlink(program, process.join("exe")).unwrap();
    }

    fn end(&self, name: &str) {
        // The process may have ended before.
        std::fs::remove_dir_all(self.process(name)).ok();
    }

    fn delete(&self, name: &str) {
        self.end(name);
        std::fs::remove_file(self.unit(name)).ok();
    }
}

struct KeepsServices {
    backend: TestBackend,
    antctl: Arc<Services>,
}

impl KeepsServices {
    fn new() -> Self {
        let antctl = Arc::new(Services::default());
        let answers = Arc::clone(&antctl);
        let backend = TestBackend::with(move |args| answers.answer(args));
        antctl.dir.set(backend.dir.path().to_owned()).unwrap();
        for name in ["first", "second"] {
            std::fs::write(backend.dir.path().join(name), name).unwrap();
        }
        Self { backend, antctl }
    }

    fn program(&self, name: &str) -> NodeBinary {
        NodeBinary {
            path: self.backend.dir.path().join(name),
            ..self.backend.binary()
        }
    }
}

impl Backend for KeepsServices {
    fn manager(&self) -> &dyn ProcessManager {
        &self.backend.manager
    }

    fn node(&self, number: u32) -> Node {
        let node = self.backend.node(number);
        let root_dir = self
            .backend
            .dir
            .path()
            .join("nodes")
            .join(node.id.directory_name());
        Node {
            service: node.id.directory_name(),
            binary: root_dir.join("antnode"),
            root_dir,
            ..node
        }
    }

    fn binary(&self) -> NodeBinary {
        self.program("first")
    }

    fn newer_binary(&self) -> NodeBinary {
        self.program("second")
    }

    fn is_running(&self, node: &Node) -> bool {
        self.antctl.process(&node.service).exists()
    }

    fn kill(&self, node: &Node) {
        self.antctl.end(&node.service);
    }

    fn silence(&self) -> bool {
        let silent = &self.antctl.silent;
        silent.store(true, std::sync::atomic::Ordering::Relaxed);
        true
    }

    fn add_foreign(&self) -> bool {
        let data = self.backend.dir.path().join("elsewhere");
        std::fs::create_dir_all(&data).unwrap();
        let service = json!({
            "service_name": "antnode99",
            "status": "Running",
            "antnode_path": data.join("antnode"),
            "data_dir_path": data,
            "log_dir_path": data.join("logs"),
            "node_port": 40_000,
        });
        self.antctl.run("antnode99", &data.join("antnode"));
        let mut services = self.antctl.services.lock().unwrap();
        services.insert("antnode99".to_owned(), service);
        true
    }

    fn has_foreign(&self) -> bool {
        let services = self.antctl.services.lock().unwrap();
        services.contains_key("antnode99") && self.antctl.process("antnode99").exists()
    }

    fn finds_by_name(&self) -> bool {
        false
    }
}

wnm_testkit::conformance_suite!(KeepsServices::new());
