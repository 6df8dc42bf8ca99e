//! Whether a user's systemd outlives the login.

use std::path::Path;

use wnm_core::manager::{ManagerKind, Mode};

/// Where systemd-logind(8) keeps a file for each user whose systemd runs without a login.
const LINGER: &str = "/var/lib/systemd/linger";

/// What a person should know before trusting nodes to their own systemd: without lingering it ends with the
/// last login, and its nodes with it. `None` where there is nothing to say.
pub fn lingering_advice(kind: ManagerKind) -> Option<String> {
    match kind.mode() {
        Mode::User | Mode::Zen => advice(Path::new(LINGER), &caller()?),
        Mode::Sudo => None,
    }
}

fn caller() -> Option<String> {
    let uid = nix::unistd::geteuid();
    Some(nix::unistd::User::from_uid(uid).ok()??.name)
}

fn advice(dir: &Path, user: &str) -> Option<String> {
    if dir.join(user).exists() {
        return None;
    }
    Some(format!(
        "nodes of systemd+user end when {user} logs out and do not come back after a reboot, unless: \
         loginctl enable-linger {user}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lingers_needs_no_advice() {
        let dir = tempfile::tempdir().unwrap();
        assert!(
            advice(dir.path(), "ann")
                .unwrap()
                .contains("loginctl enable-linger ann")
        );
        std::fs::write(dir.path().join("ann"), b"").unwrap();
        assert_eq!(advice(dir.path(), "ann"), None);
        let missing = advice(&dir.path().join("nowhere"), "ann");
        assert!(missing.is_some());
        assert_eq!(lingering_advice(ManagerKind::SYSTEMD_SUDO), None);
    }
}
