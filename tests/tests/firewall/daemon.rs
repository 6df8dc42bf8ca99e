//! A private message bus and a private firewalld on it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use wnm_tests::wait;

/// The socket of the system's bus. `/run` is private.
const BUS: &str = "/run/dbus/system_bus_socket";

/// Everybody on it may do everything, and it starts no services.
const BUS_CONFIGURATION: &str = "<busconfig><type>system</type>\
    <listen>unix:path=/run/dbus/system_bus_socket</listen>\
    <policy context='default'><allow user='*'/><allow own='*'/>\
    <allow send_destination='*'/><allow receive_sender='*'/></policy></busconfig>";

/// A running firewalld and its bus. Both end when it is dropped.
pub struct Daemon {
    firewalld: Child,
    bus: Child,
}

impl Daemon {
    /// Starts it, and returns once it answers.
    pub fn start() -> Self {
        std::fs::create_dir_all("/run/dbus").unwrap();
        let configuration = "/run/dbus/test.conf";
        std::fs::write(configuration, BUS_CONFIGURATION).unwrap();
        let configuration = format!("--config-file={configuration}");
        let bus = spawn(
            "/usr/bin/dbus-daemon",
            &[&configuration, "--nofork", "--nopidfile"],
        );
        wait::until(wait::LONG, "the bus", || Path::new(BUS).exists());
        let arguments = ["--nofork", "--nopid", "--log-target=console"];
        let firewalld = spawn("/usr/sbin/firewalld", &arguments);
        let daemon = Self { firewalld, bus };
        wait::until(wait::LONG, "firewalld", || {
            let mut state = Command::new("/usr/bin/firewall-cmd");
            state
                .arg("--state")
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            state.status().unwrap().success()
        });
        daemon
    }
}

fn spawn(program: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

impl Drop for Daemon {
    fn drop(&mut self) {
        for child in [&mut self.firewalld, &mut self.bus] {
            if let Err(error) = child.kill().and_then(|()| child.wait()) {
                eprintln!("not ended: {error}");
            }
        }
    }
}
