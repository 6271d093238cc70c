use crate::wire::BoxLimits;

/// Limits of a state; as in the settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) boxes: BoxLimits,
    pub(crate) max_calls: usize,
    pub(crate) outbound_high_water: usize,
    pub(crate) max_outbound: usize,
    pub(crate) announces: bool,
}
