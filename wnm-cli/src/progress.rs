//! What a person sees on a terminal while something takes long.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;
use wnm_core::act::Progress;

use crate::output::Output;

/// Work that is over before this shows nothing.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// What is said while nodes are asked.
pub const LOOKING: &str = "looking at the nodes";

/// How often the sign of life moves.
const TICK: Duration = Duration::from_millis(120);

/// Shows that work goes on, and how far it is once its steps are counted, until it is dropped.
pub struct Watched {
    bar: ProgressBar,
    /// Makes the bar visible when its time has come.
    unveiling: Option<JoinHandle<()>>,
}

impl Watched {
    /// Begins to watch. `doing` is shown until the first of `steps` is done. Nothing is shown to programs, to
    /// files and to those who want it quiet.
    pub fn begin(output: &Output, doing: &'static str, steps: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::hidden());
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

    /// To be told of every step that is done.
    pub fn progress(&self) -> Option<Progress> {
        self.unveiling.as_ref()?;
        let bar = self.bar.clone();
        Some(Arc::new(move |result| {
            if bar.position() == 0 {
                bar.set_style(style("{spinner} {bar:30} {pos}/{len}  {msg}  {eta} left"));
            }
            let (act, node) = (result.step.act.word(), result.step.node.directory_name());
            bar.set_message(format!("{act} {node}"));
            bar.inc(1);
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
