//! Hints for errors of the store and the lock.

use wnm_colony::lock::LockError;
use wnm_colony::store::StoreError;

pub(super) fn store_hint(error: &StoreError) -> Option<&'static str> {
    match error {
        StoreError::Missing(_) => Some("create a colony with --init or give another with --dbpath"),
        StoreError::Exists(_) => Some("move it away or give another with --dbpath"),
        StoreError::NotADatabase(_) | StoreError::NotAColony(_) => {
            Some("give another with --dbpath")
        }
        _ => None,
    }
}

pub(super) fn lock_hint(error: &LockError) -> Option<&'static str> {
    match error {
        LockError::PythonLock { .. } => {
            Some("if it is not, remove the lock with --remove-lockfile")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ProgramError;
    use crate::hints::message;
    use wnm_colony::ColonyError;
    use wnm_core::quantity::UnixTime;

    fn with_hint(error: impl Into<ColonyError>) -> String {
        message(&ProgramError::Colony(error.into()))
    }

    #[test]
    fn errors_with_a_remedy_name_the_option() {
        let path = || "/srv/colony.db".into();
        let lock = LockError::PythonLock {
            path: "/srv/wnm_active".into(),
            started_at: UnixTime(1_763_000_000),
            now: UnixTime(1_763_000_600),
        };
        let messages = [
            with_hint(StoreError::Missing(path())),
            with_hint(StoreError::Exists(path())),
            with_hint(StoreError::NotADatabase(path())),
            with_hint(StoreError::NotAColony(path())),
            with_hint(lock),
        ];
        insta::assert_snapshot!(messages.join("\n"), @"
        /srv/colony.db does not exist; create a colony with --init or give another with --dbpath
        /srv/colony.db already holds something; move it away or give another with --dbpath
        /srv/colony.db is not an SQLite database; give another with --dbpath
        /srv/colony.db is a database of another program, not of wnm; give another with --dbpath
        the Python wnm is at work according to its lock /srv/wnm_active (since 02:13:20 UTC); if it is not, remove the lock with --remove-lockfile
        ");
    }

    #[test]
    fn errors_without_a_remedy_stay_as_they_are() {
        let error = StoreError::DiskFull("/srv/colony.db".into());
        assert_eq!(
            with_hint(error),
            StoreError::DiskFull("/srv/colony.db".into()).to_string()
        );
        let usage = ProgramError::Usage("add --init".to_owned());
        assert_eq!(message(&usage), "add --init");
    }
}
