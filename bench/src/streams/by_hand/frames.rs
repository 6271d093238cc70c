//! The frames: their headers, and cutting them out of what is read.

/// The most bytes of one frame.
pub(super) const FRAME: usize = 32 * 1024;
/// What one read takes at most.
pub(super) const READ: usize = 96 * 1024;
pub(super) const HEADER: usize = 8;

/// What a frame is about. Its first byte.
pub(super) const OPEN: u8 = 0;
pub(super) const DATA: u8 = 1;
/// The length is what may be sent more; no bytes follow.
pub(super) const CREDIT: u8 = 2;
pub(super) const CLOSE: u8 = 3;

pub(super) fn put(out: &mut Vec<u8>, kind: u8, stream: usize, length: usize) {
    let length = (length as u32).to_be_bytes();
    out.extend_from_slice(&[kind, length[1], length[2], length[3]]);
    out.extend_from_slice(&(stream as u32).to_be_bytes());
}

#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) kind: u8,
    pub(super) stream: usize,
    pub(super) length: usize,
}

impl Header {
    fn parse(bytes: [u8; HEADER]) -> Self {
        let [kind, rest @ ..] = bytes;
        let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
        let stream = u32::from_be_bytes([rest[3], rest[4], rest[5], rest[6]]) as usize;
        assert!(kind == CREDIT || kind <= CLOSE && length <= FRAME, "not a frame");
        Self { kind, stream, length }
    }
}

/// Cuts frames. Bytes of a frame are given as they come, not copied together.
pub(super) struct Input {
    bytes: Vec<u8>,
    /// Of a header that is not whole.
    kept: usize,
    /// The frame that bytes are missing of.
    current: Option<Header>,
}

impl Input {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; HEADER + READ], kept: 0, current: None }
    }

    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.kept..]
    }

    /// Gives all frames and pieces of frames among the bytes that were read.
    pub(super) fn frames(&mut self, read: usize, mut frame: impl FnMut(Header, &[u8])) {
        let (mut at, end) = (0, self.kept + read);
        loop {
            let header = match self.current.take() {
                Some(header) => header,
                None => {
                    let Some(header) = self.bytes[at..end].first_chunk() else { break };
                    at += HEADER;
                    Header::parse(*header)
                }
            };
            if matches!(header.kind, CREDIT | CLOSE) {
                frame(header, &[]);
                continue;
            }
            let piece = header.length.min(end - at);
            if piece > 0 {
                frame(header, &self.bytes[at..at + piece]);
                at += piece;
            }
            if piece < header.length {
                let kind = if piece > 0 { DATA } else { header.kind };
                self.current = Some(Header { kind, length: header.length - piece, ..header });
                break;
            }
        }
        self.bytes.copy_within(at..end, 0);
        self.kept = end - at;
    }
}
