//! What cannot be done is refused in one line that says what to do, and nothing is left half done.

use std::os::unix::fs::PermissionsExt;

use wnm_tests::colony::Colony;
use wnm_tests::engine::{Suite, with_engine};

#[test]
fn an_engine_that_is_not_there_is_named() {
    let colony = Colony::new();
    let program = colony.program("0.4.17");
    let _ = colony.init("s6overlay+user", &program, [""; 0]);
    let nowhere = format!("unix://{}", colony.dir().join("no.sock").display());
    let call = |args: &[&str]| colony.wnm(args).env("DOCKER_HOST", &nowhere);
    let refused = call(&["--force-action=add"]).run().refused();
    assert!(refused.stderr.contains("no.sock"), "{}", refused.stderr);
    assert!(refused.stderr.contains("DOCKER_HOST"), "{}", refused.stderr);
    let told = call(&["--json"]).run().succeeded().last_json();
    assert_eq!(told["steps"].as_array().map(Vec::len), Some(0), "{told}");
    // Somebody who is no engine.
    let other = std::os::unix::net::UnixListener::bind(colony.dir().join("no.sock")).unwrap();
    drop(other);
    let refused = call(&["--force-action=add"]).run().refused();
    assert!(
        refused.stderr.contains("not reachable"),
        "{}",
        refused.stderr
    );
    assert!(colony.node_dirs().is_empty());
}

#[test]
fn faults_of_images_names_and_storage_are_told_apart() {
    with_engine(Suite::Bookworm, |engine| {
        let colony = Colony::new();
        let program = colony.program("0.4.17");
        let _ = engine.init(&colony, &program, 5, &["--docker-image=no/such:image"]);
        let add = |more: &[&str], words: &[&str]| {
            let args = [&["--force-action=add"], more].concat();
            let refused = engine.wnm(&colony, &args).run().refused();
            let said = refused.stdout + &refused.stderr;
            for word in words {
                assert!(said.contains(word), "'{word}' in {said}");
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

        // An image whose ant stays who it is.
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

        // Nothing that s6 would answer in.
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

        // Whoever may not use the socket is told so.
        let open = |path: &std::path::Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        open(&colony.temporary(), 0o777);
        let socket = engine.host().replace("unix://", "");
        let socket = std::path::Path::new(&socket);
        open(socket, 0o660);
        open(socket.parent().unwrap(), 0o755);
        open(colony.dir(), 0o755);
        // Where the program was built need not be open to everyone.
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
        assert!(denied.stderr.contains("group docker"), "{}", denied.stderr);
        let teardown = ["--force-action=teardown", "--confirm"];
        let _ = engine.wnm(&colony, &teardown).run().succeeded();
        assert!(engine.containers().is_empty());
    });
}

fn add_without_storage(engine: &wnm_tests::engine::Engine, colony: &Colony) {
    let refused = engine.wnm(colony, &["--force-action=add"]).run().refused();
    let said = refused.stdout + &refused.stderr;
    assert!(
        said.contains("node storage") || said.contains("nodes"),
        "{said}"
    );
}
