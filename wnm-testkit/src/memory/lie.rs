/// A way to break the contract of managers. The conformance suite finds each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lie {
    /// A stop succeeds and the node runs on.
    StopsNothing,
    /// A silent supervisor calls every node stopped.
    SilentMeansStopped,
    /// An upgrade starts a stopped node.
    UpgradeStarts,
    /// The last node of a batch has no outcome.
    ShortOutcomes,
    /// The outcomes of a batch are in reverse order.
    SwappedOutcomes,
    /// A removal deletes the data of a node that runs on.
    RemovesUnderLiving,
    /// An act that is already done fails.
    RefusesRepeats,
    /// A removal also removes a service that is not wnm's.
    TouchesForeign,
    /// Services are found by number, whatever their name.
    TakesAnyName,
    /// Nothing is discovered.
    HidesNodes,
}

impl Lie {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::StopsNothing,
        Self::SilentMeansStopped,
        Self::UpgradeStarts,
        Self::ShortOutcomes,
        Self::SwappedOutcomes,
        Self::RemovesUnderLiving,
        Self::RefusesRepeats,
        Self::TouchesForeign,
        Self::TakesAnyName,
        Self::HidesNodes,
    ];
}
