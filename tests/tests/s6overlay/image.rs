//! The Dockerfile: the linter's findings, and, as far as it can be built without the network, its layers on the tests'
//! own image.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use wnm_tests::call::Call;
use wnm_tests::colony::Colony;
use wnm_tests::engine::{Engine, IMAGE, Suite, with_engine};
use wnm_tests::real;

/// All instructions but those that download, on another base.
fn offline(dockerfile: &str) -> String {
    let (mut kept, mut instruction) = (Vec::new(), Vec::new());
    for line in dockerfile.lines() {
        instruction.push(line);
        if line.ends_with('\\') {
            continue;
        }
        let text = instruction.join("\n");
        instruction.clear();
        let downloads = text.contains("https://") || text.contains("apt-get");
        if text.starts_with("FROM ") {
            kept.push(format!(
                "FROM {IMAGE}\nRUN sed -i '/^ant:/d' /etc/passwd /etc/group"
            ));
        } else if !downloads {
            kept.push(text);
        }
    }
    kept.join("\n") + "\n"
}

/// The rules that a Dockerfile breaks, as hadolint reports them.
fn broken_rules(hadolint: &Path, dockerfile: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("Dockerfile"), dockerfile).unwrap();
    let words = ["--no-color", "--no-fail", "--format=json", "Dockerfile"];
    let output = Call::new(hadolint, dir.path(), dir.path()).args(words);
    let output: serde_json::Value = serde_json::from_str(&output.run().succeeded().stdout).unwrap();
    let rule = |broken: &serde_json::Value| broken["code"].as_str().unwrap().to_owned();
    output.as_array().unwrap().iter().map(rule).collect()
}

/// What hadolint is configured to ignore is what it would report.
#[test]
fn hadolint_finds_nothing_but_the_ignored_rules() {
    let Some(hadolint) = real::HADOLINT.file("bin/hadolint") else {
        return;
    };
    let colony = Colony::new();
    let printed = colony.wnm(["--dockerfile", "--process-manager=s6overlay+user"]);
    let dockerfile = printed.run().succeeded().stdout;
    assert_eq!(broken_rules(&hadolint, &dockerfile), [""; 0]);
    let strict = dockerfile.replace("hadolint ignore", "");
    let set_aside = ["DL3008", "SC2016", "DL3002"];
    assert_eq!(broken_rules(&hadolint, &strict), set_aside);
}

fn build(engine: &Engine, dockerfile: &str) -> String {
    let mut docker = engine
        .docker(["build", "-t", "built", "-"])
        .env("DOCKER_BUILDKIT", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = docker.stdin.take().unwrap();
    input.write_all(dockerfile.as_bytes()).unwrap();
    drop(input);
    let output = docker.wait_with_output().unwrap();
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{answer}\n{complaint}");
    answer
}

#[test]
fn nodes_run_in_the_image_of_the_dockerfile() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = Colony::new();
        let printed = engine.wnm(
            &colony,
            &["--dockerfile", "--process-manager=s6overlay+user"],
        );
        let dockerfile = printed.run().succeeded().stdout;
        build(engine, &offline(&dockerfile));
        // The script in the image is that of the tests' own image.
        let script = "/etc/s6-overlay/scripts/ant-ids";
        let read =
            |image: &str| engine.call(["run", "--rm", "--entrypoint", "/bin/cat", image, script]);
        assert_eq!(read("built"), read(IMAGE));
        let kind = "/etc/s6-overlay/s6-rc.d/ant-ids/type";
        assert_eq!(
            engine.call(["run", "--rm", "--entrypoint", "/bin/cat", "built", kind]),
            "oneshot"
        );
        let command = engine.call(["inspect", "--format", "{{json .Config.Cmd}}", "built"]);
        assert_eq!(command, "[\"sleep\",\"infinity\"]");

        let program = colony.program("0.4.17");
        let _ = engine.init(&colony, &program, 5, &["--docker-image=built"]);
        let add = ["--force-action=add", "--count=2"];
        let _ = engine.wnm(&colony, &add).run().succeeded();
        assert_eq!(engine.run_in("a1", "id -u ant"), "1000");
        let teardown = ["--force-action=teardown", "--confirm"];
        let _ = engine.wnm(&colony, &teardown).run().succeeded();
        colony.assert_nothing_left();
    });
}
