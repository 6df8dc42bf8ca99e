//! Starting and stopping, and what came of it.

use std::time::Duration;

use tokio::time::Instant;
use wnm_core::fault;
use wnm_core::manager::ManagerError;
use wnm_core::node::Node;
use wnm_host::layout;

use crate::domain::Domain;
use crate::label::Label;
use crate::launchctl::{Details, Meaning};
use crate::looking::Held;
use crate::making::Place;
use crate::output::Output;
use crate::{Launchd, is_taken};

/// How long launchd may take to start what it took.
const COMES_WITHIN: Duration = Duration::from_secs(10);

/// How often it is looked for the process. Nobody tells when it is there.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A program that is refused its arguments or its key ends within this; one that still runs is taken as
/// started. What ends it later shows in the next status.
const STAYS_FOR: Duration = Duration::from_millis(300);

impl Launchd {
    /// Starts a node unless it runs, and has it come up with the machine.
    pub(crate) async fn launch(&self, node: &Node) -> Result<(), ManagerError> {
        let label = &Label::of(node)?;
        if !node.root_dir.is_dir() {
            return Err(ManagerError::NotFound(node.root_dir.display().to_string()));
        }
        if self.place(label).await? == Place::Free {
            return Err(ManagerError::NotFound(
                self.file_of(label).display().to_string(),
            ));
        }
        self.talk.enable(label).await?;
        fault::point("launchd.start.enabled");
        match self.held(label).await? {
            Held::In(_, Details { pid: Some(_), .. }) => return Ok(()),
            // It waits to be tried again. Taken anew it starts at once, and as it is set now.
            Held::In(domain, _) => self.let_go(domain, label).await?,
            Held::Nowhere => {}
        }
        self.bring_up(node, label).await
    }

    /// Has launchd take a job that it does not hold and start it, and sees that it stays.
    pub(crate) async fn bring_up(&self, node: &Node, label: &Label) -> Result<(), ManagerError> {
        let logs = layout::log_dir(node, &self.context.paths);
        if !logs.is_dir() || !self.context.paths.bootstrap_cache.is_dir() {
            self.make_directories(node).await?;
        }
        let output = logs.join(self.output_name());
        let output = Output::prepare(self.files.as_ref(), output).await?;
        let domain = self.take_anywhere(node, label).await?;
        fault::point("launchd.start.loaded");
        self.see_that_it_stays(domain, label, &output, None).await
    }

    /// Has the first of the domains take a job that there is.
    async fn take_anywhere(&self, node: &Node, label: &Label) -> Result<Domain, ManagerError> {
        let mut refused = None;
        for domain in self.reach.domains() {
            if self.is_outdated(node, label, domain).await? {
                self.write(node, label, domain).await?;
            }
            match self.take(domain, label).await {
                Ok(()) => return Ok(domain),
                Err(error) if error.meaning() == Some(Meaning::NoDomain) => refused = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        Err(refused.map_or_else(
            || ManagerError::NotFound(format!("a domain for {label}")),
            ManagerError::from,
        ))
    }

    /// Waits for the process of a job, another than the one `before`, and sees that it stays. A job that does not
    /// is let go of again: it would be started over and over, and the node is wnm's to try.
    pub(crate) async fn see_that_it_stays(
        &self,
        domain: Domain,
        label: &Label,
        output: &Output,
        before: Option<&Details>,
    ) -> Result<(), ManagerError> {
        let until = Instant::now() + COMES_WITHIN;
        let last = loop {
            let now = self.talk.look(domain, label).await?;
            let Some(details) = now else { break None };
            if has_come(&details, before) {
                tokio::time::sleep(STAYS_FOR).await;
                let after = self.talk.look(domain, label).await?;
                if after.as_ref().is_some_and(|after| after.pid == details.pid) {
                    return Ok(());
                }
                break after;
            }
            if has_ended(&details, before) || Instant::now() >= until {
                break Some(details);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        let mut words = state_words(last.as_ref());
        let said = output.last_words();
        if !said.is_empty() {
            words = format!("{words}; {said}");
        }
        self.talk.disable(label).await?;
        self.let_go(domain, label).await?;
        Err(ManagerError::Rejected {
            what: format!("starting {label}"),
            words,
        })
    }

    /// Stops a node and has it stay stopped when the machine comes up again.
    pub(crate) async fn end(&self, node: &Node) -> Result<(), ManagerError> {
        let label = &Label::of(node)?;
        let held = self.held(label).await?;
        if held == Held::Nowhere && !is_taken(&self.file_of(label)) {
            return Ok(());
        }
        // First, so that a crash in between leaves no node that comes back.
        self.talk.disable(label).await?;
        fault::point("launchd.stop.disabled");
        if let Held::In(domain, _) = held {
            self.let_go(domain, label).await?;
        }
        fault::point("launchd.stop.unloaded");
        Ok(())
    }
}

/// Whether a process is there that was not before.
fn has_come(now: &Details, before: Option<&Details>) -> bool {
    now.pid.is_some() && before.is_none_or(|before| before.pid != now.pid)
}

/// Whether the process that was to come has ended already. Only of a job that was taken anew can that be told: how
/// one that is started again ended may be how the process before it did.
fn has_ended(now: &Details, before: Option<&Details>) -> bool {
    before.is_none() && now.pid.is_none() && now.last_exit.is_some()
}

fn state_words(details: Option<&Details>) -> String {
    match details {
        None => "launchd let go of it".to_owned(),
        Some(Details {
            state,
            last_exit: Some(exit),
            ..
        }) => {
            format!("launchd says {state}, last exit code {exit}")
        }
        Some(Details {
            state,
            last_exit: None,
            ..
        }) => format!("launchd says {state}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(pid: Option<u32>, last_exit: Option<&str>) -> Details {
        Details {
            pid,
            state: "waiting".to_owned(),
            last_exit: last_exit.map(str::to_owned),
        }
    }

    #[test]
    fn the_end_of_the_process_before_is_not_that_of_the_new_one() {
        let before = details(Some(5), None);
        let killed = details(None, Some("0"));
        let again = details(Some(6), Some("0"));
        for not_yet in [&before, &killed] {
            assert!(!has_come(not_yet, Some(&before)) && !has_ended(not_yet, Some(&before)));
        }
        assert!(has_come(&again, Some(&before)));
        assert!(has_come(&again, None) && !has_ended(&again, None));
        assert!(has_ended(&killed, None));
        assert!(!has_ended(&details(None, None), None));
    }
}
