//! A survey alone: asks nodes and reads their pages, without the rest of a cycle.

use std::sync::Arc;

use wnm_core::manager::SystemRunner;
use wnm_core::observe::{HttpProbe, NodeProbe, Probe, SurveyLimits, SurveyTarget};
use wnm_core::program::Antnode;
use wnm_core::quantity::Milliseconds;

/// Asks nodes. All must answer.
pub async fn ask(targets: &[SurveyTarget]) {
    let probe = HttpProbe::new(
        Arc::new(Antnode::new(Arc::new(SystemRunner))),
        SurveyLimits::default(),
    );
    let probes = probe.survey(targets, Milliseconds(0)).await;
    let answered = |probe: &&Probe| matches!(probe, Probe::Answered(_));
    assert_eq!(probes.values().filter(answered).count(), targets.len());
}
