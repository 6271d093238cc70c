//! What `?` makes of an error in a responder.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use amp::connection::pair;
use amp::error::{LiftFrom, NoErrors, NotifyError, OrFail, SendBoxError, codes};
use amp::json::Converter;
use amp::multiplex::{ConnectError, StreamError};
use amp::schema::Schema;
use amp::value::{DateTime, Decimal, DecodeError, EncodeError};
use amp::wire::{InsertError, WireError};
use amp::{AmpBox, CallError, CloseReason, Command, Connection, ErrorCodes, Exposed, Reply, State, responder};
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot, watch};

type Lifted = CallError<NoErrors>;

/// The error of `result`, lifted, is a failure and says the same.
fn fails<T, X: fmt::Display>(result: Result<T, X>)
where
    Lifted: From<X>,
{
    let words = result.as_ref().err().expect("an error").to_string();
    let lift = || -> Result<T, Lifted> { Ok(result?) };
    match lift().err() {
        Some(CallError::Failed(error)) => assert_eq!(error.to_string(), words),
        other => panic!("{other:?} for {words:?}"),
    }
}

#[test]
fn errors_of_the_standard_library_are_failures() {
    fails(<[u8; 2]>::try_from(&[1_u8][..]));
    fails(char::try_from(0xd800_u32));
    fails("ab".parse::<char>());
    fails(std::env::var("AMP_NOT_SET_ANYWHERE"));
    fails(std::ffi::CString::new("a\0b"));
    fails(Err::<(), _>(fmt::Error));
    fails(Err::<(), _>(std::io::Error::other("the disk is gone")));
    fails("x".parse::<std::net::IpAddr>());
    fails("x".parse::<f64>());
    fails("x".parse::<u8>());
    fails(u8::try_from(256));
    fails(Path::new("a").strip_prefix("b"));
    fails("x".parse::<bool>());
    fails(std::str::from_utf8(&[0xff][..]));
    fails(String::from_utf16(&[0xd800]));
    fails(String::from_utf8(vec![0xff]));
    fails(UNIX_EPOCH.duration_since(UNIX_EPOCH + Duration::from_secs(1)));
    let never: Result<(), std::convert::Infallible> = Ok(());
    assert!((|| -> Result<(), Lifted> { Ok(never?) })().is_ok());
}

#[test]
fn a_boxed_error_is_a_failure_and_not_boxed_again() {
    let boxed: Box<dyn Error + Send + Sync> = "x".parse::<u8>().expect_err("no number").into();
    match Lifted::from(boxed) {
        CallError::Failed(error) => assert!(error.is::<std::num::ParseIntError>()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn errors_of_tasks_time_limits_and_channels_are_failures() {
    let task = tokio::spawn(std::future::pending::<()>());
    task.abort();
    fails(task.await);
    fails(tokio::time::timeout(Duration::ZERO, std::future::pending::<()>()).await);
    let closed = Semaphore::new(1);
    closed.close();
    fails(closed.acquire().await);
    let (_, received) = oneshot::channel::<u8>();
    fails(received.await);
    let (_, mut received) = broadcast::channel::<u8>(1);
    fails(received.recv().await);
    let (_, mut watched) = watch::channel(1);
    fails(watched.changed().await);
    // What is lost with the channel need not be `Sync`.
    let (sender, _) = mpsc::channel(1);
    fails(sender.send(Cell::new(1)).await);
}

#[test]
fn errors_of_this_library_are_failures() {
    fails(Err::<(), _>(CloseReason::ClosedByPeer));
    fails("1,5".parse::<Decimal>());
    fails(i64::try_from(Decimal::new(15, -1)));
    fails(DateTime::new((2011, 2, 29), (0, 0, 0, 0), 0));
    fails(Err::<(), _>(DecodeError::custom("odd").at_key("port")));
    fails(Converter::new(Schema::default()).to_json(&[], &AmpBox::new().with("a", "1").expect("a box")));
    fails(Err::<(), _>(EncodeError::custom("odd").at_key("port")));
    fails(Err::<(), _>(InsertError::EmptyKey));
    fails(Err::<(), _>(NotifyError::Connection(CloseReason::Closed)));
    fails(Err::<(), _>(SendBoxError::Empty));
    fails(Err::<(), _>(WireError::TooManyPairs { limit: 1 }));
    fails(Err::<(), _>(ConnectError::Timeout));
    fails(Err::<(), _>(StreamError::Closed));
    let exposed = amp::locator::Exposable::expose(&Nowhere);
    fails::<State<u8>, _>(exposed);
}

struct Nowhere;

impl amp::locator::Context for Nowhere {
    fn provide(&self, _: std::any::TypeId) -> Option<std::sync::Arc<dyn std::any::Any + Send + Sync>> {
        None
    }
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
enum LoginError {
    #[error("log in first")]
    NotLoggedIn,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
enum ReadError {
    #[error("there is no such shelf")]
    NoShelf,
    #[error(transparent)]
    #[amp(include)]
    Login(#[from] LoginError),
    /// An enum of another crate.
    #[error(transparent)]
    #[amp(include)]
    None(NoErrors),
}

/// An error of the program that is always a failure.
#[derive(thiserror::Error, Debug)]
#[error("the database is gone")]
struct DatabaseError;

impl<E: ErrorCodes> From<DatabaseError> for CallError<E> {
    fn from(error: DatabaseError) -> Self {
        Self::failed(error)
    }
}

/// One that some command knows what to answer to.
#[derive(thiserror::Error, Debug)]
#[error("no row")]
struct NoRow;

impl From<NoRow> for CallError<ReadError> {
    fn from(_: NoRow) -> Self {
        Self::Declared(ReadError::NoShelf)
    }
}

#[derive(Command, Debug)]
#[amp(errors = ReadError)]
struct Read {
    how: String,
    #[exposed]
    connection: Exposed<Connection>,
}

#[derive(Command, Debug)]
struct Check {
    how: String,
}

fn text<T>() -> Result<T, &'static str> {
    Err("text")
}

fn checked(user: &str) -> Result<(), LoginError> {
    if user == "login" { Err(LoginError::NotLoggedIn) } else { Ok(()) }
}

struct Shelf;

#[responder]
impl Shelf {
    async fn read(&self, command: Read) -> Reply<Read> {
        checked(&command.how)?;
        if command.how == "shelf" {
            Err(ReadError::NoShelf)?;
        }
        match &*command.how {
            "number" => drop("x".parse::<u8>()?),
            "file" => drop(std::fs::read("/nowhere/at/all")?),
            "nested" => tokio::time::timeout(Duration::from_secs(1), async { "x".parse::<bool>() }).await?.map(drop)?,
            "text" => text().or_fail()?,
            "none" => None.ok_or("nothing").or_fail()?,
            "failed" => text().map_err(CallError::failed)?,
            "database" => Err(DatabaseError)?,
            "row" => Err(NoRow)?,
            "into" => return Err(ReadError::NoShelf.into()),
            "included" => return Err(LoginError::NotLoggedIn.into()),
            "converted" => checked("login").map_err(ReadError::from)?,
            "passed" => return checked("login").map_err(CallError::from),
            "forward" => {
                command.connection.call(Check { how: "x".into() }).await.map_err(CallError::forward)?;
            }
            _ => {}
        }
        Ok(())
    }
}

struct Checker;

#[responder]
impl Checker {
    async fn check(&self, command: Check) -> Reply<Check> {
        Err(CallError::Remote { code: "ELSEWHERE".into(), description: command.how })
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_mark_answers_what_is_declared_and_fails_with_the_rest() {
    let shelf = Connection::builder().locator(Shelf.into_locator());
    let (caller, _shelf) = pair(Connection::builder().locator(Checker.into_locator()), shelf);
    for (how, code) in [
        ("number", codes::UNKNOWN),
        ("file", codes::UNKNOWN),
        ("nested", codes::UNKNOWN),
        ("text", codes::UNKNOWN),
        ("none", codes::UNKNOWN),
        ("failed", codes::UNKNOWN),
        ("database", codes::UNKNOWN),
        ("forward", "ELSEWHERE"),
    ] {
        let read = Read { how: how.into(), connection: Exposed::default() };
        let error = caller.call(read).await.expect_err(how);
        assert_eq!(error.remote_code(), Some(code), "{how}: {error}");
    }
    for (how, declared) in [
        ("shelf", ReadError::NoShelf),
        ("row", ReadError::NoShelf),
        ("into", ReadError::NoShelf),
        ("login", ReadError::Login(LoginError::NotLoggedIn)),
        ("included", ReadError::Login(LoginError::NotLoggedIn)),
        ("converted", ReadError::Login(LoginError::NotLoggedIn)),
        ("passed", ReadError::Login(LoginError::NotLoggedIn)),
    ] {
        let read = Read { how: how.into(), connection: Exposed::default() };
        let error = caller.call(read).await.expect_err(how);
        assert_eq!(error.declared(), Some(&declared), "{how}: {error}");
    }
}

/// The type of the declared errors need not be written where it was not needed before.
#[test]
fn the_declared_error_says_what_call_error_it_becomes() {
    fn generic<C: Command>(error: C::Errors, how: u8) -> Reply<C> {
        match how {
            0 => Err(error)?,
            1 => Err(error.into()),
            2 => Err(CallError::from(error)),
            3 => text().or_fail()?,
            4 => text().map_err(CallError::failed)?,
            _ => Err(std::io::Error::other("disk"))?,
        }
    }
    /// Whatever it declares.
    fn any<E: ErrorCodes>(error: E) -> Result<(), CallError<E>> {
        Err(error)?
    }
    for how in 0..3 {
        let error = generic::<Read>(ReadError::NoShelf, how).expect_err("an error");
        assert_eq!(error.declared(), Some(&ReadError::NoShelf), "{how}");
    }
    for how in 3..6 {
        let error = generic::<Read>(ReadError::NoShelf, how).expect_err("an error");
        assert!(matches!(error, CallError::Failed(_)), "{how}");
    }
    assert!(any(ReadError::NoShelf).is_err_and(|error| error.declared() == Some(&ReadError::NoShelf)));
    let from = CallError::from(ReadError::NoShelf);
    let into: CallError<_> = ReadError::NoShelf.into();
    assert_eq!(from.declared(), into.declared());
    let passed = || -> Result<(), CallError<ReadError>> { Err(from)? };
    assert!(passed().is_err_and(|error| error.declared() == Some(&ReadError::NoShelf)));
    fn is_lifted<E, X>()
    where
        CallError<E>: LiftFrom<X>,
    {
    }
    is_lifted::<ReadError, ReadError>();
    is_lifted::<ReadError, LoginError>();
    is_lifted::<ReadError, NoErrors>();
    is_lifted::<NoErrors, std::io::Error>();
}
