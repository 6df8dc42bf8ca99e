# Recipes for work on wnm. `just` lists them.

# nextest where it is installed, cargo's own runner otherwise.
runner := if `command -v cargo-nextest || true` == "" { "cargo test" } else { "cargo nextest run --no-tests pass" }

# List the recipes.
default:
    @just --list --unsorted

# Minutes: formatting, lints and unit tests. Needs no root, no network and no supervisor.
fast:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
    env -u WNM_REQUIRE_REAL {{ runner }} --workspace --exclude wnm-tests --locked

# Everything a change must pass, against real supervisors. Run as root on a disposable machine.
full:
    .ci/run

# Lint one crate.
check CRATE:
    cargo fmt -p {{ CRATE }} --check
    cargo clippy -p {{ CRATE }} --all-targets --all-features --locked -- -D warnings

# Test one crate: just test wnm-core backoff.
test CRATE *ARGS:
    {{ runner }} -p {{ CRATE }} --locked {{ ARGS }}

# Benchmark one crate: just bench wnm-core --features mock --bench decide.
bench CRATE *ARGS:
    cargo bench -p {{ CRATE }} --locked {{ ARGS }}

# Fuzz one target of fuzz/fuzz_targets. Needs cargo-fuzz.
fuzz TARGET SECONDS="60":
    RUSTC_BOOTSTRAP=1 cargo fuzz run -s none {{ TARGET }} -- -max_total_time={{ SECONDS }}

# Build the documentation of all crates; warnings are errors.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --all-features

# Build the crate archives and compile what is in them. Publishes nothing.
package:
    cargo package --workspace --exclude wnm-tests --locked

# Run the unit tests and review changed snapshots one by one. Needs cargo-insta.
snapshots *ARGS:
    cargo insta test --review --workspace --exclude wnm-tests {{ ARGS }}
