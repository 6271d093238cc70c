use crate::command::Command;
use crate::connection::Call;

/// Options for calls that an extension makes.
pub trait CallExt: Sized {
    /// Takes no place among [`max_calls`](crate::Settings::max_calls), and goes out also while the connection closes. The
    /// extension must bound such calls by a rule of its own. A [time limit](Call::timeout) counts from when the call is sent.
    /// When over 1,024 such calls are unanswered beyond their time limits, the connection ends with
    /// [`CloseReason::NotAnswering`](crate::CloseReason::NotAnswering).
    #[must_use]
    fn uncounted(self) -> Self;

    /// No longer keeps the connection open: when the last handle is dropped, the call has as much time as any other outstanding
    /// call, and ends with the connection.
    #[must_use]
    fn weak(self) -> Self;
}

impl<C: Command> CallExt for Call<C> {
    fn uncounted(mut self) -> Self {
        self.exchange_mut().set_bulk();
        self
    }

    fn weak(mut self) -> Self {
        self.exchange_mut().set_weak();
        self
    }
}
