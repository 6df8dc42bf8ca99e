//! The measurements, run against the fake launchd.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use wnm_tests::launchd::Launchd;

const JOBS: u32 = 300;

pub(crate) fn run() {
    let dir = tempfile::tempdir().unwrap();
    let launchd = Launchd::up(dir.path());
    let (launchctl, [(name, value)]) = launchd.launchctl();
    let call = |words: &[&str]| {
        let output = Command::new(&launchctl)
            .args(words)
            .env(name, &value)
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let gui = format!("gui/{}", nix::unistd::geteuid());
    for number in 1..=JOBS {
        let file = write(dir.path(), number);
        call(&["bootstrap", &gui, file.to_str().unwrap()]);
    }
    let time = |what: &str, request: &dyn Fn()| {
        let before = Instant::now();
        request();
        println!("{what}: {:.1?}", before.elapsed());
    };
    time("one list", &|| {
        assert!(call(&["list"]).lines().count() > JOBS as usize);
    });
    time(
        "one list plus one request per domain, as with idle nodes",
        &|| {
            call(&["list"]);
            call(&["print", &gui]);
            call(&["print", &gui.replace("gui", "user")]);
        },
    );
    time("one request per job", &|| {
        for number in 1..=JOBS {
            call(&["print", &format!("{gui}/com.autonomi.antnode-{number}")]);
        }
    });
}

fn write(dir: &Path, number: u32) -> std::path::PathBuf {
    let label = format!("com.autonomi.antnode-{number}");
    let file = dir.join(format!("{label}.plist"));
    let text = format!(
        "<plist version=\"1.0\"><dict><key>Label</key><string>{label}</string>\
         <key>ProgramArguments</key><array><string>/bin/sleep</string><string>1000000</string></array>\
         <key>RunAtLoad</key><true/></dict></plist>\n"
    );
    std::fs::write(&file, text).unwrap();
    file
}
