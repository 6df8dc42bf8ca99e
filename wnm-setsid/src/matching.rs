//! Decides which node a process belongs to. The only I/O is resolving a node's paths.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use wnm_core::node::Node;
use wnm_core::program::argv;

use crate::process_ref::ProcessRef;

/// The program a process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Program {
    /// Its path, even if the file has been replaced since.
    At(PathBuf),
    /// The kernel does not reveal it: the process belongs to another account.
    Hidden,
}

/// A process with its program and arguments: enough to match it to a node, at half the cost of a [`Process`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunningProgram {
    pub pid: i32,
    pub program: Program,
    pub argv: Vec<OsString>,
}

/// A running process. A zombie does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub id: ProcessRef,
    pub program: Program,
    pub argv: Vec<OsString>,
    /// Uid of the account it runs under.
    pub account: u32,
}

/// Matches processes to one node by program path and `--root-dir`.
#[derive(Debug)]
pub(crate) struct NodeMatcher {
    binaries: Vec<PathBuf>,
    roots: Vec<PathBuf>,
}

impl NodeMatcher {
    /// A matcher for a node.
    pub fn for_node(node: &Node) -> Self {
        Self::for_paths(&node.binary, &node.root_dir)
    }

    /// A matcher for a node with these paths.
    pub fn for_paths(binary: &Path, root: &Path) -> Self {
        Self::with_dirs(binary, root, &mut CanonicalDirs::default())
    }

    /// As [`Self::for_paths`], for one of many nodes: `real` caches resolved directories. The kernel reports
    /// paths without symbolic links while arguments keep them as given, so both spellings match.
    pub fn with_dirs(binary: &Path, root: &Path, real: &mut CanonicalDirs) -> Self {
        let real_root = real.resolve(root);
        let real_dir = match binary.parent() {
            Some(dir) if dir == root => real_root.clone(),
            Some(dir) => real.resolve(dir),
            None => None,
        };
        let mut roots = vec![root.to_owned()];
        push_unique(&mut roots, real_root);
        let mut binaries = vec![binary.to_owned()];
        let resolved = real_dir.zip(binary.file_name());
        push_unique(&mut binaries, resolved.map(|(dir, name)| dir.join(name)));
        if binary.is_symlink() {
            push_unique(&mut binaries, binary.canonicalize().ok());
        }
        Self { binaries, roots }
    }

    /// The paths under which the kernel may report the node's program.
    pub fn binaries(&self) -> &[PathBuf] {
        &self.binaries
    }

    /// Whether the process belongs to the node.
    pub fn matches(&self, process: &Process) -> bool {
        self.matches_program(&process.program, &process.argv)
    }

    /// Whether a process with this program and these arguments belongs to the node.
    ///
    /// Where the program path is known, it decides, because arguments can say anything. Nodes may share a
    /// program outside their own directories; then the arguments must also name the directory.
    pub fn matches_program(&self, program: &Program, argv: &[OsString]) -> bool {
        // wnm itself runs the node's program like this to read its version.
        if argv.len() == 2 && argv[1] == "--version" {
            return false;
        }
        let root = argv::option(argv, "--root-dir").map(Path::new);
        let root_agrees = root.is_some_and(|root| self.roots.iter().any(|own| own == root));
        match program {
            Program::At(path) => {
                let in_own_dir = self.roots.iter().any(|own| path.parent() == Some(own));
                self.binaries.contains(path) && (root_agrees || (in_own_dir && root.is_none()))
            }
            Program::Hidden => {
                let argv0 = argv.first().map(Path::new);
                root_agrees && argv0.is_some_and(|path| self.binaries.iter().any(|b| b == path))
            }
        }
    }
}

/// Resolves directories to paths without symbolic links. Resolving costs one call per path component; node
/// directories are siblings, so this caches their parents.
#[derive(Debug, Default)]
pub(crate) struct CanonicalDirs {
    parents: HashMap<PathBuf, Option<PathBuf>>,
}

impl CanonicalDirs {
    /// The resolved path; `None` if the directory does not exist.
    fn resolve(&mut self, dir: &Path) -> Option<PathBuf> {
        let (Some(parent), Some(name)) = (dir.parent(), dir.file_name()) else {
            return dir.canonicalize().ok();
        };
        if dir.symlink_metadata().ok()?.is_symlink() {
            return dir.canonicalize().ok();
        }
        let real = match self.parents.get(parent) {
            Some(real) => real,
            None => self
                .parents
                .entry(parent.to_owned())
                .or_insert_with(|| parent.canonicalize().ok()),
        };
        real.as_ref().map(|real| real.join(name))
    }
}

fn push_unique(paths: &mut Vec<PathBuf>, path: Option<PathBuf>) {
    if let Some(path) = path
        && !paths.contains(&path)
    {
        paths.push(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(matcher: &NodeMatcher, program: Option<&str>, argv: &[&str]) -> bool {
        let program = program.map_or(Program::Hidden, |path| Program::At(path.into()));
        let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
        matcher.matches_program(&program, &argv)
    }

    const OWN: &str = "/n/antnode0001/antnode";

    fn is_own(program: Option<&str>, argv: &[&str]) -> bool {
        let matcher = NodeMatcher::for_paths(Path::new(OWN), Path::new("/n/antnode0001"));
        fits(&matcher, program, argv)
    }

    #[test]
    fn the_program_path_decides() {
        assert!(is_own(Some(OWN), &["antnode", "--port", "1"]));
        assert!(is_own(
            Some(OWN),
            &[OWN, "--root-dir", "/n/antnode0001", "x"]
        ));
        assert!(!is_own(Some(OWN), &[OWN, "--version"]));
        assert!(!is_own(
            Some("/bin/sleep"),
            &[OWN, "--root-dir", "/n/antnode0001"]
        ));
        assert!(!is_own(Some(OWN), &[OWN, "--root-dir=/n/antnode0002"]));
    }

    #[test]
    fn a_hidden_program_must_match_argv0_and_root_dir() {
        assert!(is_own(None, &[OWN, "--root-dir", "/n/antnode0001"]));
        assert!(!is_own(None, &[OWN, "--root-dir", "/n/antnode00010"]));
        assert!(!is_own(None, &[OWN]));
        assert!(!is_own(
            None,
            &["/bin/grep", OWN, "--root-dir", "/n/antnode0001"]
        ));
        assert!(!is_own(None, &[]));
    }

    #[test]
    fn a_shared_program_must_name_the_directory() {
        let shared = "/usr/bin/antnode";
        let matcher = NodeMatcher::for_paths(Path::new(shared), Path::new("/n/antnode0001"));
        let with = |argv: &[&str]| fits(&matcher, Some(shared), argv);
        assert!(with(&[shared, "--root-dir", "/n/antnode0001"]));
        assert!(!with(&[shared, "--root-dir", "/n/antnode0002"]));
        assert!(!with(&[shared]));
    }

    #[test]
    fn a_node_behind_a_symbolic_link_matches_by_its_real_path() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap().join("real");
        std::fs::create_dir_all(real.join("antnode0001")).unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let root = link.join("antnode0001");
        let matcher = NodeMatcher::for_paths(&root.join("antnode"), &root);
        let path = real.join("antnode0001/antnode");
        let argv = ["antnode", "--root-dir", root.to_str().unwrap()];
        assert!(fits(&matcher, path.to_str(), &argv));
    }

    #[test]
    fn directories_and_sibling_links_resolve_separately() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(real.join("storage/one")).unwrap();
        std::fs::create_dir(real.join("elsewhere")).unwrap();
        let link = |to: &str, from: &str| {
            std::os::unix::fs::symlink(real.join(to), real.join(from)).unwrap();
        };
        link("storage", "alias");
        link("elsewhere", "storage/two");
        link("nowhere", "storage/three");
        let mut dirs = CanonicalDirs::default();
        let alias = real.join("alias");
        assert_eq!(
            dirs.resolve(&alias.join("one")),
            Some(real.join("storage/one"))
        );
        assert_eq!(
            dirs.resolve(&alias.join("two")),
            Some(real.join("elsewhere"))
        );
        assert_eq!(dirs.resolve(&alias.join("three")), None);
        assert_eq!(dirs.resolve(&alias.join("four")), None);
        assert_eq!(dirs.resolve(&alias.join("..")), Some(real.clone()));
        assert_eq!(dirs.resolve(Path::new("/")), Some(PathBuf::from("/")));
    }
}
