/// Removes appended bytes from a buffer again, unless they are kept: an error or a panic half way leaves no half box behind.
#[derive(Debug)]
pub(crate) struct Rollback<'a> {
    buffer: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Rollback<'a> {
    pub(crate) fn new(buffer: &'a mut Vec<u8>) -> Self {
        Self { start: buffer.len(), buffer }
    }

    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        self.buffer
    }

    /// Keeps the appended bytes.
    pub(crate) fn keep(mut self) {
        self.start = self.buffer.len();
    }
}

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        self.buffer.truncate(self.start);
    }
}
