use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use thiserror::Error;

use crate::command::CommandRunner;
use crate::program::NodeProgram;

/// Builds one node program.
pub trait ProgramFactory: Send + Sync {
    /// Its name, a single word such as `antnode`.
    fn name(&self) -> &'static str;

    /// Builds it over what runs its commands.
    fn build(&self, runner: Arc<dyn CommandRunner>) -> Arc<dyn NodeProgram>;
}

/// The node programs that a wnm has. There is always one: the default.
#[derive(Clone)]
pub struct ProgramRegistry {
    default: Arc<dyn ProgramFactory>,
    others: Vec<Arc<dyn ProgramFactory>>,
}

/// A node program that this wnm does not have.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[error("this wnm has no node program '{name}'; it has {}", registered.join(", "))]
pub struct UnregisteredProgram {
    /// The program.
    pub name: String,
    /// Those that there are.
    pub registered: Vec<&'static str>,
}

impl ProgramRegistry {
    /// One with the program that colonies run by default.
    pub fn new(default: impl ProgramFactory + 'static) -> Self {
        Self {
            default: Arc::new(default),
            others: Vec::new(),
        }
    }

    /// Adds another. Of two programs of one name the later one counts.
    #[must_use]
    pub fn with(mut self, factory: impl ProgramFactory + 'static) -> Self {
        self.others.push(Arc::new(factory));
        self
    }

    /// The names of all programs, the default first.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names = vec![self.default.name()];
        for factory in &self.others {
            if !names.contains(&factory.name()) {
                names.push(factory.name());
            }
        }
        names
    }

    /// Builds the default program.
    pub fn build_default(&self, runner: Arc<dyn CommandRunner>) -> Arc<dyn NodeProgram> {
        self.default.build(runner)
    }

    /// Builds the program of this name.
    ///
    /// # Errors
    ///
    /// There is no such program; the error lists those that there are.
    pub fn build(
        &self,
        name: &str,
        runner: Arc<dyn CommandRunner>,
    ) -> Result<Arc<dyn NodeProgram>, UnregisteredProgram> {
        let mut all = self.others.iter().rev().chain([&self.default]);
        match all.find(|factory| factory.name() == name) {
            Some(factory) => Ok(factory.build(runner)),
            None => Err(UnregisteredProgram {
                name: name.to_owned(),
                registered: self.names(),
            }),
        }
    }
}

impl fmt::Debug for ProgramRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProgramRegistry")
            .field(&self.names())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::MockCommandRunner;
    use crate::program::MockNodeProgram;

    struct Named(&'static str);

    impl ProgramFactory for Named {
        fn name(&self) -> &'static str {
            self.0
        }

        fn build(&self, _: Arc<dyn CommandRunner>) -> Arc<dyn NodeProgram> {
            let mut program = MockNodeProgram::new();
            program.expect_name().return_const(self.0);
            Arc::new(program)
        }
    }

    #[test]
    fn programs_are_found_by_name() {
        let programs = ProgramRegistry::new(Named("antnode")).with(Named("ant-node"));
        let runner = || Arc::new(MockCommandRunner::new());
        assert_eq!(programs.names(), ["antnode", "ant-node"]);
        assert_eq!(programs.build_default(runner()).name(), "antnode");
        let other = programs.build("ant-node", runner());
        assert_eq!(other.map(|program| program.name()), Ok("ant-node"));
        let Err(error) = programs.build("other", runner()) else {
            panic!("it is not there");
        };
        insta::assert_snapshot!(error, @"this wnm has no node program 'other'; it has antnode, ant-node");
    }
}
