//! A private network for one test, with private files of the firewall, so that a real firewall can be switched on
//! without affecting the machine's.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Command;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

use crate::real;

/// The files of ufw and firewalld. Each is replaced by a copy.
const FILES: [&str; 3] = ["/etc/ufw", "/etc/default/ufw", "/etc/firewalld"];

/// Runs a test, and everything that it starts, in a private network with a loopback device, a private `/run` and
/// private files of the firewalls. All of it is gone when the test ends. Skips the test where one of `programs` is not
/// installed or the rights are missing.
pub fn in_private_network(programs: &[&str], test: impl FnOnce() + Send) {
    for program in ["ip"].iter().chain(programs) {
        if find(program).is_none() {
            return real::skip(&format!("{program} is not installed"));
        }
    }
    // Namespaces belong to a thread and its children: a new thread takes them along when it ends.
    let ended = std::thread::scope(|scope| {
        let thread =
            scope.spawn(
                || match unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS) {
                    Ok(()) => {
                        let copies = tempfile::tempdir().unwrap();
                        make_private(copies.path());
                        test();
                    }
                    Err(Errno::EPERM) => real::skip("a private network needs the rights of root"),
                    Err(error) => panic!("no private network: {error}"),
                },
            );
        thread.join()
    });
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

/// Calls `act` in another network than this one.
pub fn within<T: Send>(
    network: &File,
    act: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    // Namespaces belong to a thread: this one ends with the result.
    let acted = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            setns(network, CloneFlags::CLONE_NEWNET).expect("another network cannot be entered");
            act()
        });
        thread.join()
    });
    acted.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Runs a program to its end and returns its output. Panics when it fails.
pub fn call(words: &str) -> String {
    let mut parts = words.split(' ');
    let program = find(parts.next().unwrap_or_default());
    let program = program.unwrap_or_else(|| panic!("not installed: {words}"));
    let output = Command::new(program)
        .args(parts)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}: {printed}{complaint}");
    printed
}

fn find(program: &str) -> Option<std::path::PathBuf> {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        .map(|dir| Path::new(dir).join(program))
        .into_iter()
        .find(|path| path.is_file())
}

fn make_private(copies: &Path) {
    let nothing = None::<&str>;
    mount(
        nothing,
        "/",
        nothing,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        nothing,
    )
    .unwrap();
    mount(
        Some("tmpfs"),
        "/run",
        Some("tmpfs"),
        MsFlags::empty(),
        nothing,
    )
    .unwrap();
    for (number, file) in FILES
        .iter()
        .enumerate()
        .filter(|(_, file)| Path::new(file).exists())
    {
        let copy = copies.join(number.to_string());
        call(&format!("cp -a {file} {}", copy.display()));
        mount(Some(&copy), *file, nothing, MsFlags::MS_BIND, nothing).unwrap();
    }
    call("ip link set lo up");
}
