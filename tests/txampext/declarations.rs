//! Errors, nested boxes, composed locators, and what test cases ask of commands and of locators.

use amp::locator::Locator;
use amp::testing::{
    ScriptedPeer, answer_bytes, ask, ask_bytes, box_bytes, declared_codes, decode_ask, decode_reply, error_bytes,
    fatal_codes, has_responder, notification_bytes,
};
use amp::{Arguments, Command, Connection, ErrorCodes, Exposed, Peer, Reply, Settings, responder};

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
enum ShelfError {
    #[error("no such book")]
    NoSuchBook,
    #[error("the shelf has fallen down")]
    #[amp(fatal)]
    FallenDown,
}

#[derive(Arguments, Debug, PartialEq)]
struct Place {
    row: u8,
    shelf: String,
}

#[derive(Command, Debug, PartialEq)]
#[amp(response = Found, errors = ShelfError)]
struct Find {
    title: String,
    near: Place,
}

#[derive(Arguments, Debug, PartialEq)]
struct Found {
    place: Place,
}

#[derive(Command, Debug)]
#[amp(no_answer)]
struct Dust {
    shelf: String,
}

/// No locator has it.
#[derive(Command, Debug)]
struct Burn;

struct Books;

#[responder]
impl Books {
    async fn find(&self, command: Find) -> Reply<Find> {
        match &*command.title {
            "Aeneid" => Ok(Found { place: Place { row: command.near.row + 1, ..command.near } }),
            "Atlas" => Err(ShelfError::FallenDown.into()),
            _ => Err(ShelfError::NoSuchBook.into()),
        }
    }
}

struct Cleaning;

#[responder]
impl Cleaning {
    async fn dust(&self, _: Dust) -> Reply<Dust> {
        Ok(())
    }
}

fn find(title: &str) -> Find {
    Find { title: title.into(), near: Place { row: 2, shelf: "V".into() } }
}

fn locator() -> impl Locator {
    (Books.into_locator(), Cleaning.into_locator())
}

/// The bytes of a nested box.
fn place(row: &str) -> Vec<u8> {
    box_bytes(&[("row", row), ("shelf", "V")])
}

/// The bytes of an ask for a book.
fn asked(title: &str) -> Vec<u8> {
    box_bytes(&[("_ask", &b"1"[..]), ("_command", b"Find"), ("near", &place("2")), ("title", title.as_bytes())])
}

/// "Nested": an argument that is a box.
#[tokio::test]
async fn a_box_nests_in_a_box() {
    let found = ask(Books.into_locator(), find("Aeneid")).await.expect("it is there");
    assert_eq!(found.place, Place { row: 3, shelf: "V".into() });
}

#[tokio::test]
async fn a_composed_locator_finds_the_responders_of_all_its_components() {
    ask(locator(), find("Aeneid")).await.expect("the first has it");
    ask(locator(), Dust { shelf: "V".into() }).await.expect("the second has it");
    assert!(ask(locator(), Burn).await.expect_err("none has it").is_unhandled());
}

/// `ResponderTestMixin`.
#[test]
fn a_test_sees_which_commands_have_a_responder() {
    assert!(has_responder::<Find>(&locator()) && has_responder::<Dust>(&locator()));
    assert!(!has_responder::<Burn>(&locator()) && !has_responder::<Dust>(&Books.into_locator()));
    let names: Vec<_> = locator().commands().iter().map(|command| command.name).collect();
    assert_eq!(names, [Find::NAME, Dust::NAME]);
}

/// `CommandTestMixin`: `test_makeArguments` and `test_parseArguments`.
#[test]
fn a_test_sees_the_bytes_of_arguments_in_both_directions() {
    assert_eq!(ask_bytes("1", &find("Aeneid")), asked("Aeneid"));
    assert_eq!(decode_ask::<Find>(&asked("Aeneid")).expect("it decodes"), find("Aeneid"));
}

/// `test_makeResponse` and `test_parseResponse`.
#[test]
fn a_test_sees_the_bytes_of_a_response_in_both_directions() {
    let (found, place) = (Found { place: Place { row: 7, shelf: "V".into() } }, place("7"));
    let answered = box_bytes(&[("_answer", &b"1"[..]), ("place", &place)]);
    assert_eq!(answer_bytes::<Find>("1", &found), answered);
    assert_eq!(decode_reply::<Find>(&answered).expect("an answer"), found);
}

/// `test_errors`, `test_fatalErrors` and `test_requiresAnswer`. A code is the name of its variant in capitals, without a table.
#[test]
fn a_test_sees_the_errors_of_a_command_and_whether_it_requires_an_answer() {
    assert_eq!(declared_codes::<Find>(), ["NO_SUCH_BOOK", "FALLEN_DOWN"]);
    assert_eq!(fatal_codes::<Find>(), ["FALLEN_DOWN"]);
    const { assert!(Find::ANSWERED && !Dust::ANSWERED) };
    let dust = Dust { shelf: "V".into() };
    assert_eq!(notification_bytes(&dust), box_bytes(&[("_command", "Dust"), ("shelf", "V")]));
}

#[tokio::test]
async fn a_declared_error_goes_over_the_wire_and_comes_back_as_what_it_was() {
    let failed = ask(Books.into_locator(), find("Iliad")).await.expect_err("it is not there");
    assert_eq!(failed.declared(), Some(&ShelfError::NoSuchBook));
    let error = box_bytes(&[("_error", "1"), ("_error_code", "NO_SUCH_BOOK"), ("_error_description", "no such book")]);
    assert_eq!(error_bytes::<Find>("1", &ShelfError::NoSuchBook), error);
    let failed = decode_reply::<Find>(&error).expect_err("an error");
    assert_eq!(failed.declared(), Some(&ShelfError::NoSuchBook));
}

#[tokio::test(start_paused = true)]
async fn a_fatal_error_is_answered_and_ends_the_connection() {
    let (_books, mut peer) = ScriptedPeer::connect(Connection::builder().locator(locator()));
    peer.send(asked("Atlas")).await;
    let failed = peer.expect_reply::<Find>("1").await.expect_err("it falls down");
    assert_eq!(failed.declared(), Some(&ShelfError::FallenDown));
    peer.expect_end().await;
}

/// "Exposed": a value that the responder gets from its connection.
#[derive(Command, Debug, PartialEq)]
#[amp(response = Reader)]
struct Borrow {
    title: String,
    #[exposed]
    reader: Exposed<Peer>,
}

#[derive(Arguments, Debug, PartialEq)]
struct Reader {
    name: String,
}

struct Desk;

#[responder]
impl Desk {
    async fn borrow(&self, borrow: Borrow) -> Reply<Borrow> {
        Ok(Reader { name: borrow.reader.to_string() })
    }
}

#[tokio::test(start_paused = true)]
async fn an_exposed_field_never_goes_on_the_wire() {
    let borrow = || Borrow { title: "Aeneid".into(), reader: Exposed::of(Peer::other("Dido")) };
    let bytes = box_bytes(&[("_ask", "1"), ("_command", "Borrow"), ("title", "Aeneid")]);
    assert_eq!(ask_bytes("1", &borrow()), bytes);
    let notified = box_bytes(&[("_command", "Borrow"), ("title", "Aeneid")]);
    assert_eq!(notification_bytes(&borrow()), notified);

    let builder = Connection::builder().settings(Settings::new().announce(false));
    let (reader, mut peer) = ScriptedPeer::connect(builder);
    let call = tokio::spawn(reader.call(borrow()));
    peer.expect(&bytes).await;
    peer.send_answer::<Borrow>("1", &Reader { name: "Dido".into() }).await;
    call.await.expect("no panic").expect("an answer");
    reader.notify(borrow()).await.expect("queued");
    peer.expect(&notified).await;

    // A peer that sends it all the same fills nothing in: the responder sees who it is.
    let (_desk, mut peer) = ScriptedPeer::connect(Connection::builder().locator(Desk.into_locator()));
    peer.send(box_bytes(&[("_ask", "1"), ("_command", "Borrow"), ("reader", "Dido"), ("title", "Aeneid")])).await;
    assert_eq!(peer.expect_reply::<Borrow>("1").await.expect("an answer").name, "script");
}
