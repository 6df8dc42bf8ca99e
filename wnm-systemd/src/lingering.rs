//! Checks whether a user manager keeps running after logout (lingering).

use std::path::Path;

use wnm_core::kind::{ManagerKind, Mode};

/// systemd-logind(8) keeps a file here for each user with lingering enabled.
const LINGER_DIR: &str = "/var/lib/systemd/linger";

/// Returns advice for a user manager without lingering: systemd stops it, with its nodes, when the
/// user logs out. Returns `None` if there is nothing to say.
pub fn lingering_advice(kind: &ManagerKind) -> Option<String> {
    Some(advice(&user_without_lingering(kind)?))
}

/// Returns the caller's name if nodes of this kind stop at logout because lingering is off.
pub fn user_without_lingering(kind: &ManagerKind) -> Option<String> {
    match kind.mode() {
        Mode::User | Mode::Zen => {
            let user = caller()?;
            (!is_lingering(Path::new(LINGER_DIR), &user)).then_some(user)
        }
        Mode::Sudo => None,
    }
}

fn caller() -> Option<String> {
    let uid = nix::unistd::geteuid();
    Some(nix::unistd::User::from_uid(uid).ok()??.name)
}

fn is_lingering(dir: &Path, user: &str) -> bool {
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
    fn a_lingering_user_gets_no_advice() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_lingering(dir.path(), "ann"));
        std::fs::write(dir.path().join("ann"), b"").unwrap();
        assert!(is_lingering(dir.path(), "ann"));
        assert!(!is_lingering(&dir.path().join("nowhere"), "ann"));
        assert!(advice("ann").contains("loginctl enable-linger ann"));
        assert_eq!(lingering_advice(&crate::SUDO), None);
    }
}
