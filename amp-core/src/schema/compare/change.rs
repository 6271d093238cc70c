/// One difference between two schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Where, such as `Divide, argument note`.
    pub place: String,
    /// What has changed there, and who notices.
    pub what: String,
    /// What it means to peers of the old schema.
    pub effect: Effect,
}

/// What a change means to a peer of the old schema, whichever end calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Old and new peers understand each other.
    None,
    /// They understand each other as long as they send what both allow, or they miss something that is not needed.
    Caution,
    /// They do not understand each other.
    Breaks,
}
