//! Traits that a client could not implement.
use amp::{Command, Reply, responder};

macro_rules! commands {
    ($($name:ident)*) => {$(
        #[derive(Command)]
        struct $name;
    )*};
}

commands! { Ping C1 C2 C3 C4 C5 C6 C8 C9 C10 C11 C12 C13 C14 C15 C16 }

#[responder(name = "x", krate = amp)]
trait Settings {
    async fn ping(&self, command: Ping) -> Reply<Ping>;
}

#[responder]
unsafe trait Whole<T> {
    const LIMIT: usize;
    type Item;
    async fn ping(&self, command: Ping) -> Reply<Ping>;
}

#[responder]
trait Methods {
    fn blocking(&self, command: C1) -> Reply<C1>;
    async fn exclusive(&mut self, command: C2) -> Reply<C2>;
    async fn consuming(self, command: C3) -> Reply<C3>;
    async fn nobody(command: C4) -> Reply<C4>;
    async fn nothing(&self) -> Reply<C5>;
    async fn more(&self, command: C6, again: C6) -> Reply<C6>;
    async fn generic<C: Command>(&self, command: C) -> Reply<C>;
    async fn lifetime<'a>(&'a self, command: &'a C8) -> Reply<C8>;
    async fn opaque(&self, command: impl Command) -> Reply<C9>;
    async fn connection(&self, command: C14) -> Reply<C14>;
    async fn with_timeout(&self, command: C15) -> Reply<C15>;
    async fn with_no_timeout(&self, command: C16) -> Reply<C16>;
    async fn silent(&self, command: C10);
    async unsafe fn dangerous(&self, command: C11) -> Reply<C11>;
    async fn bounded(&self, command: C12) -> Reply<C12>
    where
        Self: Sized;
    fn desugared(&self, command: C13) -> impl Future<Output = Reply<C13>> + Send;
}

#[responder]
trait Bounded
where
    Self: std::fmt::Debug,
{
    async fn clone_into(&self, command: C10) -> Reply<C10>;
}

fn main() {}
