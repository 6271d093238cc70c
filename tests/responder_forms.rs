//! `#[responder]` compiles wherever a user may write it.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub, clippy::unused_async)]

use amp::{Arguments, Command, Reply, responder};

/// Adds.
#[derive(Command, Debug)]
#[amp(response = Total)]
pub struct Sum {
    /// What is added to nothing.
    pub a: i64,
}

/// What a sum is.
#[derive(Arguments, Debug)]
pub struct Total {
    /// It.
    pub total: i64,
}

/// Is called by nobody.
#[derive(Command, Debug)]
pub struct Never;

/// What it answers, by another name.
pub type NeverReply = Reply<Never>;

/// In a trait that nobody implements, and whose client nobody uses.
#[responder]
#[allow(dead_code)]
trait Unused {
    async fn never(&self, command: Never) -> Reply<Never>;
}

/// With a method that nobody should call.
#[responder]
pub trait Deprecated {
    /// Is deprecated for the users of the trait.
    #[deprecated]
    async fn never(&self, command: Never) -> Reply<Never>;
}

/// Without a command.
#[responder(dyn)]
pub trait Nothing {}

/// Only for the crate.
#[responder(dyn)]
pub(crate) trait Inner: std::fmt::Debug {
    async fn never(&self, command: Never) -> Reply<Never>;
}

/// Answers with replies of other names.
#[responder]
pub trait Alias {
    /// Under the name of a type.
    async fn never(&self, command: Never) -> NeverReply;

    /// In full.
    async fn sum(&self, command: Sum) -> Result<Total, amp::CallError<amp::error::NoErrors>>;
}

/// Has bodies of its own.
#[responder]
pub trait Defaults {
    /// Ends before the end.
    async fn never(&self, _: Never) -> Reply<Never> {
        unreachable!()
    }

    /// Waits, and returns early.
    async fn sum(&self, Sum { a }: Sum) -> Reply<Sum> {
        std::future::ready(()).await;
        if a == 0 {
            return Ok(Total { total: 0 });
        }
        Ok(Total { total: a })
    }
}

/// Asks nothing of its parameter, where it answers no more than its commands do.
#[derive(Debug)]
pub struct Holds<T>(pub T);

#[responder]
impl<T> Holds<T> {
    async fn never(&self, _: Never) -> Reply<Never> {
        let _ = &self.0;
        Ok(())
    }
}

/// A command that answers itself.
#[derive(Command, Debug)]
pub struct Own;

#[responder]
impl Own {
    async fn own(&self, _: Self) -> Reply<Self> {
        Ok(())
    }
}

macro_rules! answer {
    ($name:ident $method:ident($command:ty) -> $reply:ty) => {
        /// Made by a macro.
        #[responder]
        pub trait $name {
            /// Of its parts.
            async fn $method(&self, command: $command) -> $reply;
        }
    };
}

answer! { Made sum(Sum) -> Reply<Sum> }

/// No name is in scope here but those that are written out.
pub mod bare {
    #![no_implicit_prelude]

    /// Calculates.
    #[::amp::responder(dyn, spawn)]
    pub trait Bare {
        /// Adds up.
        async fn sum(&self, command: super::Sum) -> ::amp::Reply<super::Sum>;
    }

    /// Calculates too.
    #[derive(::core::fmt::Debug)]
    pub struct Inherent;

    #[::amp::responder(crate = ::amp)]
    impl Inherent {
        async fn sum(&self, command: super::Sum) -> ::amp::Reply<super::Sum> {
            ::core::result::Result::Ok(super::Total { total: command.a })
        }

        async fn never(
            &self,
            _: super::Never,
            command: ::amp::Connection,
            located: ::core::option::Option<::amp::State<::core::primitive::u8>>,
        ) -> ::amp::Reply<super::Never> {
            ::core::mem::drop((command, located));
            ::core::result::Result::Ok(())
        }
    }
}

#[test]
fn every_form_lists_its_commands() {
    let names =
        |locator: &dyn amp::locator::Locator| locator.commands().iter().map(|command| command.name).collect::<Vec<_>>();
    assert_eq!(names(&bare::Inherent.into_locator()), ["Sum", "Never"]);
    assert_eq!(names(&Holds(1).into_locator()), ["Never"]);
    assert_eq!(names(&Own.into_locator()), ["Own"]);
}
