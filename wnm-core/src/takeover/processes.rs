//! Processes of other managers, by the words they were started with.

/// The first process whose words fit; never this one. `None` also where nobody can say.
#[cfg(target_os = "linux")]
pub(super) fn running(fits: impl Fn(&[String]) -> bool) -> Option<i32> {
    let own = i32::try_from(std::process::id()).ok();
    procfs::process::all_processes().ok()?.find_map(|process| {
        // One that ends meanwhile is none.
        let process = process.ok().filter(|process| Some(process.pid) != own)?;
        fits(&process.cmdline().ok()?).then_some(process.pid)
    })
}

/// The first process whose words fit. Only Linux is looked at.
#[cfg(not(target_os = "linux"))]
pub(super) fn running(_fits: impl Fn(&[String]) -> bool) -> Option<i32> {
    None
}
