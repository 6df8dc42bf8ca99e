//! wnm refuses what it cannot do, in one line that says what to do, and leaves nothing half done.

use std::os::unix::fs::PermissionsExt;

use wnm_tests::colony::Colony;
use wnm_tests::engine::{Suite, with_engine};

#[test]
fn a_missing_engine_is_named() {
    let colony = Colony::new();
    let program = colony.program("0.4.17");
    let _ = colony.init("s6overlay+user", &program, [""; 0]);
    let nowhere = format!("unix://{}", colony.dir().join("no.sock").display());
    let call = |args: &[&str]| colony.wnm(args).env("DOCKER_HOST", &nowhere);
    let refused = call(&["--force-action=add"]).run().refused();
    refused.assert_stderr_contains("no.sock");
    refused.assert_stderr_contains("DOCKER_HOST");
    let report = call(&["--json"]).run().succeeded().last_json();
    assert_eq!(
        report["steps"].as_array().map(Vec::len),
        Some(0),
        "{report}"
    );
    // A server that is not an engine.
    let other = std::os::unix::net::UnixListener::bind(colony.dir().join("no.sock")).unwrap();
    drop(other);
    let refused = call(&["--force-action=add"]).run().refused();
    refused.assert_stderr_contains("not reachable");
    assert!(colony.node_dirs().is_empty());
}

#[test]
fn errors_of_images_names_and_storage_are_distinguished() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = Colony::new();
        let program = colony.program("0.4.17");
        let _ = engine.init(&colony, &program, 5, &["--docker-image=no/such:image"]);
        let add = |more: &[&str], words: &[&str]| {
            let args = [&["--force-action=add"], more].concat();
            let refused = engine.wnm(&colony, &args).run().refused();
            let printed = refused.stdout + &refused.stderr;
            for word in words {
                assert!(printed.contains(word), "'{word}' in {printed}");
            }
            assert!(colony.node_dirs().is_empty());
            assert!(colony.database().nodes().is_empty());
        };
        add(&[], &["no/such:image", "wnm --dockerfile | docker build"]);
        assert!(engine.containers().is_empty());

        let image = format!("--docker-image={}", wnm_tests::engine::IMAGE);
        let _ = engine
            .wnm(&colony, &[&image, "--force-action=nullop"])
            .run()
            .succeeded();
        engine.call([
            "create",
            "--name",
            "a1",
            wnm_tests::engine::IMAGE,
            "sleep",
            "infinity",
        ]);
        add(&[], &["a1", "not this colony's"]);
        engine.call(["rm", "a1"]);

        // The storage is gone: a disk that is not mounted.
        let aside = colony.dir().join("aside");
        std::fs::rename(colony.storage(), &aside).unwrap();
        add_without_storage(engine, &colony);
        std::fs::write(colony.storage(), "").unwrap();
        add_without_storage(engine, &colony);
        std::fs::remove_file(colony.storage()).unwrap();
        std::fs::rename(&aside, colony.storage()).unwrap();
        assert!(engine.containers().is_empty());

        // An image whose account ant keeps its own number.
        engine.call([
            "run",
            "--name",
            "tmp",
            "--entrypoint",
            "/bin/rm",
            wnm_tests::engine::IMAGE,
            "-f",
            "/etc/s6-overlay/scripts/ant-ids",
        ]);
        engine.call([
            "commit",
            "--change",
            "ENTRYPOINT [\"/init\"]",
            "tmp",
            "stubborn",
        ]);
        engine.call(["rm", "tmp"]);
        std::os::unix::fs::chown(colony.storage(), Some(4321), Some(4321)).unwrap();
        add(
            &["--docker-image=stubborn"],
            &["user ant is not 4321:4321", "--dockerfile"],
        );
        engine.call(["rm", "--force", "a1"]);

        // Without the programs of s6.
        engine.call(["pause", &{
            let _ = engine
                .wnm(&colony, &[&image, "--node-cap=0"])
                .run()
                .succeeded();
            "a1".to_owned()
        }]);
        add(&["--node-cap=5"], &["container a1", "is paused"]);
        engine.call(["unpause", "a1"]);
        let _ = engine
            .wnm(&colony, &["--force-action=add", "--node-cap=5"])
            .run()
            .succeeded();

        // The socket is not accessible to everybody.
        let open = |path: &std::path::Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        open(&colony.temporary(), 0o777);
        let socket = engine.host().replace("unix://", "");
        let socket = std::path::Path::new(&socket);
        open(socket, 0o660);
        open(socket.parent().unwrap(), 0o755);
        open(colony.dir(), 0o755);
        // Another account may not be able to read the build directory.
        let program = colony.dir().join("wnm");
        std::fs::copy(wnm_tests::binaries::wnm(), &program).unwrap();
        let setpriv = std::path::Path::new("/usr/bin/setpriv");
        let denied = wnm_tests::call::Call::new(setpriv, &colony.home(), &colony.temporary())
            .args(["--reuid=1500", "--regid=1500", "--clear-groups", "--"])
            .arg(&program)
            .args(["--dry-run", "--force-action=add"])
            .env("DBPATH", colony.database_path())
            .env("DOCKER_HOST", engine.host())
            .run()
            .refused();
        denied.assert_stderr_contains("group docker");
        let teardown = ["--force-action=teardown", "--confirm"];
        let _ = engine.wnm(&colony, &teardown).run().succeeded();
        assert!(engine.containers().is_empty());
    });
}

fn add_without_storage(engine: &wnm_tests::engine::Engine, colony: &Colony) {
    let refused = engine.wnm(colony, &["--force-action=add"]).run().refused();
    let printed = refused.stdout + &refused.stderr;
    assert!(
        printed.contains("node storage") || printed.contains("nodes"),
        "{printed}"
    );
}
