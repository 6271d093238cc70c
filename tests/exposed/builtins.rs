//! What every connection exposes without being told: itself, its peer, its locator, its box sender.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use amp::connection::{BoxSender, Credentials, pair};
use amp::locator::Locator;
use amp::{
    AmpBox, Arguments, CallError, Command, Connection, Exposed, Peer, Reply, Server, Settings, State, responder,
};

use crate::commands::{House, sum};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, packed, soon};

#[derive(Arguments, Debug, PartialEq)]
struct Words {
    words: Vec<String>,
}

/// Sums up at the peer's.
#[derive(Command, Debug)]
#[amp(response = Words)]
struct Ask {
    #[exposed]
    connection: Exposed<Connection>,
}

/// Tells who the peer is.
#[derive(Command, Debug)]
#[amp(response = Words)]
struct Who {
    #[exposed]
    peer: Exposed<Peer>,
}

/// Lists what is answered here.
#[derive(Command, Debug)]
#[amp(response = Words)]
struct List {
    #[exposed]
    locator: Exposed<Arc<dyn Locator>>,
}

/// Sends a box before its answer.
#[derive(Command, Debug)]
struct Poke {
    #[exposed]
    sender: Exposed<Arc<dyn BoxSender>>,
}

/// Tells the peer that the user gave, and the one that the connection knows.
#[derive(Command, Debug)]
#[amp(response = Words)]
struct Proxied {
    #[exposed]
    given: Exposed<State<Peer>>,
    #[exposed]
    known: Exposed<Peer>,
}

struct Builtins;

#[responder]
impl Builtins {
    async fn ask(&self, command: Ask) -> Reply<Ask> {
        let total = command.connection.call(sum()).await.map_err(CallError::failed)?.total;
        Ok(Words { words: vec![total.to_string()] })
    }

    async fn who(&self, command: Who) -> Reply<Who> {
        let mut words = vec![command.peer.to_string()];
        if let Peer::Unix { credentials: Some(Credentials { user, group, process, .. }), .. } = *command.peer {
            words.extend([user.to_string(), group.to_string(), format!("{process:?}")]);
        }
        Ok(Words { words })
    }

    async fn list(&self, command: List) -> Reply<List> {
        Ok(Words { words: command.locator.commands().iter().map(|command| command.name.to_owned()).collect() })
    }

    async fn poke(&self, command: Poke) -> Reply<Poke> {
        let sent = AmpBox::new().with("_command", "Poked").map_err(CallError::failed)?;
        command.sender.send_box(sent).map_err(CallError::failed)
    }

    async fn proxied(&self, command: Proxied) -> Reply<Proxied> {
        Ok(Words { words: vec![command.given.to_string(), command.known.to_string()] })
    }
}

fn words(reply: Result<Words, impl std::fmt::Debug>) -> Vec<String> {
    reply.expect("an answer").words
}

#[tokio::test(start_paused = true)]
async fn the_connection_is_exposed_and_calls_the_peer_back() {
    let (_connection, mut peer) = RawPeer::with(Builtins.into_locator(), Settings::new());
    peer.send(ask("1", "Ask", &[])).await;
    peer.expect(ask_sum("1")).await;
    peer.send(answer_sum("1")).await;
    peer.expect(answer("1", &[("words", "\0\u{1}3")])).await;
}

#[tokio::test]
async fn the_peer_is_exposed_with_its_tcp_address() {
    let server = Server::builder().bind_tcp("127.0.0.1:0", |_| Builtins.into_locator()).await.expect("a port");
    let stream = tokio::net::TcpStream::connect(server.local_addr().expect("an address")).await.expect("a server");
    let address = stream.local_addr().expect("an address").to_string();
    let connection = Connection::builder().start_tcp(stream).expect("connected");
    assert_eq!(words(soon("who", connection.call(Who { peer: Exposed::empty() })).await), [address]);
}

#[tokio::test]
async fn the_peer_is_exposed_with_the_credentials_that_the_kernel_vouches_for() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("amp.sock");
    let _server = Server::builder().bind_unix(&path, |_| Builtins.into_locator()).expect("a new path");
    let connection = Connection::builder().connect_unix(&path).await.expect("the server listens");
    let me = std::fs::metadata("/proc/self").expect("a process");
    let process = i32::try_from(std::process::id()).expect("an id");
    let expected = [format!("unix:{}", path.display()), me.uid().to_string(), me.gid().to_string()];
    let got = words(soon("who", connection.call(Who { peer: Exposed::empty() })).await);
    assert_eq!(got, [&expected[..], &[format!("{:?}", Some(process))]].concat());
}

#[tokio::test(start_paused = true)]
async fn the_locator_that_answers_is_exposed() {
    let locator = (Builtins.into_locator(), House::new().into_locator());
    let (caller, _answering) = pair(Connection::builder(), Connection::builder().locator(locator));
    let names = words(soon("a list", caller.call(List { locator: Exposed::empty() })).await);
    assert_eq!(names[..5], ["Ask", "Who", "List", "Poke", "Proxied"]);
    assert!(names.contains(&"CallBack".to_owned()), "those of the second locator too: {names:?}");
}

#[tokio::test(start_paused = true)]
async fn the_box_sender_is_exposed_and_what_it_is_given_goes_before_the_answer() {
    let (_connection, mut peer) = RawPeer::with(Builtins.into_locator(), Settings::new());
    peer.send(ask("1", "Poke", &[])).await;
    peer.expect([packed(&[("_command", "Poked")]), answer("1", &[])].concat()).await;
}

#[tokio::test(start_paused = true)]
async fn a_state_of_a_built_ins_type_is_what_the_user_gave() {
    let given = Connection::builder().locator(Builtins.into_locator()).state(Peer::other("behind a proxy"));
    let (caller, answering) = pair(Connection::builder(), given);
    let call = || Proxied { given: Exposed::empty(), known: Exposed::empty() };
    assert_eq!(words(soon("both", caller.call(call())).await), ["behind a proxy", "memory"]);
    answering.remove_state::<Peer>().expect("it was given");
    soon("no answer", caller.call(call())).await.expect_err("nobody gives it any more");
}
