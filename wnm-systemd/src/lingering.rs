//! Whether a user's systemd outlives the login.

use std::path::Path;

use wnm_core::kind::{ManagerKind, Mode};

/// Where systemd-logind(8) keeps a file for each user whose systemd runs without a login.
const LINGER: &str = "/var/lib/systemd/linger";

/// What a person should know before trusting nodes to their own systemd: without lingering it ends with the
/// last login, and its nodes with it. `None` where there is nothing to say.
pub fn lingering_advice(kind: ManagerKind) -> Option<String> {
    Some(advice(&lingering_off(kind)?))
}

/// The caller, if nodes of this manager end with their last login.
pub fn lingering_off(kind: ManagerKind) -> Option<String> {
    match kind.mode() {
        Mode::User | Mode::Zen => {
            let user = caller()?;
            (!lingers(Path::new(LINGER), &user)).then_some(user)
        }
        Mode::Sudo => None,
    }
}

fn caller() -> Option<String> {
    let uid = nix::unistd::geteuid();
    Some(nix::unistd::User::from_uid(uid).ok()??.name)
}

fn lingers(dir: &Path, user: &str) -> bool {
    dir.join(user).exists()
}

fn advice(user: &str) -> String {
    format!(
        "nodes of systemd+user end when {user} logs out and do not come back after a reboot, unless: \
         loginctl enable-linger {user}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lingers_needs_no_advice() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!lingers(dir.path(), "ann"));
        std::fs::write(dir.path().join("ann"), b"").unwrap();
        assert!(lingers(dir.path(), "ann"));
        assert!(!lingers(&dir.path().join("nowhere"), "ann"));
        assert!(advice("ann").contains("loginctl enable-linger ann"));
        assert_eq!(lingering_advice(ManagerKind::SYSTEMD_SUDO), None);
    }
}
