//! What a person sees on a terminal while something takes long.

use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tokio::task::JoinHandle;
use wnm_colony::act::{Progress, ProgressEvent};

use crate::output::Output;

/// Work that is over before this shows nothing.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// What is said while nodes are asked.
pub const LOOKING: &str = "looking at the nodes";

/// How often the sign of life moves.
const TICK: Duration = Duration::from_millis(120);

/// Shows that work goes on, and how far it is once its steps are known, until it is dropped.
pub struct Watched {
    bar: ProgressBar,
    /// Makes the bar visible when its time has come.
    unveiling: Option<JoinHandle<()>>,
}

impl Watched {
    /// Begins to watch. `doing` is shown until there are steps to be taken. Nothing is shown to programs, to files
    /// and to those who want it quiet.
    pub fn begin(output: &Output, doing: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(style("{spinner} {msg}  {elapsed}"));
        bar.set_message(doing);
        let wanted = !output.json && !output.quiet && io::stderr().is_terminal();
        let unveiling = wanted.then(|| {
            let bar = bar.clone();
            tokio::spawn(async move {
                tokio::time::sleep(SHOWN_AFTER).await;
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(TICK);
            })
        });
        Self { bar, unveiling }
    }

    /// To be told how far it is.
    pub fn progress(&self) -> Option<Progress> {
        self.unveiling.as_ref()?;
        let bar = self.bar.clone();
        Some(Arc::new(move |event| match event {
            ProgressEvent::Begun([]) | ProgressEvent::Ended([]) => {}
            ProgressEvent::Begun(steps @ [first, ..]) => {
                bar.set_length(steps.len() as u64);
                bar.reset_elapsed();
                let counted = style("{spinner} {bar:30} {pos}/{len}  {msg}{left}");
                bar.set_style(counted.with_key("left", write_left));
                bar.set_message(first.act.word());
            }
            ProgressEvent::Ended(results @ [.., last]) => {
                let (act, node) = (last.step.act.word(), last.step.node.directory_name());
                bar.set_message(format!("{act} {node}"));
                bar.inc(results.len() as u64);
            }
        }))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(unveiling) = &self.unveiling {
            unveiling.abort();
        }
        self.bar.finish_and_clear();
    }
}

/// A template that could not be read would show the library's own instead.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn write_left(state: &ProgressState, out: &mut dyn Write) {
    let steps = state.len().unwrap_or_default();
    if let Some(left) = left(state.elapsed(), state.pos(), steps) {
        // There is nobody to tell of a bar that cannot be drawn.
        write!(out, "  {:#} left", HumanDuration(left)).ok();
    }
}

/// How long the rest takes at the pace so far. Steps end many at a time, which the library's own guess takes for
/// standstills and leaps: it begins with hours for half a minute.
fn left(elapsed: Duration, done: u64, steps: u64) -> Option<Duration> {
    let rest = steps.checked_sub(done)?;
    let whole = elapsed.as_secs_f64() * rest as f64 / done as f64;
    Duration::try_from_secs_f64(whole).ok().filter(|_| rest > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_takes_as_long_for_each_as_what_is_done() {
        let seconds = Duration::from_secs;
        assert_eq!(left(seconds(6), 200, 1000), Some(seconds(24)));
        for (done, steps) in [(0, 1000), (0, 0), (7, 7), (8, 7)] {
            assert_eq!(left(seconds(6), done, steps), None, "{done} of {steps}");
        }
    }
}
