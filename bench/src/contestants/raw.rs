//! The limit: the bytes of an ask and an answer, compared and never parsed, as many at once as there are.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::Served;
use crate::Error;
use crate::load::{Load, count};

const ASK: &[u8] = b"\0\x04_ask\0\x041a2b\0\x08_command\0\x03Sum\0\x01a\0\x0213\0\x01b\0\x0281\0\0";
const ANSWER: &[u8] = b"\0\x07_answer\0\x041a2b\0\x05total\0\x0294\0\0";
/// What one read takes and one write gives at most (`performance.md`: more than a loopback segment is slower).
const AT_ONCE: usize = 60_000;

pub(super) async fn serve(load: Load) -> Result<Served, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                // What fails is noticed by the client, unless it is the one that left.
                let _ = if load.payload == 0 { answer(stream).await } else { echo(stream).await };
            });
        }
    };
    Ok((address, Box::pin(serving)))
}

pub(super) async fn call(address: SocketAddr, load: Load) -> Result<(), Error> {
    let mut connections = Vec::new();
    for _ in 0..load.connections {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        connections.push(tokio::spawn(async move {
            if load.payload == 0 { ask(stream, load).await } else { ask_echo(stream, load).await }
        }));
    }
    for connection in connections {
        connection.await??;
    }
    Ok(())
}

async fn answer(mut stream: TcpStream) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    let most = AT_ONCE / ASK.len();
    let (asks, answers) = (ASK.repeat(most), ANSWER.repeat(most));
    let mut input = vec![0; AT_ONCE];
    let mut have = 0;
    loop {
        let read = stream.read(&mut input[have..]).await?;
        if read == 0 {
            return Ok(());
        }
        have += read;
        let (whole, rest) = (have / ASK.len(), have % ASK.len());
        let used = whole * ASK.len();
        assert!(input[..used] == asks[..used], "a wrong ask");
        input.copy_within(used..have, 0);
        have = rest;
        stream.write_all(&answers[..whole * ANSWER.len()]).await?;
    }
}

async fn ask(mut stream: TcpStream, load: Load) -> Result<(), Error> {
    let (asks, answers) = (ASK.repeat(load.in_flight), ANSWER.repeat(load.in_flight));
    let mut input = vec![0; answers.len()];
    let mut have = 0;
    let mut to_send = load.calls_per_connection();
    let mut to_come = to_send;
    let mut free = load.in_flight;
    while to_come > 0 {
        let now = to_send.min(free as u64) as usize;
        stream.write_all(&asks[..now * ASK.len()]).await?;
        to_send -= now as u64;
        let read = stream.read(&mut input[have..]).await?;
        have += read;
        let whole = have / ANSWER.len();
        let used = whole * ANSWER.len();
        assert!(read > 0 && input[..used] == answers[..used], "a wrong answer");
        input.copy_within(used..have, 0);
        have -= used;
        free = free - now + whole;
        to_come -= whole as u64;
        count(whole as u64);
    }
    Ok(())
}

async fn echo(mut stream: TcpStream) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    let mut input = vec![0; AT_ONCE];
    loop {
        let read = stream.read(&mut input).await?;
        if read == 0 {
            return Ok(());
        }
        stream.write_all(&input[..read]).await?;
    }
}

/// Values without boxes around them; at most as many bytes out as the values in flight hold.
async fn ask_echo(mut stream: TcpStream, load: Load) -> Result<(), Error> {
    let value = load.value();
    // Enough in a row that any piece of the stream is one slice.
    let stream_of_values = value.repeat(AT_ONCE / value.len() + 2);
    let (all, most) = (load.calls_per_connection().saturating_mul(value.len() as u64), load.in_flight * value.len());
    let (come, news) = (AtomicU64::new(0), Notify::new());
    let (mut reader, mut writer) = stream.split();
    let send = async {
        let mut sent = 0;
        while sent < all {
            let out = sent - come.load(Ordering::Acquire);
            let room = (most as u64 - out).min(all - sent).min(AT_ONCE as u64) as usize;
            if room == 0 {
                news.notified().await;
                continue;
            }
            let at = (sent % value.len() as u64) as usize;
            sent += writer.write(&stream_of_values[at..at + room]).await? as u64;
        }
        Ok::<(), Error>(())
    };
    let receive = async {
        let mut input = vec![0; AT_ONCE];
        let mut got = 0;
        while got < all {
            let read = reader.read(&mut input).await?;
            let at = (got % value.len() as u64) as usize;
            assert!(read > 0 && input[..read] == stream_of_values[at..at + read], "a wrong echo");
            let before = got / value.len() as u64;
            got += read as u64;
            count(got / value.len() as u64 - before);
            come.store(got, Ordering::Release);
            news.notify_one();
        }
        Ok::<(), Error>(())
    };
    tokio::try_join!(send, receive)?;
    Ok(())
}
