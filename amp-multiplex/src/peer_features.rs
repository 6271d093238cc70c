/// Features that an end of a stream announces in its Connect, or in its answer to one. A txampext peer announces nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerFeatures {
    /// It supports half-close.
    pub(crate) half_close: bool,
    /// Bytes that it buffers for its reader, if it says so.
    pub(crate) max_buffered: Option<u64>,
}

impl PeerFeatures {
    pub(crate) fn new(half_close: Option<bool>, max_buffered: Option<u64>) -> Self {
        Self { half_close: half_close == Some(true), max_buffered }
    }
}
