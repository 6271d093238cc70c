//! yamux of libp2p, with frames as long as the others' and as many streams as it takes.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::Poll;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt, TokioAsyncReadCompatExt};
use yamux::{Config, Connection, Mode};

use super::{Opener, Socket, work};
use crate::Error;
use crate::contestants::Served;

pub(super) type Stream = Socket<Compat<yamux::Stream>, true>;

type Opened = oneshot::Sender<Result<yamux::Stream, yamux::ConnectionError>>;

fn config() -> Config {
    let mut config = Config::default();
    config.set_max_connection_receive_window(None);
    config.set_max_num_streams(16_384);
    config.set_split_send_size(32 * 1024);
    config
}

fn connection(socket: TcpStream, mode: Mode) -> Result<Connection<Compat<TcpStream>>, Error> {
    socket.set_nodelay(true)?;
    Ok(Connection::new(socket.compat(), config(), mode))
}

pub(super) async fn serve() -> Result<Served, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut connection = connection(socket, Mode::Server)?;
                while let Some(stream) = poll_fn(|cx| connection.poll_next_inbound(cx)).await {
                    tokio::spawn(work::serve::<Stream>(Socket(stream?.compat())));
                }
                Ok::<(), Error>(())
            });
        }
    };
    Ok((address, Box::pin(serving)))
}

#[derive(Clone)]
pub(super) struct Client(mpsc::UnboundedSender<Opened>);

/// Opens what is asked for and keeps the connection going.
async fn drive(mut connection: Connection<Compat<TcpStream>>, mut asked: mpsc::UnboundedReceiver<Opened>) {
    let mut opening: Option<Opened> = None;
    poll_fn(|cx| {
        loop {
            if opening.is_none()
                && let Poll::Ready(Some(opened)) = asked.poll_recv(cx)
            {
                opening = Some(opened);
            }
            if opening.is_some()
                && let Poll::Ready(stream) = connection.poll_new_outbound(cx)
            {
                if let Some(opened) = opening.take() {
                    // Who asked may be gone.
                    let _ = opened.send(stream);
                }
                continue;
            }
            return match connection.poll_next_inbound(cx) {
                Poll::Ready(Some(Ok(_))) => continue,
                Poll::Ready(_) => Poll::Ready(()),
                Poll::Pending => Poll::Pending,
            };
        }
    })
    .await;
}

impl Opener for Client {
    type Stream = Stream;

    async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let connection = connection(TcpStream::connect(address).await?, Mode::Client)?;
        let (ask, asked) = mpsc::unbounded_channel();
        tokio::spawn(drive(connection, asked));
        Ok(Self(ask))
    }

    async fn open(&mut self) -> Result<Stream, Error> {
        let (opened, stream) = oneshot::channel();
        self.0.send(opened)?;
        Ok(Socket(stream.await??.compat()))
    }
}
