//! A Twisted peer opens streams to the factories of a Rust server.

use amp::multiplex::Factories;
use tokio::io::AsyncWriteExt;

use super::{TEN_MEGABYTES, digest, heard, pattern, said, serving, still_there};
use crate::harness::soon;

fn echo() -> Factories {
    let factories = Factories::new();
    factories.serve("echo", async |stream| {
        let (mut reader, mut writer) = tokio::io::split(stream);
        // It ends when the peer has left.
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
    });
    factories
}

#[tokio::test]
async fn what_twisted_writes_to_an_echo_at_rust_comes_back() {
    let Some((mut served, multiplexer)) = serving(&echo()).await else { return };
    assert_eq!(served.twisted.say("dial('echo')").await, "32", "an id of 32 digits");
    served.twisted.say("say(b'hello')").await;
    assert_eq!(served.twisted.say("dialled['it'].heard(5)").await, "b'hello'");
    served.twisted.say("leave()").await;
    still_there(&multiplexer, &mut served.twisted).await;
}

#[tokio::test]
async fn a_banner_of_rust_comes_behind_the_answer_to_connect() {
    let factories = Factories::new();
    factories.serve("banner", async |mut stream| {
        said(&mut stream, b"220 ready\r\n").await;
        let word = heard(&mut stream, 4).await;
        said(&mut stream, &word).await;
    });
    let Some((mut served, multiplexer)) = serving(&factories).await else { return };
    for number in 0..20 {
        served.twisted.say(&format!("dial('banner', {number})")).await;
        let banner = served.twisted.say(&format!("dialled[{number}].heard(11)")).await;
        assert_eq!(banner, r"b'220 ready\r\n'");
        served.twisted.say(&format!("say(b'HELO', {number})")).await;
        assert_eq!(served.twisted.say(&format!("dialled[{number}].heard(15)")).await, r"b'220 ready\r\nHELO'");
        assert_eq!(served.twisted.say(&format!("dialled[{number}].ended()")).await, "'disconnected'");
    }
    still_there(&multiplexer, &mut served.twisted).await;
}

#[tokio::test]
async fn a_stream_that_rust_ends_at_once_reaches_twisted_in_order() {
    let factories = Factories::new();
    factories.serve("bye", async |mut stream| stream.write_all(b"221 bye\r\n").await.unwrap());
    let Some((mut served, multiplexer)) = serving(&factories).await else { return };
    served.twisted.say("dial('bye')").await;
    assert_eq!(served.twisted.say("dialled['it'].ended()").await, "'disconnected'");
    assert_eq!(served.twisted.say("dialled['it'].head").await, r"b'221 bye\r\n'");
    still_there(&multiplexer, &mut served.twisted).await;
}

#[tokio::test]
async fn ten_megabytes_that_twisted_writes_at_once_arrive_intact() {
    let factories = Factories::new();
    factories.serve("digest", async |mut stream| {
        let bytes = heard(&mut stream, TEN_MEGABYTES).await;
        said(&mut stream, digest(&bytes).as_bytes()).await;
    });
    let Some((mut served, multiplexer)) = serving(&factories).await else { return };
    served.twisted.say("dial('digest')").await;
    served.twisted.say("say(pattern(TEN_MEGABYTES))").await;
    let expected = format!("b'{}'", digest(&pattern(TEN_MEGABYTES)));
    assert_eq!(served.twisted.say("dialled['it'].heard(64)").await, expected);
    still_there(&multiplexer, &mut served.twisted).await;
}

#[tokio::test]
async fn ten_megabytes_from_rust_arrive_at_twisted_intact_and_then_the_end() {
    let factories = Factories::new();
    factories.serve("download", async |mut stream| {
        said(&mut stream, &pattern(TEN_MEGABYTES)).await;
        soon(stream.shutdown()).await.unwrap();
    });
    let Some((mut served, multiplexer)) = serving(&factories).await else { return };
    served.twisted.say("dial('download')").await;
    assert_eq!(served.twisted.say("dialled['it'].ended()").await, "'disconnected'");
    let expected = format!("({TEN_MEGABYTES}, '{}')", digest(&pattern(TEN_MEGABYTES)));
    assert_eq!(served.twisted.say("dialled['it'].digest(TEN_MEGABYTES)").await, expected);
    still_there(&multiplexer, &mut served.twisted).await;
}

#[tokio::test]
async fn ten_megabytes_of_twisted_go_to_an_echo_at_rust_and_come_back() {
    let Some((mut served, multiplexer)) = serving(&echo()).await else { return };
    served.twisted.say("dial('echo')").await;
    served.twisted.say("say(pattern(TEN_MEGABYTES))").await;
    let expected = format!("({TEN_MEGABYTES}, '{}')", digest(&pattern(TEN_MEGABYTES)));
    assert_eq!(served.twisted.say("dialled['it'].digest(TEN_MEGABYTES)").await, expected);
    served.twisted.say("leave()").await;
    still_there(&multiplexer, &mut served.twisted).await;
}

#[tokio::test]
async fn twisted_sees_a_refusal_of_rust_and_a_factory_that_is_not_there_as_declared_errors() {
    let factories = echo();
    factories.insert("refusing", |opening: amp::multiplex::Opening| opening.refuse("not today"));
    let Some((mut served, multiplexer)) = serving(&factories).await else { return };
    assert_eq!(served.twisted.say("dial('refusing')").await, "ConnectionRefused: not today");
    assert_eq!(served.twisted.say("dial('no such thing')").await, "NoSuchFactory: ");
    assert!(factories.remove("echo").is_some());
    assert_eq!(served.twisted.say("dial('echo')").await, "NoSuchFactory: ");
    still_there(&multiplexer, &mut served.twisted).await;
}
