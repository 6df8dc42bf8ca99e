//! Processes of other managers, by the words they were started with.

use std::path::Path;

/// The first process of which both hold; never this one. `None` also where nobody can say.
#[cfg(target_os = "linux")]
pub fn running(
    words_fit: impl Fn(&[String]) -> bool,
    home_fits: impl Fn(&Path) -> bool,
) -> Option<i32> {
    let own = i32::try_from(std::process::id()).ok();
    procfs::process::all_processes().ok()?.find_map(|process| {
        // One that ends meanwhile is none.
        let process = process.ok().filter(|process| Some(process.pid) != own)?;
        if !words_fit(&process.cmdline().ok()?) {
            return None;
        }
        let environment = process.environ().ok()?;
        let home = environment.get(std::ffi::OsStr::new("HOME"))?;
        home_fits(Path::new(home)).then_some(process.pid)
    })
}

/// The first process of which both hold. Only Linux is looked at.
#[cfg(not(target_os = "linux"))]
pub fn running(
    _words_fit: impl Fn(&[String]) -> bool,
    _home_fits: impl Fn(&Path) -> bool,
) -> Option<i32> {
    None
}

/// The words of all processes of which this holds.
#[cfg(target_os = "linux")]
pub fn words_of_all(fits: impl Fn(&[String]) -> bool) -> Vec<Vec<String>> {
    let processes = procfs::process::all_processes().into_iter().flatten();
    let words = processes.filter_map(|process| process.ok()?.cmdline().ok());
    words.filter(|words| fits(words)).collect()
}

/// The words of all processes of which this holds. Only Linux is looked at.
#[cfg(not(target_os = "linux"))]
pub fn words_of_all(_fits: impl Fn(&[String]) -> bool) -> Vec<Vec<String>> {
    Vec::new()
}
