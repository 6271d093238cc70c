//! A web server of one page, over whatever is read and written: a socket or a stream. Real ones hand either to hyper (`tests/http`).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest request that is read.
const MAX_REQUEST: usize = 16 * 1024;

/// Answers one request with `text`, and returns its first line.
pub(crate) async fn answer(mut client: impl AsyncRead + AsyncWrite + Unpin, text: &str) -> io::Result<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if request.len() > MAX_REQUEST || client.read_buf(&mut request).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length";
    client.write_all(format!("{head}: {}\r\n\r\n{text}", text.len()).as_bytes()).await?;
    client.shutdown().await?;
    Ok(String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned())
}
