//! Parses the output of launchctl.

use super::Jobs;

/// A job as a list shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    /// The process id; `None` while it has no process.
    pub pid: Option<u32>,
}

/// The details of one job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Details {
    /// The process id; `None` while it has no process.
    pub pid: Option<u32>,
    /// `running`, `waiting`, `spawn scheduled` …
    pub state: String,
    /// How its last process exited; `None` before the first exit.
    pub last_exit: Option<String>,
}

impl Details {
    /// Returns the details that a list provides.
    pub fn from_list(job: &Job) -> Self {
        Self {
            pid: job.pid,
            state: if job.pid.is_some() {
                "running"
            } else {
                "waiting"
            }
            .to_owned(),
            last_exit: None,
        }
    }
}

/// Parses the output of `launchctl list`: the columns `PID`, `Status` and `Label`, with `-` for no
/// process. Returns `None` for anything else: no output is not an empty list.
pub(crate) fn list(text: &str) -> Option<Jobs> {
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next()?.split_whitespace().collect();
    (head == ["PID", "Status", "Label"]).then_some(())?;
    lines.map(|line| row(line, "-")).collect()
}

/// Parses the jobs in the output of `launchctl print DOMAIN`: a block `services` with the columns
/// of a list, and 0 for no process. Returns `None` if there is no such block.
pub(crate) fn table(text: &str) -> Option<Jobs> {
    let mut lines = text.lines();
    lines.find(|line| *line == "\tservices = {")?;
    let mut jobs = Jobs::new();
    loop {
        let line = lines.next()?;
        if line == "\t}" {
            return Some(jobs);
        }
        let (label, job) = row(line, "0")?;
        jobs.insert(label, job);
    }
}

/// Parses a row with the columns process id, last exit status and label.
fn row(line: &str, no_process: &str) -> Option<(String, Job)> {
    let (pid, rest) = line.trim().split_once(char::is_whitespace)?;
    let (_status, label) = rest.trim_start().split_once(char::is_whitespace)?;
    let pid = if pid == no_process {
        None
    } else {
        Some(process_id(pid)?)
    };
    // Other labels may contain spaces, after what looks like a node's label.
    Some((label.trim_start().to_owned(), Job { pid }))
}

/// Parses a process id.
fn process_id(word: &str) -> Option<u32> {
    word.parse().ok().filter(|pid| *pid != 0)
}

/// Parses the output of `launchctl print DOMAIN/LABEL`: `key = value` lines indented by one tab.
/// Deeper lines belong to blocks, such as the arguments of the job, and may say anything. Returns
/// `None` without a state, or if a process id cannot be parsed: that does not mean there is no
/// process.
pub(crate) fn details(text: &str) -> Option<Details> {
    let mut details = Details::default();
    let top_level = text.lines().filter_map(|line| line.strip_prefix('\t'));
    for line in top_level.filter(|line| !line.starts_with(['\t', ' '])) {
        let Some((key, value)) = line.split_once(" = ") else {
            continue;
        };
        match key {
            "state" => details.state = value.to_owned(),
            "pid" => details.pid = Some(process_id(value)?),
            "last exit code" if value != "(never exited)" => {
                details.last_exit = Some(value.to_owned());
            }
            "last terminating signal" => details.last_exit = Some(value.to_owned()),
            _ => {}
        }
    }
    (!details.state.is_empty()).then_some(details)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_parsed_completely_or_not_at_all() {
        let jobs = list("PID\tStatus\tLabel\n-\t0\tcom.apple.x\n612\t-9\tcom.autonomi.antnode-7\n-\t78\tantnode1\n").unwrap();
        assert_eq!(jobs["com.autonomi.antnode-7"].pid, Some(612));
        assert_eq!(jobs["antnode1"].pid, None);
        assert_eq!(jobs.len(), 3);
        assert_eq!(list("PID\tStatus\tLabel\n"), Some(Jobs::new()));
        for broken in [
            "",
            "\n",
            "nonsense\n",
            "PID\tStatus\tLabel\nx\t0\tantnode1\n",
            "PID\tStatus\tLabel\n1\t0\n",
            "PID\tStatus\tLabel\n0\t0\tantnode1\n",
        ] {
            assert_eq!(list(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_foreign_label_is_not_mistaken_for_a_node() {
        let list = list("PID\tStatus\tLabel\n7\t0\tantnode1 copy\n").unwrap();
        assert!(!list.contains_key("antnode1") && list.contains_key("antnode1 copy"));
        let table = table("\tservices = {\n\t\t  7  - \tantnode1 copy\n\t}\n").unwrap();
        assert_eq!(table, list);
    }

    #[test]
    fn a_domain_is_parsed_completely_or_not_at_all() {
        let text = "gui/501 = {\n\ttype = login\n\tservices = {\n\t\t       0      - \tcom.apple.x\n\t\t     612      0 \tantnode1\n\t}\n\n\tunmanaged processes = {\n\t}\n}\n";
        let jobs = table(text).unwrap();
        assert_eq!(jobs["com.apple.x"].pid, None);
        assert_eq!(jobs["antnode1"].pid, Some(612));
        assert_eq!(
            table("gui/501 = {\n\tservices = {\n\t}\n}\n"),
            Some(Jobs::new())
        );
        for broken in [
            "",
            "gui/501 = {\n\ttype = login\n}\n",
            "\tservices = {\n\t\t1 0 x\n",
        ] {
            assert_eq!(table(broken), None, "{broken}");
        }
    }

    #[test]
    fn arguments_of_a_job_do_not_affect_its_details() {
        let text = "gui/501/antnode1 = {\n\tactive count = 1\n\tpath = /x.plist\n\tstate = running\n\n\tprogram = /n/antnode\n\targuments = {\n\t\tpid = 5\n\t\t}\n\t\tstate = waiting\n\t}\n\n\truns = 3\n\tpid = 612\n\tlast exit code = (never exited)\n}\n";
        let expected = Details {
            pid: Some(612),
            state: "running".to_owned(),
            last_exit: None,
        };
        assert_eq!(details(text), Some(expected));
        let waits =
            details("x = {\n\tstate = spawn scheduled\n\tlast exit code = 78: EX_CONFIG\n}\n");
        let waits = waits.unwrap();
        assert_eq!(
            (waits.pid, waits.last_exit.as_deref()),
            (None, Some("78: EX_CONFIG"))
        );
        let killed =
            details("x = {\n\tstate = waiting\n\tlast terminating signal = Killed: 9\n}\n");
        assert_eq!(killed.unwrap().last_exit.as_deref(), Some("Killed: 9"));
        assert_eq!(details(""), None);
        for unreadable in ["(none)", "0", "-1", "99999999999"] {
            let text = format!("x = {{\n\tstate = running\n\tpid = {unreadable}\n}}\n");
            assert_eq!(details(&text), None, "{unreadable}");
        }
        assert_eq!(details("x = {\n}\n"), None);
    }
}
