/// The integers that a Rust type holds, by its name.
#[derive(Clone, Copy)]
pub(crate) struct Integers {
    pub(crate) signed: bool,
    pub(crate) bits: u32,
    pub(crate) zero: bool,
}

impl Integers {
    /// `None` if the type holds all integers, as `BigInt` does.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let (name, zero) = match name.strip_prefix("NonZero<").and_then(|name| name.strip_suffix('>')) {
            Some(inner) => (inner, false),
            None => (name, true),
        };
        let signed = name.starts_with('i');
        let bits = name.strip_prefix(if signed { 'i' } else { 'u' })?;
        let bits = if bits == "size" { 64 } else { bits.parse().ok()? };
        Some(Self { signed, bits, zero })
    }

    fn hold(self, other: Self) -> bool {
        let bits_hold = match (self.signed, other.signed) {
            (true, false) => self.bits > other.bits,
            (false, true) => false,
            _ => self.bits >= other.bits,
        };
        bits_hold && (self.zero || !other.zero)
    }
}

/// Whether the type of one name holds all integers of the other's.
pub(super) fn holds(name: &str, other: &str) -> bool {
    match (Integers::of(name), Integers::of(other)) {
        (None, _) => true,
        (_, None) => false,
        (Some(one), Some(other)) => one.hold(other),
    }
}
