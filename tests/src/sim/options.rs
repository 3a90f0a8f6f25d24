//! What a run is asked for.

use crate::sim::mutation::Mutation;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Everything follows from it.
    pub seed: u64,
    /// How many agents.
    pub agents: usize,
    /// How long the faults last, in hours of the simulation.
    pub hours: i64,
    /// A planted fault.
    pub mutation: Option<Mutation>,
}
