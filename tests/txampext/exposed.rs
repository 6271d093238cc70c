//! "Exposed box senders and protocols": what a responder needs besides its arguments.

use std::sync::{Arc, Mutex};

use amp::connection::{BoxReceiver, BoxSender, WeakConnection, pair};
use amp::error::OrFail;
use amp::locator::Locator;
use amp::{AmpBox, Arguments, CallError, CloseReason, Command, Connection, Exposed, Peer, Reply, Server, responder};

/// Reads a document to the caller, a line a box, before it answers.
#[derive(Command, Debug)]
struct Recite {
    #[exposed]
    box_sender: Exposed<Arc<dyn BoxSender>>,
}

/// From here on the caller's boxes are lines of a log, up to an empty line.
#[derive(Command, Debug)]
struct OpenLog {
    #[exposed]
    protocol: Exposed<Connection>,
}

/// Where the caller is.
#[derive(Command, Debug)]
#[amp(response = Text)]
struct WhereAmI {
    #[exposed]
    peer: Exposed<Peer>,
}

/// What can be asked here.
#[derive(Command, Debug)]
#[amp(response = Names)]
struct Help {
    #[exposed]
    locator: Exposed<Arc<dyn Locator>>,
}

/// Asks the caller for its name.
#[derive(Command, Debug)]
#[amp(response = Text)]
struct Greet {
    #[exposed]
    protocol: Exposed<Connection>,
}

#[derive(Command, Debug)]
#[amp(response = Text)]
struct YourName;

#[derive(Arguments, Debug)]
struct Text {
    text: String,
}

#[derive(Arguments, Debug)]
struct Names {
    names: Vec<String>,
}

type Lines = Arc<Mutex<Vec<String>>>;

#[derive(Clone, Default)]
struct Library {
    log: Lines,
}

#[responder]
impl Library {
    async fn recite(&self, command: Recite) -> Reply<Recite> {
        for line in ["arma", "virumque", "cano"] {
            command.box_sender.send_box(AmpBox::new().with("line", line).or_fail()?).or_fail()?;
        }
        Ok(())
    }

    async fn open_log(&self, command: OpenLog) -> Reply<OpenLog> {
        let receiver = LogReceiver { log: Arc::clone(&self.log), protocol: command.protocol.downgrade() };
        command.protocol.switch_receiver(receiver);
        Ok(())
    }

    async fn where_am_i(&self, command: WhereAmI) -> Reply<WhereAmI> {
        match &*command.peer {
            Peer::Tcp { address } => Ok(Text { text: address.to_string() }),
            other => Err(CallError::failed(format!("{other} did not come over TCP"))),
        }
    }

    async fn greet(&self, command: Greet) -> Reply<Greet> {
        let Text { text } = command.protocol.call(YourName).await.map_err(CallError::forward)?;
        Ok(Text { text: format!("hello {text}") })
    }
}

/// A component that is composed with others.
struct Desk;

#[responder]
impl Desk {
    async fn help(&self, command: Help) -> Reply<Help> {
        Ok(Names { names: command.locator.commands().iter().map(|command| command.name.to_owned()).collect() })
    }
}

struct LogReceiver {
    log: Lines,
    protocol: WeakConnection,
}

impl BoxReceiver for LogReceiver {
    fn receive_box(&mut self, received: AmpBox) {
        match received.value("line") {
            Some(line) => self.log.lock().expect("no panic").push(String::from_utf8_lossy(line).into_owned()),
            None => self.protocol.upgrade().expect("open").restore_receiver(),
        }
    }
}

/// Writes boxes down until the connection ends.
struct Reader(Lines, Option<tokio::sync::oneshot::Sender<()>>);

impl BoxReceiver for Reader {
    fn receive_box(&mut self, received: AmpBox) {
        let words = received.iter().next().map(|(_, value)| String::from_utf8_lossy(value).into_owned());
        self.0.lock().expect("no panic").extend(words);
    }

    fn stop(&mut self, _: &CloseReason) {
        self.1.take().map(|done| done.send(()));
    }
}

fn connected(library: &Library) -> (Connection, Connection) {
    let locator = (library.clone().into_locator(), Desk.into_locator());
    pair(Connection::builder(), Connection::builder().locator(locator))
}

#[tokio::test]
async fn a_responder_is_called_with_the_box_sender_and_sends_boxes_before_its_answer() {
    let (caller, reciting) = connected(&Library::default());
    let (lines, (done, ended)) = (Lines::default(), tokio::sync::oneshot::channel());
    caller.switch_receiver(Reader(Arc::clone(&lines), Some(done)));
    let ask = AmpBox::new().with("_ask", "a").and_then(|ask| ask.with("_command", "Recite")).expect("it fits");
    caller.send_box(ask).expect("open");
    // The answer is the last box; closing waits for it.
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while lines.lock().expect("no panic").len() < 4 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("four boxes");
    reciting.close();
    ended.await.expect("it is told the end");
    assert_eq!(lines.lock().expect("no panic")[..], ["arma", "virumque", "cano", "a"]);
}

#[tokio::test]
async fn a_responder_may_switch_the_box_receiver() {
    let library = Library::default();
    let (caller, _library) = connected(&library);
    caller.call(OpenLog { protocol: Exposed::empty() }).await.expect("an answer");
    for line in ["started", "ready"] {
        caller.send_box(AmpBox::new().with("line", line).expect("it fits")).expect("open");
    }
    caller.send_box(AmpBox::new().with("end", "").expect("it fits")).expect("open");
    // The receiver has given the boxes back, so that commands are answered again.
    let names = caller.call(Help { locator: Exposed::empty() }).await.expect("an answer").names;
    assert_eq!(library.log.lock().expect("no panic")[..], ["started", "ready"]);
    assert!(names.contains(&"OpenLog".to_owned()));
}

#[tokio::test]
async fn a_responder_may_want_to_know_about_the_transport() {
    let library = Library::default();
    let server = Server::builder().bind_tcp("127.0.0.1:0", move |_| library.clone().into_locator());
    let server = server.await.expect("a free port");
    let socket = tokio::net::TcpStream::connect(server.local_addr().expect("TCP")).await.expect("a server");
    let here = socket.local_addr().expect("an address");
    let connection = Connection::builder().start_tcp(socket).expect("a connection");
    let told = connection.call(WhereAmI { peer: Exposed::empty() }).await.expect("an answer");
    assert_eq!(told.text, here.to_string());
}

struct Visitor;

#[responder]
impl Visitor {
    async fn your_name(&self, _: YourName) -> Reply<YourName> {
        Ok(Text { text: "ada".into() })
    }
}

#[tokio::test]
async fn a_responder_is_called_with_the_protocol_and_calls_its_caller_back() {
    let visitor = Connection::builder().locator(Visitor.into_locator());
    let (visitor, _library) = pair(visitor, Connection::builder().locator(Library::default().into_locator()));
    let greeting = visitor.call(Greet { protocol: Exposed::empty() }).await.expect("an answer");
    assert_eq!(greeting.text, "hello ada");
}

#[tokio::test]
async fn a_component_of_composed_locators_reaches_the_one_that_composes_them() {
    let (caller, _desk) = connected(&Library::default());
    let names = caller.call(Help { locator: Exposed::empty() }).await.expect("an answer").names;
    assert_eq!(names, ["Recite", "OpenLog", "WhereAmI", "Greet", "Help"]);
}

#[tokio::test]
async fn what_is_exposed_is_never_on_the_wire_and_a_peer_cannot_send_it() {
    let (caller, _library) = connected(&Library::default());
    let forged = AmpBox::new().with("protocol", "a connection").expect("it fits");
    let error = caller.call_box("Greet", forged).await.expect_err("this end answers nothing");
    // The responder called this end back, whatever the box said.
    assert!(error.to_string().contains("UNHANDLED"), "{error}");
    // `Help` without the key: nothing is missing.
    let names = caller.call_box("Help", AmpBox::new()).await.expect("an answer");
    assert!(names.value("names").is_some());
}
