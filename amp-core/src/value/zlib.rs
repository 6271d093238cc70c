use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::wrapper::wrapper;
use super::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind, RawValue, Value, ValueWriter};
use crate::schema::AmpType;
use crate::violation::{Place, Violations};

/// What is decompressed at first, and then as much again.
const STEP: usize = 1024;
/// So many compressed bytes are at most as much work as an item of a list, where nothing comes of them: a block without content has tables that
/// are built.
const BYTES_PER_ITEM: usize = 16;
/// The work of a stream besides.
const ITEMS_OF_A_STREAM: usize = 8;

wrapper! {
    /// A value whose bytes are compressed with zlib, as Python's `zlib.compress` does it: for what has more than 65,535 bytes before, and fewer after.
    /// Feature `zlib`.
    ///
    /// `MAX` is the most bytes that it may have before, 1 MiB unless it is named: `Zlib<Vec<Row>, 65_536>`. A few bytes can decompress to a thousand
    /// times as many, so decompressing stops there, and what it takes is charged to the budget of the box before it takes it.
    ///
    /// It is compressed in Rust. With the feature `zlib-c` it is compressed by zlib itself, whose bytes are those of `zlib.compress`; either reads what
    /// the other writes. In schemas and in the module of [`Schema::to_twisted`](crate::schema::Schema::to_twisted) it is the inner type, compressed.
    ///
    /// ```
    /// # extern crate amp_core as amp;
    /// use amp::value::{RawValue, Value, ValueWriter, Zlib};
    ///
    /// let log: Zlib<String> = Zlib("the same line again\n".repeat(10_000));
    /// let mut bytes = Vec::new();
    /// log.encode(&mut ValueWriter::new(&mut bytes)).unwrap();
    /// assert!(bytes.len() < 2_000);
    /// assert_eq!(<Zlib<String>>::decode(RawValue::new(&bytes)).unwrap(), log);
    /// let error = <Zlib<String, 65_536>>::decode(RawValue::new(&bytes)).unwrap_err();
    /// assert_eq!(error.to_string(), "more than 65536 bytes, the maximum that this end declares");
    /// ```
    ///
    /// # Errors
    /// A value of more than `MAX` bytes is not sent, and not received. What is cut short, or has more bytes behind its end, is refused.
    #[derive(Copy)]
    Zlib<const MAX: usize = 1_048_576>
}

impl<T: Value, const MAX: usize> Value for Zlib<T, MAX> {
    const TYPE: AmpType = AmpType::Zlib(&T::TYPE, MAX);

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        let mut plain = Vec::new();
        self.0.encode(&mut out.with_buffer(&mut plain))?;
        if plain.len() > MAX {
            return Err(EncodeErrorKind::OverMaximum { length: plain.len(), maximum: MAX }.into());
        }
        compress(&plain, out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let plain = decompress(raw, MAX)?;
        let value = T::decode(raw.with_bytes(&plain)).map(Self);
        // What the value keeps of it was charged as its own.
        raw.release(plain.capacity());
        value
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        self.0.check(place, found);
    }
}

pub(crate) fn compress(plain: &[u8], out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
    let mut compress = Compress::new(Compression::default(), true);
    let mut packed = [0; 4096];
    loop {
        let (read, written) = (compress.total_in(), compress.total_out());
        let rest = usize::try_from(read).ok().and_then(|read| plain.get(read..)).unwrap_or_default();
        let status = compress.compress(rest, &mut packed, FlushCompress::Finish).map_err(EncodeError::custom)?;
        let length = usize::try_from(compress.total_out() - written).unwrap_or(0);
        out.write(packed.get(..length).unwrap_or_default());
        if status == Status::StreamEnd {
            return Ok(());
        }
        if length == 0 && compress.total_in() == read {
            return Err(EncodeError::custom("zlib does not end"));
        }
    }
}

/// Decompresses at most `most` bytes, and charges each step before it is taken.
pub(crate) fn decompress(raw: RawValue<'_>, most: usize) -> Result<Vec<u8>, DecodeError> {
    let packed = raw.as_bytes();
    // Blocks may be empty, and each has tables, as each stream has.
    raw.charge_work(ITEMS_OF_A_STREAM + packed.len() / BYTES_PER_ITEM)?;
    let mut decompress = Decompress::new(true);
    let mut plain = Vec::new();
    loop {
        if plain.len() == plain.capacity() {
            // One byte more than there may be, to see that there are more.
            let room = most.saturating_add(1) - plain.len();
            let step = plain.len().max(STEP).min(room);
            raw.charge_allocation(step)?;
            plain.reserve_exact(step);
        }
        let (read, written) = (decompress.total_in(), plain.len());
        let rest = usize::try_from(read).ok().and_then(|read| packed.get(read..)).unwrap_or_default();
        let status = decompress.decompress_vec(rest, &mut plain, FlushDecompress::None);
        let status = status.map_err(|_| DecodeErrorKind::NotA("compressed with zlib"))?;
        if plain.len() > most {
            return Err(DecodeErrorKind::OverMaximum { limit: most }.into());
        }
        if status == Status::StreamEnd {
            let is_whole = decompress.total_in() == packed.len() as u64;
            return if is_whole { Ok(plain) } else { Err(DecodeErrorKind::NotA("one zlib stream").into()) };
        }
        if plain.len() == written && decompress.total_in() == read {
            return Err(DecodeErrorKind::Truncated.into());
        }
    }
}
