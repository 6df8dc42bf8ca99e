//! A survey by itself: nodes asked and their pages read, with nothing of a cycle around it.

use std::sync::Arc;

use wnm_core::manager::SystemRunner;
use wnm_core::node::NodeId;
use wnm_core::observe::{HttpProbe, NodeProbe, Probe, SurveyLimits, SurveyTarget};
use wnm_core::ports::Port;
use wnm_core::program::Antnode;
use wnm_core::quantity::Milliseconds;

/// Asks the nodes with these metrics ports. All must answer.
pub fn ask(ports: &[u16]) {
    let targets: Vec<SurveyTarget> = (1..)
        .zip(ports)
        .map(|(number, port)| SurveyTarget {
            id: NodeId::new(number).unwrap(),
            host: "127.0.0.1".to_owned(),
            port: Port::new(*port).unwrap(),
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let probe = HttpProbe::new(
        Arc::new(Antnode::new(Arc::new(SystemRunner))),
        SurveyLimits::default(),
    );
    let probes = runtime.block_on(probe.survey(&targets, Milliseconds(0)));
    let answered = |probe: &&Probe| matches!(probe, Probe::Answered(_));
    assert_eq!(probes.values().filter(answered).count(), ports.len());
}
