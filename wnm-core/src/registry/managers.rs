use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use thiserror::Error;

use crate::doctor::Finding;
use crate::kind::ManagerKind;
use crate::machine::{Conflict, Machine, conflicts, port_conflicts};
use crate::manager::{ManagerContext, ManagerError, ProcessManager};
use crate::option::OptionSpec;

/// Builds the managers of one supervisor, and declares what only they need.
///
/// Only [`kinds`](Self::kinds) and [`build`](Self::build) are required.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
pub trait ManagerFactory: Send + Sync {
    /// The kinds it builds, in the order in which help lists them.
    fn kinds(&self) -> Vec<ManagerKind>;

    /// Builds the manager of one of its kinds. Touches nothing yet.
    ///
    /// # Errors
    ///
    /// What the manager cannot do without on this machine is missing.
    fn build(
        &self,
        kind: &ManagerKind,
        context: ManagerContext,
    ) -> Result<Arc<dyn ProcessManager>, ManagerError>;

    /// Settings that only these managers read. Their values are kept in
    /// [`Machine::manager_settings`](crate::machine::Machine).
    fn options(&self) -> &'static [OptionSpec] {
        &[]
    }

    /// Settings of a machine under one of its kinds that do not go together. By default every node up to the cap
    /// needs ports of its own; a factory that replaces this checks ports itself.
    fn check(&self, machine: &Machine) -> Vec<Conflict> {
        port_conflicts(machine)
    }

    /// What is wrong on this machine for nodes under this kind, for the doctor.
    fn findings(&self, kind: &ManagerKind) -> Vec<Finding> {
        let _ = kind;
        Vec::new()
    }

    /// What a person should know before they trust nodes to this kind.
    fn advice(&self, kind: &ManagerKind) -> Option<String> {
        let _ = kind;
        None
    }

    /// The kind to propose for a new colony, where this supervisor is the machine's own.
    fn native(&self) -> Option<ManagerKind> {
        None
    }

    /// What a release takes away of this supervisor, as a phrase: "the limits of wnm.slice".
    fn released(&self) -> Option<&'static str> {
        None
    }

    /// The fault points of its managers, in the order of the acts.
    fn fault_points(&self) -> &'static [&'static str] {
        &[]
    }
}

/// The managers that a program has.
///
/// ```
/// # use std::sync::Arc;
/// # use wnm_core::kind::ManagerKind;
/// # use wnm_core::manager::{ManagerContext, ManagerError, ProcessManager};
/// use wnm_core::registry::ManagerRegistry;
///
/// const TMUX_USER: ManagerKind = ManagerKind::from_static("tmux+user");
///
/// # fn build(_: &ManagerKind, _: ManagerContext) -> Result<Arc<dyn ProcessManager>, ManagerError> {
/// #     Err(ManagerError::NotFound("tmux".to_owned()))
/// # }
/// // A manager that declares nothing is a name and a function. Others implement `ManagerFactory`.
/// let managers = ManagerRegistry::new().with_kind(TMUX_USER, build);
/// assert_eq!(managers.kinds(), [TMUX_USER]);
/// ```
#[derive(Clone, Default)]
pub struct ManagerRegistry {
    factories: Vec<Arc<dyn ManagerFactory>>,
}

/// A manager that this program does not have.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[error(
    "this wnm has no process manager '{kind}'; it has {}",
    listed(registered)
)]
pub struct UnregisteredManager {
    /// The manager.
    pub kind: ManagerKind,
    /// Those that there are.
    pub registered: Vec<ManagerKind>,
}

impl ManagerRegistry {
    /// One without managers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the managers of a factory. Of two factories for one kind the later one builds it.
    #[must_use]
    pub fn with(mut self, factory: impl ManagerFactory + 'static) -> Self {
        self.factories.push(Arc::new(factory));
        self
    }

    /// Adds a manager that declares nothing.
    #[must_use]
    pub fn with_kind<F>(self, kind: ManagerKind, build: F) -> Self
    where
        F: Fn(&ManagerKind, ManagerContext) -> Result<Arc<dyn ProcessManager>, ManagerError>
            + Send
            + Sync
            + 'static,
    {
        self.with(Single { kind, build })
    }

    /// Every kind, in the order of the factories.
    pub fn kinds(&self) -> Vec<ManagerKind> {
        let mut kinds: Vec<ManagerKind> = Vec::new();
        for kind in self.factories.iter().flat_map(|factory| factory.kinds()) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }

    /// Whether there is such a manager.
    pub fn has(&self, kind: &ManagerKind) -> bool {
        self.factory(kind).is_ok()
    }

    /// The factory of a kind.
    ///
    /// # Errors
    ///
    /// There is no such manager; the error lists those that there are.
    pub fn factory(&self, kind: &ManagerKind) -> Result<&dyn ManagerFactory, UnregisteredManager> {
        let mut factories = self.factories.iter().rev();
        let found = factories.find(|factory| factory.kinds().contains(kind));
        found
            .map(|factory| factory.as_ref())
            .ok_or_else(|| UnregisteredManager {
                kind: kind.clone(),
                registered: self.kinds(),
            })
    }

    /// The options of all managers, in the order of the factories.
    pub fn options(&self) -> impl Iterator<Item = &'static OptionSpec> {
        self.factories.iter().flat_map(|factory| factory.options())
    }

    /// Every conflict between the settings of a machine: those that hold for any manager, and those of its own.
    pub fn conflicts(&self, machine: &Machine) -> Vec<Conflict> {
        let mut found = conflicts(machine);
        found.extend(match self.factory(&machine.manager) {
            Ok(factory) => factory.check(machine),
            Err(_) => port_conflicts(machine),
        });
        found
    }

    /// The kind to propose for a new colony: that of the machine's own supervisor, where a manager knows one.
    pub fn native(&self) -> Option<ManagerKind> {
        self.factories.iter().find_map(|factory| factory.native())
    }

    /// The fault points of all managers.
    pub fn fault_points(&self) -> Vec<&'static str> {
        let factories = self.factories.iter();
        factories
            .flat_map(|factory| factory.fault_points())
            .copied()
            .collect()
    }
}

impl fmt::Debug for ManagerRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManagerRegistry")
            .field(&self.kinds())
            .finish()
    }
}

/// A kind and a function that builds it.
struct Single<F> {
    kind: ManagerKind,
    build: F,
}

impl<F> ManagerFactory for Single<F>
where
    F: Fn(&ManagerKind, ManagerContext) -> Result<Arc<dyn ProcessManager>, ManagerError>
        + Send
        + Sync,
{
    fn kinds(&self) -> Vec<ManagerKind> {
        vec![self.kind.clone()]
    }

    fn build(
        &self,
        kind: &ManagerKind,
        context: ManagerContext,
    ) -> Result<Arc<dyn ProcessManager>, ManagerError> {
        (self.build)(kind, context)
    }
}

fn listed(kinds: &[ManagerKind]) -> String {
    match kinds {
        [] => "none at all".to_owned(),
        _ => kinds
            .iter()
            .map(ManagerKind::as_str)
            .collect::<Vec<_>>()
            .join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ManagerKind = ManagerKind::from_static("a+user");
    const B: ManagerKind = ManagerKind::from_static("b+sudo");

    fn nothing(
        _: &ManagerKind,
        _: ManagerContext,
    ) -> Result<Arc<dyn ProcessManager>, ManagerError> {
        Err(ManagerError::NotFound("nothing".to_owned()))
    }

    #[test]
    fn a_manager_that_is_missing_is_an_error_that_lists_the_others() {
        let managers = ManagerRegistry::new()
            .with_kind(A, nothing)
            .with_kind(B, nothing);
        assert!(managers.has(&A) && managers.has(&B));
        let Err(error) = managers.factory(&ManagerKind::from_static("c+user")) else {
            panic!("it is not there");
        };
        insta::assert_snapshot!(error, @"this wnm has no process manager 'c+user'; it has a+user, b+sudo");
    }

    #[test]
    fn of_two_factories_for_one_kind_the_later_one_counts() {
        let mut own = MockManagerFactory::new();
        own.expect_kinds().return_const(vec![A]);
        own.expect_native().return_const(Some(A));
        own.expect_advice().return_const("mine".to_owned());
        let managers = ManagerRegistry::new().with_kind(A, nothing).with(own);
        assert_eq!(managers.kinds(), [A]);
        assert_eq!(managers.native(), Some(A));
        let advice = managers.factory(&A).unwrap().advice(&A);
        assert_eq!(advice.as_deref(), Some("mine"));
    }
}
