//! Runs the program with something mounted over a directory that only it sees.

use std::path::Path;

use wnm_tests::binaries;
use wnm_tests::call::Call;
use wnm_tests::colony::Colony;
use wnm_tests::nodes::NOWHERE;
use wnm_tests::real;

/// How this user can get a mount namespace: as root, or as root of a user namespace.
pub struct Mounts {
    options: &'static [&'static str],
}

impl Mounts {
    /// `None` after saying that the test is skipped.
    pub fn permitted() -> Option<Self> {
        let ways: [&'static [&'static str]; 2] = [&["--mount"], &["--mount", "--map-root-user"]];
        let permitted = ways.into_iter().find(|options| {
            let mut unshare = std::process::Command::new("unshare");
            let script = "mount -t tmpfs -o size=64k none /mnt";
            unshare.args(*options).args(["sh", "-c", script]);
            unshare.output().is_ok_and(|output| output.status.success())
        });
        if permitted.is_none() {
            real::skip("this user may not mount anything, not even for itself");
        }
        permitted.map(|options| Self { options })
    }

    /// A call of `wnm` after `script` has done the mounts.
    pub fn call<S: AsRef<str>>(&self, colony: &Colony, script: &str, args: &[S]) -> Call {
        Call::new(Path::new("unshare"), &colony.home(), &colony.temporary())
            .env("DBPATH", colony.database_path())
            .env("ANT_PEERS", NOWHERE)
            .args(self.options)
            .args(["sh", "-c", &format!("{script} && exec \"$@\""), "sh"])
            .arg(binaries::wnm())
            .args(args.iter().map(AsRef::as_ref))
    }
}

/// A path quoted for a script.
pub fn quoted(path: &Path) -> String {
    let path = path.to_str().expect("paths of tests are text");
    assert!(!path.contains('\''), "{path}");
    format!("'{path}'")
}
