use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use semver::Version;

use crate::exposition;
use crate::exposition::Sample;
use wnm_core::command::{CommandError, CommandRunner, CommandSpec};
use wnm_core::machine::Launch;
use wnm_core::node::NodeReport;
use wnm_core::node::{Node, NodeMeasurements};
use wnm_core::paths::Paths;
use wnm_core::program::{NodeProgram, ProgramError};
use wnm_core::registry::ProgramFactory;

/// A debug build hashes its own binary at every start, which takes seconds on a loaded machine.
const VERSION_DEADLINE: Duration = Duration::from_secs(30);

/// Name of the program.
const NAME: &str = "antnode";

/// How the names of all series begin that are read.
const FAMILY: &str = "ant_";

/// `antnode`, the node program of the Autonomi network up to 0.4.
pub struct Antnode {
    runner: Arc<dyn CommandRunner>,
}

impl Antnode {
    /// Asks binaries for their version through `runner`.
    pub fn new(runner: Arc<dyn CommandRunner>) -> Self {
        Self { runner }
    }
}

/// Builds [`Antnode`].
#[derive(Debug, Clone, Copy, Default)]
pub struct AntnodeFactory;

impl ProgramFactory for AntnodeFactory {
    fn name(&self) -> &'static str {
        NAME
    }

    fn build(&self, runner: Arc<dyn CommandRunner>) -> Arc<dyn NodeProgram> {
        Arc::new(Antnode::new(runner))
    }
}

#[async_trait]
impl NodeProgram for Antnode {
    fn name(&self) -> &'static str {
        NAME
    }

    fn network(&self) -> &'static str {
        "evm-arbitrum-one"
    }

    fn arguments(
        &self,
        node: &Node,
        launch: &Launch,
        paths: &Paths,
    ) -> Result<Vec<OsString>, ProgramError> {
        let lacks = |what| ProgramError::Incomplete {
            node: node.id,
            what,
        };
        let wallet = node.wallet.ok_or_else(|| lacks("rewards address"))?;
        let metrics = node.ports.metrics.ok_or_else(|| lacks("metrics port"))?;
        let logs = node
            .log_dir
            .clone()
            .unwrap_or_else(|| node.root_dir.join("logs"));
        let mut args: Vec<OsString> = vec![
            "--bootstrap-cache-dir".into(),
            paths.bootstrap_cache.clone().into(),
            "--root-dir".into(),
            node.root_dir.clone().into(),
            "--port".into(),
            node.ports.node.to_string().into(),
            "--enable-metrics-server".into(),
            "--metrics-server-port".into(),
            metrics.to_string().into(),
            "--log-output-dest".into(),
            logs.into(),
            "--max-log-files".into(),
            "1".into(),
            "--max-archived-log-files".into(),
            "1".into(),
        ];
        if launch.no_upnp {
            args.push("--no-upnp".into());
        }
        if let Some(words) = &launch.start_args {
            let words = split_words("start_args", words)?;
            args.extend(words.into_iter().map(OsString::from));
        }
        args.push("--rewards-address".into());
        args.push(wallet.to_string().into());
        args.push(node.network.clone().into());
        Ok(args)
    }

    fn environment(
        &self,
        node: &Node,
        launch: &Launch,
    ) -> Result<Vec<(OsString, OsString)>, ProgramError> {
        let mut variables = Vec::new();
        for words in [&launch.environment, &node.environment]
            .into_iter()
            .flatten()
        {
            for word in split_words("environment", words)? {
                let Some((key, value)) = word.split_once('=').filter(|(key, _)| !key.is_empty())
                else {
                    return Err(ProgramError::Words {
                        option: "environment",
                        text: words.clone(),
                        reason: "takes KEY=value words",
                    });
                };
                variables.push((key.into(), value.into()));
            }
        }
        Ok(variables)
    }

    async fn version(&self, binary: &Path) -> Result<Version, ProgramError> {
        let file = tokio::fs::metadata(binary)
            .await
            .map_err(|_| ProgramError::Missing(binary.to_owned()))?;
        if !file.is_file() || file.permissions().mode() & 0o111 == 0 {
            return Err(ProgramError::NotExecutable(binary.to_owned()));
        }
        let foreign = |words: String| ProgramError::NotTheProgram {
            path: binary.to_owned(),
            program: self.name(),
            words,
        };
        let spec = CommandSpec::new(binary, VERSION_DEADLINE).arg("--version");
        let output = match self.runner.run(&spec).await {
            Ok(output) => output,
            Err(CommandError::TimedOut { .. }) => {
                return Err(ProgramError::TimedOut(binary.to_owned()));
            }
            Err(error) => return Err(foreign(error.to_string())),
        };
        let text = String::from_utf8_lossy(&output.stdout);
        parse_version(&text).ok_or_else(|| {
            let first = text.lines().next().unwrap_or_default();
            let words: String = first.chars().filter(|c| !c.is_control()).take(80).collect();
            foreign(if words.is_empty() {
                "no output".to_owned()
            } else {
                words
            })
        })
    }

    fn identity_file(&self, root_dir: &Path) -> PathBuf {
        root_dir.join("secret-key")
    }

    fn metadata_path(&self) -> &'static str {
        "/metadata"
    }

    fn metrics_path(&self) -> &'static str {
        "/metrics"
    }

    fn read_report(&self, metadata: &[u8], metrics: &[u8]) -> Option<NodeReport> {
        let mut version = None;
        let mut peer_id = None;
        for sample in exposition::samples(metadata) {
            if let Some(text) = sample.label("antnode_version") {
                version = Version::parse(text).ok();
            }
            if let Some(text) = sample.label("peer_id") {
                peer_id = Some(text.to_owned());
            }
        }
        let version = version?;
        let mut measured = NodeMeasurements::default();
        for sample in exposition::samples_of(metrics, FAMILY) {
            read_sample(&mut measured, &sample);
        }
        Some(NodeReport {
            version: Some(version),
            peer_id,
            measured,
        })
    }
}

fn read_sample(measured: &mut NodeMeasurements, sample: &Sample<'_>) {
    match sample.name {
        "ant_node_uptime" => measured.uptime = sample.count(),
        "ant_networking_records_stored" => measured.records = sample.count(),
        "ant_networking_shunned_by_close_group" => measured.shunned = sample.count(),
        "ant_networking_connected_peers" => measured.connected_peers = sample.count(),
        "ant_node_put_record_ok_total" => {
            measured.puts = measured.puts.saturating_add(sample.count());
        }
        "ant_node_current_reward_wallet_balance" => {
            measured.rewards = sample.integer_text().map(str::to_owned);
        }
        "ant_networking_process_memory_used_mb" => measured.memory_mb = sample.figure(),
        "ant_networking_process_cpu_usage_percentage" => measured.cpu_percent = sample.figure(),
        "ant_networking_open_connections" => measured.open_connections = sample.count(),
        "ant_networking_peers_in_routing_table" => measured.total_peers = sample.count(),
        "ant_networking_bad_peers_count_total" => measured.bad_peers = sample.count(),
        "ant_networking_relevant_records" => measured.relevant_records = sample.count(),
        "ant_networking_max_records" => measured.max_records = sample.count(),
        "ant_networking_received_payment_count" => measured.payment_count = sample.count(),
        "ant_networking_live_time" => measured.live_time = sample.count(),
        "ant_networking_estimated_network_size" => measured.network_size = sample.count(),
        _ => {}
    }
}

/// `Autonomi Node v0.4.17` on the first line; a pre-release suffix may follow the numbers.
fn parse_version(output: &str) -> Option<Version> {
    let first = output.lines().next()?.trim();
    Version::parse(first.strip_prefix("Autonomi Node v")?.trim()).ok()
}

fn split_words(option: &'static str, text: &str) -> Result<Vec<String>, ProgramError> {
    let fault = |reason| ProgramError::Words {
        option,
        text: text.to_owned(),
        reason,
    };
    if text.contains(['\0', '\n', '\r']) {
        return Err(fault("must be one line"));
    }
    shlex::split(text).ok_or_else(|| fault("has a quote that is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_first_line_only() {
        let output = "Autonomi Node v0.4.17\nNetwork version: ant/1.0/1\n";
        assert_eq!(parse_version(output), Some(Version::new(0, 4, 17)));
        assert_eq!(
            parse_version("Autonomi Node v0.5.0-rc.1")
                .unwrap()
                .to_string(),
            "0.5.0-rc.1"
        );
        for other in [
            "",
            "antctl 0.14.2",
            "Autonomi Node v",
            "\nAutonomi Node v0.4.17",
        ] {
            assert_eq!(parse_version(other), None, "{other}");
        }
    }

    #[test]
    fn words_are_split_without_a_shell() {
        let words = split_words("start_args", r#"--peer "a b" '$(reboot)' c\ d"#).unwrap();
        assert_eq!(words, ["--peer", "a b", "$(reboot)", "c d"]);
        assert!(split_words("start_args", "\"open").is_err());
        assert!(split_words("start_args", "a\nb").is_err());
    }
}
