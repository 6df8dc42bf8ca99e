//! The rule for tests that need real programs, which this machine may not have.

use std::path::{Path, PathBuf};

/// What a script of `.ci` prepares for tests, once for each machine.
pub struct Cache {
    script: &'static str,
    /// The variable that names its directory.
    variable: &'static str,
    /// Its directory in the user's cache when the variable is not set.
    dir: &'static str,
}

/// The real node programs and the official manager.
pub const PROGRAMS: Cache = Cache {
    script: "real-programs",
    variable: "WNM_ANTNODE_CACHE",
    dir: "wnm-antnode",
};

/// The released versions of the Python wnm.
pub const PYTHON: Cache = Cache {
    script: "python-wnm",
    variable: "WNM_PYTHON_CACHE",
    dir: "wnm-python",
};

/// The images with s6.
pub const IMAGES: Cache = Cache {
    script: "s6-images",
    variable: "WNM_S6_CACHE",
    dir: "wnm-s6",
};

/// The linter of Dockerfiles.
pub const HADOLINT: Cache = Cache {
    script: "hadolint",
    variable: "WNM_HADOLINT_CACHE",
    dir: "wnm-hadolint",
};

impl Cache {
    /// One of its files. `None` after saying that the test is skipped.
    pub fn file(&self, name: impl AsRef<Path>) -> Option<PathBuf> {
        let name = name.as_ref();
        let path = self.cache().map(|cache| cache.join(name));
        let path = path.filter(|path| path.is_file());
        if path.is_none() {
            let (name, script) = (name.display(), self.script);
            skip(&format!("there is no {name}; make it with .ci/{script}"));
        }
        path
    }

    fn cache(&self) -> Option<PathBuf> {
        let variable = |name| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        variable(self.variable)
            .or_else(|| Some(variable("XDG_CACHE_HOME")?.join(self.dir)))
            .or_else(|| Some(variable("HOME")?.join(".cache").join(self.dir)))
    }
}

/// Says that a test is skipped because `what` is missing, and what to do about it. With `WNM_REQUIRE_REAL=1`, which
/// continuous integration sets, it fails the test instead: nothing may be skipped unseen there.
pub fn skip(what: &str) {
    let required = std::env::var("WNM_REQUIRE_REAL").is_ok_and(|value| value == "1");
    assert!(!required, "{what}, and WNM_REQUIRE_REAL is set");
    eprintln!("skipped: {what}");
}
