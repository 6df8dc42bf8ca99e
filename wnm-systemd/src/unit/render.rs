//! What wnm writes.

use std::ffi::OsString;
use std::path::PathBuf;

use wnm_core::machine::FleetLimits;

use super::escape::{self, Unwritable};

/// First line of what wnm writes: a unit that begins otherwise is a person's or another program's and is not
/// written over.
pub(crate) const MARK: &str = "# Written by wnm";

/// The slice that holds all nodes, so that one limit can hold for the fleet.
pub(crate) const SLICE: &str = "wnm.slice";

/// Seconds before a node that ended is started again: long enough for its port to be let go and for a loop
/// to be no load, short beside the time a node takes to be missed by its peers.
const RESTART_SECONDS: u32 = 5;

/// A node that ends this often within [`START_LIMIT_SECONDS`] is not started again: something is wrong with it
/// that a further start does not mend. wnm sees it stopped and spaces out its own attempts.
const START_LIMIT: u32 = 5;

/// The time over which ends are counted: a few times what the restarts alone take.
const START_LIMIT_SECONDS: u32 = 300;

/// Seconds a node may take to end before it is killed: it writes its records as they come, so a loaded disk is
/// all it waits for.
const STOP_SECONDS: u32 = 20;

/// Open files a node may have: a connection each, with room above what a busy node was seen to use.
const OPEN_FILES: u32 = 65_536;

/// Where services can write although the system is protected from them: what is below need not be shared.
const PRIVATE_TO_SERVICE: [&str; 2] = ["/tmp", "/var/tmp"];

/// What `ProtectHome=` hides.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];

/// Whose systemd a unit is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The machine's; nodes run as this account.
    System {
        /// The account.
        user: String,
    },
    /// The caller's own.
    User,
}

/// A node's unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceUnit {
    pub description: String,
    pub reach: Reach,
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub environment: Vec<(OsString, OsString)>,
    /// Its data, which it starts in and must be able to write.
    pub root_dir: PathBuf,
    /// Other directories that it writes to.
    pub writes: Vec<PathBuf>,
}

impl ServiceUnit {
    /// The text of the unit.
    pub fn render(&self) -> Result<String, Unwritable> {
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
        if let Reach::System { .. } = self.reach {
            line("After", "network-online.target");
            line("Wants", "network-online.target");
        }
        line("StartLimitIntervalSec", &START_LIMIT_SECONDS.to_string());
        line("StartLimitBurst", &START_LIMIT.to_string());
        line("\n[Service]\nType", "exec");
        line("ExecStart", &escape::command(&self.program, &self.args)?);
        let root = escape::path(&self.root_dir)?.replace('%', "%%");
        line("WorkingDirectory", &root);
        for (key, value) in &self.environment {
            line("Environment", &escape::assignment(key, value)?);
        }
        if let Reach::System { user } = &self.reach {
            line("User", user);
        }
        line("Slice", SLICE);
        line("Restart", "always");
        line("RestartSec", &RESTART_SECONDS.to_string());
        line("KillSignal", "SIGTERM");
        line("TimeoutStopSec", &STOP_SECONDS.to_string());
        line("LimitNOFILE", &OPEN_FILES.to_string());
        line("NoNewPrivileges", "yes");
        if let Reach::System { .. } = self.reach {
            for (key, value) in self.sandbox()? {
                line(key, &value);
            }
        }
        let target = match self.reach {
            Reach::System { .. } => "multi-user.target",
            Reach::User => "default.target",
        };
        line("\n[Install]\nWantedBy", target);
        Ok(text)
    }

    /// What a node of the machine's systemd may not do. It writes to its own directories and talks to the
    /// network; everything else stays closed.
    fn sandbox(&self) -> Result<Vec<(&'static str, String)>, Unwritable> {
        let touches = |places: &[&str]| {
            let mut own = self.writes.iter().chain([&self.root_dir, &self.program]);
            own.any(|path| places.iter().any(|place| path.starts_with(place)))
        };
        let mut settings = Vec::new();
        let mut add = |key, value: &str| settings.push((key, value.to_owned()));
        add("ProtectSystem", "strict");
        add(
            "ReadWritePaths",
            &escape::word(escape::path(&self.root_dir)?.as_ref())?,
        );
        for path in &self.writes {
            // With "-" one that is not there yet is no reason not to start.
            let optional = format!("-{}", escape::path(path)?);
            add("ReadWritePaths", &escape::word(optional.as_ref())?);
        }
        add(
            "ProtectHome",
            if touches(&HOMES) { "read-only" } else { "yes" },
        );
        if !touches(&PRIVATE_TO_SERVICE) {
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

/// The unit of the slice.
pub(crate) fn slice(limits: &FleetLimits) -> String {
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

    fn unit(reach: Reach, root: &str) -> ServiceUnit {
        ServiceUnit {
            description: "antnode0007".to_owned(),
            reach,
            program: PathBuf::from(root).join("antnode"),
            args: ["--root-dir", root, "--say", "50% \"off\"", "c:\\dir"]
                .map(OsString::from)
                .into(),
            environment: vec![("NOTE".into(), "a b".into()), ("N".into(), "1".into())],
            root_dir: root.into(),
            writes: vec![
                "/var/log/antnode/antnode0007".into(),
                "/var/antctl/cache".into(),
            ],
        }
    }

    #[test]
    fn a_unit_of_the_machine_is_closed_up() {
        let user = "ant".to_owned();
        let text = unit(Reach::System { user }, "/var/antctl/services/antnode0007").render();
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
    fn a_unit_of_a_user_is_quoted_where_need_be() {
        let text = unit(Reach::User, "/home/a b/50%/antnode0007").render();
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
    fn nodes_below_tmp_and_home_keep_what_they_write_to() {
        let user = || Reach::System {
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
    fn what_systemd_would_drop_or_misread_is_refused() {
        for root in ["relative", "/a\"b", "/a'b", "/a\\b", "/a\nb", "/blank "] {
            unit(Reach::User, root).render().unwrap_err();
        }
        let mut bad = unit(Reach::User, "/n");
        bad.environment = vec![("A B".into(), "c".into())];
        assert_eq!(
            bad.render().unwrap_err().to_string(),
            "'A B' is no name of a variable"
        );
        bad.environment = vec![("A".into(), "\u{1b}".into())];
        bad.render().unwrap_err();
    }

    #[test]
    fn the_slice_has_the_limits_that_are_set() {
        assert_snapshot!(slice(&FleetLimits::default()), @r"
        # Written by wnm, which may write it again: for limits on all nodes together use --fleet-memory-max and --fleet-cpu-quota.
        [Unit]
        Description=Nodes run by wnm
        ");
        let limits = FleetLimits {
            memory_max: Some("24G".parse().unwrap()),
            cpu_quota: std::num::NonZeroU32::new(350),
        };
        assert_snapshot!(slice(&limits), @r"
        # Written by wnm, which may write it again: for limits on all nodes together use --fleet-memory-max and --fleet-cpu-quota.
        [Unit]
        Description=Nodes run by wnm

        [Slice]
        MemoryMax=24G
        CPUQuota=350%
        ");
    }
}
