//! What is known of a process, and how it is told whose it is. No I/O but the resolving of a node's paths.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use wnm_core::node::Node;
use wnm_core::program::argv;

/// A process and its place among the others. The number alone names nothing for long: the kernel gives it
/// out again. Together with the start it names one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kin {
    pub pid: i32,
    /// When it started, in the table's own unit; only ever compared.
    pub start: u64,
    pub parent: i32,
    pub group: i32,
    pub session: i32,
}

/// The program a process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Program {
    /// Its path, also where the file has been replaced since.
    At(PathBuf),
    /// The kernel does not say: the process is another account's.
    Hidden,
}

/// What a process runs: enough to tell whose it is, and for the kernel half the work of a [`Process`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Running {
    pub pid: i32,
    pub program: Program,
    pub argv: Vec<OsString>,
}

/// A process that runs; one that ended and was not yet collected by its parent is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub kin: Kin,
    pub program: Program,
    pub argv: Vec<OsString>,
    /// Number of the account it runs under.
    pub account: u32,
}

/// By what the processes of one node are known.
#[derive(Debug)]
pub(crate) struct Mark {
    binaries: Vec<PathBuf>,
    roots: Vec<PathBuf>,
}

impl Mark {
    /// The marks of a node.
    pub fn of(node: &Node) -> Self {
        Self::at(&node.binary, &node.root_dir)
    }

    /// The same from its paths.
    pub fn at(binary: &Path, root: &Path) -> Self {
        Self::among(binary, root, &mut RealDirs::default())
    }

    /// The same for one of many. The kernel reports paths without symbolic links, arguments hold them as they
    /// were given; so both spellings count.
    pub fn among(binary: &Path, root: &Path, real: &mut RealDirs) -> Self {
        let real_root = real.of(root);
        let real_dir = match binary.parent() {
            Some(dir) if dir == root => real_root.clone(),
            Some(dir) => real.of(dir),
            None => None,
        };
        let mut roots = vec![root.to_owned()];
        add(&mut roots, real_root);
        let mut binaries = vec![binary.to_owned()];
        let in_real_dir = real_dir.zip(binary.file_name());
        add(&mut binaries, in_real_dir.map(|(dir, name)| dir.join(name)));
        if binary.is_symlink() {
            add(&mut binaries, binary.canonicalize().ok());
        }
        Self { binaries, roots }
    }

    /// The paths its program may be reported under.
    pub fn binaries(&self) -> &[PathBuf] {
        &self.binaries
    }

    /// Whether a process is the node's.
    pub fn is_of(&self, process: &Process) -> bool {
        self.fits(&process.program, &process.argv)
    }

    /// Whether a process that runs this program with these arguments is the node's.
    ///
    /// The program decides where it is known, since arguments can say anything. A program that does not lie
    /// in the node's own directory is shared between nodes: then the arguments must name the directory too.
    pub fn fits(&self, program: &Program, argv: &[OsString]) -> bool {
        // wnm itself runs the node's binary like this to learn its version.
        if argv.len() == 2 && argv[1] == "--version" {
            return false;
        }
        let root = argv::option(argv, "--root-dir").map(Path::new);
        let root_agrees = root.is_some_and(|root| self.roots.iter().any(|own| own == root));
        match program {
            Program::At(path) => {
                let own_copy = self.roots.iter().any(|own| path.parent() == Some(own));
                self.binaries.contains(path) && (root_agrees || (own_copy && root.is_none()))
            }
            Program::Hidden => {
                let called = argv.first().map(Path::new);
                root_agrees && called.is_some_and(|path| self.binaries.iter().any(|b| b == path))
            }
        }
    }
}

/// Directories without symbolic links in their paths. Those of nodes lie beside each other, and a path is one call for
/// each of its parts: the way to all of them is asked for once.
#[derive(Debug, Default)]
pub(crate) struct RealDirs {
    parents: HashMap<PathBuf, Option<PathBuf>>,
}

impl RealDirs {
    /// `None` for one that is not there.
    fn of(&mut self, dir: &Path) -> Option<PathBuf> {
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

fn add(paths: &mut Vec<PathBuf>, path: Option<PathBuf>) {
    if let Some(path) = path
        && !paths.contains(&path)
    {
        paths.push(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(mark: &Mark, program: Option<&str>, argv: &[&str]) -> bool {
        let program = program.map_or(Program::Hidden, |path| Program::At(path.into()));
        let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
        mark.fits(&program, &argv)
    }

    const OWN: &str = "/n/antnode0001/antnode";

    fn is_own(program: Option<&str>, argv: &[&str]) -> bool {
        let mark = Mark::at(Path::new(OWN), Path::new("/n/antnode0001"));
        fits(&mark, program, argv)
    }

    #[test]
    fn the_program_decides() {
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
    fn a_hidden_program_needs_both_words() {
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
    fn a_shared_program_needs_the_directory() {
        let shared = "/usr/bin/antnode";
        let mark = Mark::at(Path::new(shared), Path::new("/n/antnode0001"));
        let with = |argv: &[&str]| fits(&mark, Some(shared), argv);
        assert!(with(&[shared, "--root-dir", "/n/antnode0001"]));
        assert!(!with(&[shared, "--root-dir", "/n/antnode0002"]));
        assert!(!with(&[shared]));
    }

    #[test]
    fn a_node_behind_a_symbolic_link_is_known_by_its_real_path() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap().join("real");
        std::fs::create_dir_all(real.join("antnode0001")).unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let root = link.join("antnode0001");
        let mark = Mark::at(&root.join("antnode"), &root);
        let path = real.join("antnode0001/antnode");
        let argv = ["antnode", "--root-dir", root.to_str().unwrap()];
        assert!(fits(&mark, path.to_str(), &argv));
    }

    #[test]
    fn directories_are_told_apart_from_links_beside_them() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(real.join("storage/one")).unwrap();
        std::fs::create_dir(real.join("elsewhere")).unwrap();
        let link = |to: &str, from: &str| {
            std::os::unix::fs::symlink(real.join(to), real.join(from)).unwrap();
        };
        link("storage", "way");
        link("elsewhere", "storage/two");
        link("nowhere", "storage/three");
        let mut dirs = RealDirs::default();
        let way = real.join("way");
        assert_eq!(dirs.of(&way.join("one")), Some(real.join("storage/one")));
        assert_eq!(dirs.of(&way.join("two")), Some(real.join("elsewhere")));
        assert_eq!(dirs.of(&way.join("three")), None);
        assert_eq!(dirs.of(&way.join("four")), None);
        assert_eq!(dirs.of(&way.join("..")), Some(real.clone()));
        assert_eq!(dirs.of(Path::new("/")), Some(PathBuf::from("/")));
    }
}
