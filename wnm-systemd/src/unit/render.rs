//! Renders the units that wnm writes.

use std::ffi::OsString;
use std::path::PathBuf;

use wnm_core::machine::FleetLimits;

use super::escape::{self, EscapeError};

/// The first words of every file wnm writes. wnm never overwrites a unit that starts differently.
pub(crate) const MARK: &str = "# Written by wnm";

/// The slice that holds all nodes, so that one limit can cover them all.
pub(crate) const SLICE: &str = "wnm.slice";

/// Delay in seconds before systemd restarts a node: long enough to free its port and to keep a
/// crash loop cheap, short enough that peers do not drop the node.
const RESTART_SECONDS: u32 = 5;

/// systemd gives up on a node after this many exits within [`START_LIMIT_SECONDS`], because another
/// restart will not fix it. wnm then sees it stopped and retries with its own backoff.
const START_LIMIT: u32 = 5;

/// The window in seconds for [`START_LIMIT`]: a few times what the restarts alone take.
const START_LIMIT_SECONDS: u32 = 300;

/// Seconds a node may take to stop before systemd kills it. Nodes write records as they arrive, so
/// they only ever wait for a busy disk.
const STOP_SECONDS: u32 = 20;

/// Maximum open files of a node: one per connection, well above what a busy node was seen to use.
const OPEN_FILES: u32 = 65_536;

/// Writable directories that `PrivateTmp=` replaces with private ones.
const TMP_DIRS: [&str; 2] = ["/tmp", "/var/tmp"];

/// The directories that `ProtectHome=` hides.
const HOME_DIRS: [&str; 3] = ["/home", "/root", "/run/user"];

/// The systemd instance that a unit is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The system manager.
    System {
        /// The account that nodes run as.
        user: String,
    },
    /// The caller's user manager.
    User,
}

/// The unit of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceUnit {
    pub description: String,
    pub scope: Scope,
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub environment: Vec<(OsString, OsString)>,
    /// The data directory. It is the working directory and must be writable.
    pub root_dir: PathBuf,
    /// Other directories that the node writes to.
    pub writable: Vec<PathBuf>,
}

impl ServiceUnit {
    /// Renders the text of the unit file.
    pub fn render(&self) -> Result<String, EscapeError> {
        let mut text = format!(
            "{MARK}, which may write it again: for changes of your own use systemctl edit.\n[Unit]\n"
        );
        let mut line = |key: &str, value: &str| {
            text.push_str(key);
            text.push('=');
            text.push_str(value);
            text.push('\n');
        };
        line("Description", &self.description);
        if let Scope::System { .. } = self.scope {
            line("After", "network-online.target");
            line("Wants", "network-online.target");
        }
        line("StartLimitIntervalSec", &START_LIMIT_SECONDS.to_string());
        line("StartLimitBurst", &START_LIMIT.to_string());
        line("\n[Service]\nType", "exec");
        line(
            "ExecStart",
            &escape::command_line(&self.program, &self.args)?,
        );
        let root = escape::checked_path(&self.root_dir)?.replace('%', "%%");
        line("WorkingDirectory", &root);
        for (key, value) in &self.environment {
            line("Environment", &escape::assignment(key, value)?);
        }
        if let Scope::System { user } = &self.scope {
            line("User", user);
        }
        line("Slice", SLICE);
        line("Restart", "always");
        line("RestartSec", &RESTART_SECONDS.to_string());
        line("KillSignal", "SIGTERM");
        line("TimeoutStopSec", &STOP_SECONDS.to_string());
        line("LimitNOFILE", &OPEN_FILES.to_string());
        line("NoNewPrivileges", "yes");
        if let Scope::System { .. } = self.scope {
            for (key, value) in self.sandbox()? {
                line(key, &value);
            }
        }
        let target = match self.scope {
            Scope::System { .. } => "multi-user.target",
            Scope::User => "default.target",
        };
        line("\n[Install]\nWantedBy", target);
        Ok(text)
    }

    /// Returns the sandbox settings for a unit of the system manager. The node may write to its own
    /// directories and use the network; everything else is denied.
    fn sandbox(&self) -> Result<Vec<(&'static str, String)>, EscapeError> {
        let uses_any_of = |places: &[&str]| {
            let mut own = self.writable.iter().chain([&self.root_dir, &self.program]);
            own.any(|path| places.iter().any(|place| path.starts_with(place)))
        };
        let mut settings = Vec::new();
        let mut add = |key, value: &str| settings.push((key, value.to_owned()));
        add("ProtectSystem", "strict");
        add(
            "ReadWritePaths",
            &escape::quote(escape::checked_path(&self.root_dir)?.as_ref())?,
        );
        for path in &self.writable {
            // With "-", a missing directory does not prevent the start.
            let optional = format!("-{}", escape::checked_path(path)?);
            add("ReadWritePaths", &escape::quote(optional.as_ref())?);
        }
        add(
            "ProtectHome",
            if uses_any_of(&HOME_DIRS) {
                "read-only"
            } else {
                "yes"
            },
        );
        if !uses_any_of(&TMP_DIRS) {
            add("PrivateTmp", "yes");
        }
        for key in [
            "PrivateDevices",
            "ProtectClock",
            "ProtectControlGroups",
            "ProtectHostname",
            "ProtectKernelLogs",
            "ProtectKernelModules",
            "ProtectKernelTunables",
            "RestrictNamespaces",
            "RestrictRealtime",
            "RestrictSUIDSGID",
            "LockPersonality",
        ] {
            add(key, "yes");
        }
        add(
            "RestrictAddressFamilies",
            "AF_INET AF_INET6 AF_NETLINK AF_UNIX",
        );
        add("SystemCallArchitectures", "native");
        add("CapabilityBoundingSet", "");
        Ok(settings)
    }
}

/// Renders the slice file.
pub(crate) fn render_slice(limits: &FleetLimits) -> String {
    let mut text = format!(
        "{MARK}, which may write it again: for limits on all nodes together use --fleet-memory-max and \
         --fleet-cpu-quota.\n\
         [Unit]\n\
         Description=Nodes run by wnm\n"
    );
    let memory = limits
        .memory_max
        .map(|limit| format!("MemoryMax={limit}\n"));
    let quota = limits.cpu_quota.map(|quota| format!("CPUQuota={quota}%\n"));
    let settings: String = memory.into_iter().chain(quota).collect();
    if !settings.is_empty() {
        text.push_str("\n[Slice]\n");
        text.push_str(&settings);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn unit(scope: Scope, root: &str) -> ServiceUnit {
        ServiceUnit {
            description: "antnode0007".to_owned(),
            scope,
            program: PathBuf::from(root).join("antnode"),
            args: ["--root-dir", root, "--say", "50% \"off\"", "c:\\dir"]
                .map(OsString::from)
                .into(),
            environment: vec![("NOTE".into(), "a b".into()), ("N".into(), "1".into())],
            root_dir: root.into(),
            writable: vec![
                "/var/log/antnode/antnode0007".into(),
                "/var/antctl/cache".into(),
            ],
        }
    }

    #[test]
    fn a_system_unit_is_sandboxed() {
        let user = "ant".to_owned();
        let text = unit(Scope::System { user }, "/var/antctl/services/antnode0007").render();
        assert_snapshot!(text.unwrap(), @r#"
        # Written by wnm, which may write it again: for changes of your own use systemctl edit.
        [Unit]
        Description=antnode0007
        After=network-online.target
        Wants=network-online.target
        StartLimitIntervalSec=300
        StartLimitBurst=5

        [Service]
        Type=exec
        ExecStart=/var/antctl/services/antnode0007/antnode --root-dir /var/antctl/services/antnode0007 --say "50%% \"off\"" "c:\\dir"
        WorkingDirectory=/var/antctl/services/antnode0007
        Environment="NOTE=a b"
        Environment=N=1
        User=ant
        Slice=wnm.slice
        Restart=always
        RestartSec=5
        KillSignal=SIGTERM
        TimeoutStopSec=20
        LimitNOFILE=65536
        NoNewPrivileges=yes
        ProtectSystem=strict
        ReadWritePaths=/var/antctl/services/antnode0007
        ReadWritePaths=-/var/log/antnode/antnode0007
        ReadWritePaths=-/var/antctl/cache
        ProtectHome=yes
        PrivateTmp=yes
        PrivateDevices=yes
        ProtectClock=yes
        ProtectControlGroups=yes
        ProtectHostname=yes
        ProtectKernelLogs=yes
        ProtectKernelModules=yes
        ProtectKernelTunables=yes
        RestrictNamespaces=yes
        RestrictRealtime=yes
        RestrictSUIDSGID=yes
        LockPersonality=yes
        RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
        SystemCallArchitectures=native
        CapabilityBoundingSet=

        [Install]
        WantedBy=multi-user.target
        "#);
    }

    #[test]
    fn a_user_unit_is_quoted_where_needed() {
        let text = unit(Scope::User, "/home/a b/50%/antnode0007").render();
        assert_snapshot!(text.unwrap(), @r#"
        # Written by wnm, which may write it again: for changes of your own use systemctl edit.
        [Unit]
        Description=antnode0007
        StartLimitIntervalSec=300
        StartLimitBurst=5

        [Service]
        Type=exec
        ExecStart="/home/a b/50%%/antnode0007/antnode" --root-dir "/home/a b/50%%/antnode0007" --say "50%% \"off\"" "c:\\dir"
        WorkingDirectory=/home/a b/50%%/antnode0007
        Environment="NOTE=a b"
        Environment=N=1
        Slice=wnm.slice
        Restart=always
        RestartSec=5
        KillSignal=SIGTERM
        TimeoutStopSec=20
        LimitNOFILE=65536
        NoNewPrivileges=yes

        [Install]
        WantedBy=default.target
        "#);
    }

    #[test]
    fn nodes_below_tmp_and_home_can_write_their_directories() {
        let user = || Scope::System {
            user: "ant".to_owned(),
        };
        let below_tmp = unit(user(), "/tmp/x/antnode0007").render().unwrap();
        assert!(!below_tmp.contains("PrivateTmp"), "{below_tmp}");
        assert!(below_tmp.contains("ProtectHome=yes\n"), "{below_tmp}");
        let below_home = unit(user(), "/home/u/antnode0007").render().unwrap();
        assert!(
            below_home.contains("ProtectHome=read-only\n"),
            "{below_home}"
        );
        assert!(below_home.contains("PrivateTmp=yes\n"), "{below_home}");
    }

    #[test]
    fn rejects_values_that_systemd_drops_or_misreads() {
        for root in ["relative", "/a\"b", "/a'b", "/a\\b", "/a\nb", "/blank "] {
            unit(Scope::User, root).render().unwrap_err();
        }
        let mut bad = unit(Scope::User, "/n");
        bad.environment = vec![("A B".into(), "c".into())];
        assert_eq!(
            bad.render().unwrap_err().to_string(),
            "'A B' is not a valid variable name"
        );
        bad.environment = vec![("A".into(), "\u{1b}".into())];
        bad.render().unwrap_err();
    }

    #[test]
    fn the_slice_contains_the_configured_limits() {
        assert_snapshot!(render_slice(&FleetLimits::default()), @r"
        # Written by wnm, which may write it again: for limits on all nodes together use --fleet-memory-max and --fleet-cpu-quota.
        [Unit]
        Description=Nodes run by wnm
        ");
        let limits = FleetLimits {
            memory_max: Some("24G".parse().unwrap()),
            cpu_quota: std::num::NonZeroU32::new(350),
        };
        assert_snapshot!(render_slice(&limits), @r"
        # Written by wnm, which may write it again: for limits on all nodes together use --fleet-memory-max and --fleet-cpu-quota.
        [Unit]
        Description=Nodes run by wnm

        [Slice]
        MemoryMax=24G
        CPUQuota=350%
        ");
    }
}
