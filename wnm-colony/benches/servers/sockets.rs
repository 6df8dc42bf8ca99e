//! What a survey holds open, and what the kernel still holds of it afterwards. Read from /proc: elsewhere nothing is
//! known.

use wnm_core::probe::SurveyTarget;

#[cfg(target_os = "linux")]
pub use linux::{in_time_wait, most_open};

#[cfg(not(target_os = "linux"))]
pub async fn most_open(work: impl Future) -> Option<usize> {
    work.await;
    None
}

#[cfg(not(target_os = "linux"))]
pub fn in_time_wait(_: &[SurveyTarget]) -> Option<usize> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashSet;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use procfs::net::{TcpState, tcp};
    use procfs::process::Process;

    use super::SurveyTarget;

    /// Descriptors are counted this often.
    const OFTEN: Duration = Duration::from_millis(1);

    /// The most descriptors that were open at once while `work` went on.
    pub async fn most_open(work: impl Future) -> Option<usize> {
        let ended = Arc::new(AtomicBool::new(false));
        let counting = std::thread::spawn({
            let ended = Arc::clone(&ended);
            move || {
                let mut most = 0;
                while !ended.load(Ordering::Relaxed) {
                    most = most.max(Process::myself().unwrap().fd_count().unwrap());
                    std::thread::park_timeout(OFTEN);
                }
                most
            }
        });
        work.await;
        ended.store(true, Ordering::Relaxed);
        counting.join().ok()
    }

    /// Connections to these nodes that wait out their end.
    pub fn in_time_wait(targets: &[SurveyTarget]) -> Option<usize> {
        let ports: HashSet<u16> = targets.iter().map(|target| target.port.get()).collect();
        let sockets = tcp().unwrap();
        let ours = sockets.iter().filter(|socket| {
            socket.state == TcpState::TimeWait && ports.contains(&socket.remote_address.port())
        });
        Some(ours.count())
    }
}
