//! Errors, nested boxes, composed locators, and what test cases ask of commands and of locators.

use std::sync::{Arc, Mutex};

use amp::connection::{BoxReceiver, BoxSender, pair};
use amp::locator::Locator;
use amp::{AmpBox, Arguments, CallError, Command, Connection, ErrorCodes, Reply, responder};

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

#[derive(Command, Debug)]
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

fn connected() -> (Connection, Connection) {
    pair(Connection::builder(), Connection::builder().locator((Books.into_locator(), Cleaning.into_locator())))
}

#[tokio::test]
async fn an_errors_code_is_its_name_in_capitals_without_a_table() {
    let (reader, _books) = connected();
    let error = reader.call(find("Iliad")).await.expect_err("it is not there");
    assert_eq!(error.declared(), Some(&ShelfError::NoSuchBook));
    let arguments = AmpBox::new()
        .with("title", "Iliad")
        .and_then(|made| made.with("near", &b"\0\x03row\0\x011\0\x05shelf\0\0\0\0"[..]));
    match reader.call_box("Find", arguments.expect("it fits")).await {
        Err(CallError::Remote { code, description }) => {
            assert_eq!((&*code, &*description), ("NO_SUCH_BOOK", "no such book"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_box_nests_in_a_box() {
    let (reader, _books) = connected();
    let found = reader.call(find("Aeneid")).await.expect("it is there");
    assert_eq!(found.place, Place { row: 3, shelf: "V".into() });
}

#[tokio::test]
async fn a_composed_locator_finds_the_responders_of_all_its_components() {
    let (reader, _books) = connected();
    reader.call(find("Aeneid")).await.expect("the first has it");
    reader.call(Dust { shelf: "V".into() }).await.expect("the second has it");
    let error = reader.call_box("Burn", AmpBox::new()).await.expect_err("none has it");
    assert!(error.is_unhandled());
}

/// What a test mixin's `locateResponder` asks.
#[test]
fn a_test_sees_which_commands_a_locator_answers() {
    let locator = (Books.into_locator(), Cleaning.into_locator());
    let names: Vec<_> = locator.commands().iter().map(|command| command.name).collect();
    assert_eq!(names, [Find::NAME, Dust::NAME]);
}

/// Answers every ask with one box, and keeps what was asked.
struct Script {
    asked: Arc<Mutex<Vec<AmpBox>>>,
    answer: AmpBox,
    peer: amp::connection::WeakConnection,
}

impl BoxReceiver for Script {
    fn receive_box(&mut self, received: AmpBox) {
        let tag = received.value("_ask").cloned();
        self.asked.lock().expect("no panic").push(received);
        if let (Some(tag), Some(peer)) = (tag, self.peer.upgrade()) {
            peer.send_box(self.answer.clone().with("_answer", tag).expect("it fits")).expect("open");
        }
    }
}

/// `test_makeArguments` and `test_parseResponse` of a command.
#[tokio::test]
async fn a_test_sees_the_bytes_of_arguments_and_chooses_those_of_a_response() {
    let (reader, scripted) = pair(Connection::builder(), Connection::builder());
    let place = |row: &str| [b"\0\x03row\0\x01", row.as_bytes(), b"\0\x05shelf\0\x01V\0\0"].concat();
    let asked = Arc::<Mutex<Vec<AmpBox>>>::default();
    let answer = AmpBox::new().with("place", place("7")).expect("it fits");
    scripted.switch_receiver(Script { asked: Arc::clone(&asked), answer, peer: scripted.downgrade() });
    let found = reader.call(find("Aeneid")).await.expect("the script answers");
    assert_eq!(found, Found { place: Place { row: 7, shelf: "V".into() } });
    let asked = asked.lock().expect("no panic");
    let keys = ["title", "near"].map(|key| asked[0].value(key).expect("an argument").to_vec());
    assert_eq!(keys, [b"Aeneid".to_vec(), place("2")]);
}

/// `test_errors`, `test_fatalErrors` and `test_requiresAnswer` of a command.
#[test]
fn a_test_sees_the_errors_of_a_command_and_whether_it_requires_an_answer() {
    let errors: Vec<_> = Find::DECLARATION.errors.iter().map(|error| (error.code, error.fatal)).collect();
    assert_eq!(errors, [("NO_SUCH_BOOK", false), ("FALLEN_DOWN", true)]);
    assert_eq!((Find::ANSWERED, Dust::ANSWERED), (true, false));
}

#[tokio::test]
async fn a_fatal_error_is_answered_and_ends_the_connection() {
    let (reader, _books) = connected();
    let error = reader.call(find("Atlas")).await.expect_err("it falls down");
    assert_eq!(error.declared(), Some(&ShelfError::FallenDown));
    reader.closed().await;
}
