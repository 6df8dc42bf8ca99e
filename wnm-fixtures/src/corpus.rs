use std::path::Path;

/// Most bytes that differ in a changed copy.
const MOST_CHANGES: u8 = 5;

/// Inputs that mean something to one reader: made by hand, or kept by fuzzing.
pub struct Corpus {
    inputs: Vec<(String, Vec<u8>)>,
}

impl Corpus {
    /// Those of a target, from the directory `corpus`.
    pub fn of(target: &str) -> Self {
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        let dir = corpora.join(target);
        let entries = std::fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
        let mut inputs: Vec<_> = entries
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, std::fs::read(entry.path()).unwrap())
            })
            .collect();
        assert!(!inputs.is_empty(), "no inputs in {}", dir.display());
        inputs.sort();
        Self { inputs }
    }

    /// Reads every input. The last one that is named is the one that a failure is about.
    pub fn replay(&self, read: impl Fn(&[u8])) {
        for (name, input) in &self.inputs {
            println!("reading {name}");
            read(input);
        }
    }

    /// A copy of one of the inputs with a few bytes changed, cut out or put in, always the same for a seed. Such
    /// copies get further into a reader than random bytes do.
    pub fn changed(&self, seed: u64) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut copy = self.inputs[random.usize(..self.inputs.len())].1.clone();
        for _ in 0..random.u8(1..=MOST_CHANGES) {
            if copy.is_empty() {
                break;
            }
            let at = random.usize(..copy.len());
            match random.u8(..3) {
                0 => copy[at] = random.u8(..),
                1 => drop(copy.remove(at)),
                _ => copy.insert(at, random.u8(..)),
            }
        }
        copy
    }
}
