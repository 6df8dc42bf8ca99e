//! A survey alone: asks nodes and reads their pages, without the rest of a cycle.

use std::sync::Arc;

use wnm_colony::observe::{HttpProbe, SurveyLimits};
use wnm_core::node::ProbeResult;
use wnm_core::probe::{NodeProbe, SurveyTarget};
use wnm_core::quantity::Milliseconds;
use wnm_host::command::SystemRunner;
use wnm_programs::Antnode;

/// Asks nodes. All must answer.
pub async fn ask(targets: &[SurveyTarget]) {
    let probe = HttpProbe::new(
        Arc::new(Antnode::new(Arc::new(SystemRunner))),
        SurveyLimits::default(),
    );
    let probes = probe.survey(targets, Milliseconds(0)).await;
    let answered = |probe: &&ProbeResult| matches!(probe, ProbeResult::Answered(_));
    assert_eq!(probes.values().filter(answered).count(), targets.len());
}
