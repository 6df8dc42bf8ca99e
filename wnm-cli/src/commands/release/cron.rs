//! The lines of the caller's crontab that run wnm.

use std::path::Path;
use std::time::Duration;

use wnm_core::command::{CommandRunner, CommandSpec};

/// `crontab -l` reads one file.
const DEADLINE: Duration = Duration::from_secs(10);

/// The lines that run wnm on this database; none also where there is no crontab to be read.
pub async fn lines(runner: &dyn CommandRunner, db: &Path) -> Vec<String> {
    let spec = CommandSpec::new("crontab", DEADLINE).arg("-l");
    let Ok(output) = runner.run(&spec).await else {
        return Vec::new();
    };
    if output.code != Some(0) {
        return Vec::new();
    }
    that_run_wnm(&String::from_utf8_lossy(&output.stdout), db)
}

/// A line that names the database is about it. One that runs wnm and names another is not.
fn that_run_wnm(crontab: &str, db: &Path) -> Vec<String> {
    let db = db.display().to_string();
    let runs_it = |line: &&str| {
        let line = line.trim();
        if line.starts_with('#') {
            return false;
        }
        let is_wnm = |word: &str| word == "wnm" || word.ends_with("/wnm");
        let mut words = line.split(|c: char| c.is_whitespace() || "'\";&|".contains(c));
        words.any(is_wnm) && (line.contains(&db) || !line.contains("dbpath"))
    };
    let lines = crontab.lines().filter(runs_it);
    lines.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_run_wnm_on_this_database_are_told() {
        let crontab = "# * * * * * wnm\n* * * * * /usr/bin/wnm -q --dbpath /a/colony.db\n\
             * * * * * wnm -q --dbpath /b/colony.db\n*/5 * * * * . ~/.profile; wnm --report influx-resources\n\
             0 * * * * wnmctl --dbpath /a/colony.db\nSHELL=/bin/sh\n";
        let told = that_run_wnm(crontab, Path::new("/a/colony.db"));
        insta::assert_snapshot!(told.join("\n"), @r"
        * * * * * /usr/bin/wnm -q --dbpath /a/colony.db
        */5 * * * * . ~/.profile; wnm --report influx-resources
        ");
    }
}
