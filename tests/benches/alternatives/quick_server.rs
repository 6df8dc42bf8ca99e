//! One process that answers at once, instead of all nodes.

#[path = "../../../wnm-colony/benches/servers/answer.rs"]
mod answer;

use std::sync::Arc;
use std::sync::mpsc::channel;

use answer::{answer, reply};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use wnm_tests::fleet::Fleet;
use wnm_tests::nodes;

use crate::runtime;

/// Takes over the metrics ports of a fleet, and answers there with the pages of its nodes until this program ends.
pub fn answer_for(fleet: &Fleet) {
    let pages: Vec<_> = fleet
        .metrics_ports()
        .into_iter()
        .map(|port| {
            let pages = ["/metadata", "/metrics"].map(|path| nodes::page(port, path).unwrap());
            (port, pages.map(|page| reply(page.as_bytes())))
        })
        .collect();
    fleet.close_metrics_ports();
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let (listens, all_listen) = channel();
    std::thread::spawn(move || {
        runtime().block_on(async {
            for (port, replies) in pages {
                let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
                let replies = Arc::new(replies);
                tokio::spawn(async move {
                    while let Ok((stream, _)) = listener.accept().await {
                        tokio::spawn(answer(stream, Arc::clone(&replies)));
                    }
                });
            }
            listens.send(()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    all_listen.recv().unwrap();
}
