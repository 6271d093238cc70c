//! What an idle stream costs. Alone in its process, because it measures it.

use amp_core::Connection;
use amp_multiplex::{Factories, Multiplexer, Multiplexing, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const STREAMS: usize = 10_000;

/// The resident bytes of this process.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("this process");
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("pages") * 4096
}

#[tokio::test]
async fn ten_thousand_idle_streams_cost_less_than_two_kibibytes_each_at_each_end() {
    let factories = Factories::new();
    let mut listener = factories.listen("idle", STREAMS);
    let ends = [Multiplexing::new(&factories), Multiplexing::new(&Factories::new())];
    let [one, other] = ends.map(|end| Connection::builder().extension(end));
    let (one, other) = amp_core::connection::pair(one, other);
    let [server, client] = [&one, &other].map(|end| Multiplexer::of(end).expect("it has the extension"));

    let mut streams: Vec<(Stream, Stream)> = Vec::with_capacity(STREAMS);
    let before = resident();
    for _ in 0..STREAMS {
        let (near, far) = tokio::join!(client.connect("idle"), listener.accept());
        streams.push((near.expect("accepted"), far.expect("a factory")));
    }
    let fresh = resident() - before;
    for (near, far) in &mut streams {
        // A stream that was used and is idle again costs the same.
        near.write_all(&[1; 1000]).await.expect("written");
        far.read_exact(&mut [0; 1000]).await.expect("read");
        far.write_all(&[1; 1000]).await.expect("written");
        near.read_exact(&mut [0; 1000]).await.expect("read");
    }
    let used = resident() - before;
    let each = |bytes: usize| bytes / STREAMS / 2;
    println!("{} bytes for each idle stream at each end, {} after it was used", each(fresh), each(used));
    assert!(each(fresh) < 2048, "{} bytes each", each(fresh));
    assert!(each(used) < 2048, "{} bytes each after use", each(used));
    assert_eq!((server.streams(), client.streams()), (STREAMS, STREAMS));
}
