//! Limits connections by the descriptors that the process may open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Descriptors reserved for the rest of the process: the store, the connection to the supervisor,
/// pipes of commands.
const RESERVE: usize = 128;

/// How many of `wanted` connections the process may open at once. Raises the soft limit if needed,
/// up to the hard limit: the usual 1,024 (256 on macOS) exists for programs that use `select`,
/// which wnm does not.
pub(super) fn available(wanted: usize) -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return wanted.min(RESERVE);
    };
    let needed = u64::try_from(wanted.saturating_add(RESERVE)).unwrap_or(u64::MAX);
    let soft = if soft < needed && soft < hard {
        let raised = needed.min(hard);
        match setrlimit(Resource::RLIMIT_NOFILE, raised, hard) {
            Ok(()) => raised,
            Err(_) => soft,
        }
    } else {
        soft
    };
    share(soft, wanted)
}

/// The connections that a limit leaves after the reserve, but at least half of the limit.
fn share(limit: u64, wanted: usize) -> usize {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    wanted.min(limit.saturating_sub(RESERVE).max(limit / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_remains_for_the_rest_of_the_process() {
        assert_eq!(share(u64::MAX, 1000), 1000);
        assert_eq!(share(1024, 1000), 896);
        assert_eq!(share(1128, 1000), 1000);
        assert_eq!(share(64, 1000), 32);
    }

    #[test]
    fn a_small_survey_gets_all_descriptors_it_wants() {
        assert_eq!(available(3), 3);
    }
}
