//! The longest values, and what is longer.

use amp::value::EncodeErrorKind;
use amp::wire::MAX_VALUE;
use amp::{CallError, Connection, Server};

use crate::commands::{Blob, BlobLength, Grow, Grown, Sum, Total};
use crate::harness::{Twisted, on, soon};

#[tokio::test]
async fn rule_6_a_value_of_65535_bytes_goes_both_ways_at_twisted() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let length = soon(connection.call(Blob { data: vec![b'x'; MAX_VALUE] })).await.unwrap();
    assert_eq!(length, BlobLength { length: MAX_VALUE });
    let grown = soon(connection.call(Grow { length: MAX_VALUE })).await.unwrap();
    assert_eq!(grown.data.len(), MAX_VALUE);
    // Rule 5: and none at all.
    assert_eq!(soon(connection.call(Blob { data: vec![] })).await.unwrap().length, 0);
    assert_eq!(soon(connection.call(Grow { length: 0 })).await.unwrap().data, b"");
}

#[tokio::test]
async fn rule_7_a_value_of_65536_bytes_is_refused_before_twisted_sees_a_byte_of_it() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let error = soon(connection.call(Blob { data: vec![0; MAX_VALUE + 1] })).await.unwrap_err();
    let CallError::Invalid(error) = error else { panic!("{error:?}") };
    assert_eq!((error.path(), error.kind()), ("data", &EncodeErrorKind::TooLong { length: MAX_VALUE + 1 }));
    assert_eq!(soon(connection.call(Sum { a: 1, b: 2 })).await.unwrap().total, 3);
    connection.close();
    assert!(matches!(soon(connection.closed()).await, amp::CloseReason::Closed), "nothing is waited for");
}

#[tokio::test]
async fn rules_6_40_twisted_gets_65535_bytes_and_too_long_instead_of_more() {
    let grow = on(async |Grow { length }| Ok(Grown { data: vec![b'x'; length] }));
    let blob = on(async |Blob { data }| Ok(BlobLength { length: data.len() }));
    let Some(mut served) = Twisted::calling(std::sync::Arc::new((grow, blob))).await else { return };
    assert_eq!(served.twisted.say("call(Blob, data=b'x' * 65535)").await, "{'length': 65535}");
    assert_eq!(served.twisted.say("call(Blob, data=b'')").await, "{'length': 0}");
    let grown = "call(Grow, length=65535).addCallback(lambda it: len(it['data']))";
    assert_eq!(served.twisted.say(grown).await, "65535");
    let oversized = served.twisted.say("call(Grow, length=65536)").await;
    let words = "data: 65536 bytes where 65535 is the most of one value; declare it at both ends as `Big`, which is split over several keys, \
        or use several calls or a stream";
    // Of a code that the command does not declare Twisted keeps the words.
    assert_eq!(oversized, format!("UnknownRemoteError: Code<UNKNOWN>: {words}"));
    assert_eq!(served.twisted.say(grown).await, "65535", "the connection lives on");
}

#[tokio::test]
async fn a_twisted_client_of_a_full_server_gets_busy_and_the_end_of_its_connection() {
    let sum = std::sync::Arc::new(on(async |Sum { a, b }| Ok(Total { total: a + b })));
    let server = Server::builder().max_connections(1).bind_tcp("127.0.0.1:0", move |_| sum.clone()).await.unwrap();
    let address = server.local_addr().unwrap();
    let inside = Connection::builder().connect_tcp(address).await.unwrap();
    assert_eq!(soon(inside.call(Sum { a: 1, b: 2 })).await.unwrap().total, 3);
    let Some(mut twisted) = Twisted::connect(address).await else { return };
    let busy = twisted.say("call(Sum, a=1, b=2)").await;
    let words = "The server has as many connections as it may; try again later";
    assert_eq!(busy, format!("UnknownRemoteError: Code<UNKNOWN>: {words}"));
    let ended = twisted.say("call(Sum, a=1, b=2)").await;
    assert!(ended.starts_with("Connection"), "{ended}");
    assert_eq!((server.connections(), server.refused()), (1, 1));
}
