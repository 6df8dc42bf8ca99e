use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Descriptors that are left to the rest of the process: the store, the supervisor's connection, its
/// commands' pipes.
const RESERVE: usize = 128;

/// How many of `wanted` connections the process may have open at once. The soft limit is raised where it
/// is in the way and the hard one allows: the usual 1,024 (256 on macOS) is there for programs that use
/// `select`, which this one does not.
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

/// What is left of a limit for connections: half of it at least, however small it is.
fn share(limit: u64, wanted: usize) -> usize {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    wanted.min(limit.saturating_sub(RESERVE).max(limit / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_left_to_the_rest_of_the_process() {
        assert_eq!(share(u64::MAX, 1000), 1000);
        assert_eq!(share(1024, 1000), 896);
        assert_eq!(share(1128, 1000), 1000);
        assert_eq!(share(64, 1000), 32);
    }

    #[test]
    fn a_small_survey_gets_what_it_asks_for() {
        assert_eq!(available(3), 3);
    }
}
