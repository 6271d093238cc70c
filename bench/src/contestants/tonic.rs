//! tonic over HTTP/2, what its code generator would write written by hand: no protoc.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use prost::Message;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codegen::{Service, StdError, http};
use tonic::server::{NamedService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;

use super::Served;
use crate::Error;
use crate::load::Client;

#[derive(Clone, PartialEq, Message)]
struct Terms {
    #[prost(int64, tag = "1")]
    a: i64,
    #[prost(int64, tag = "2")]
    b: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Total {
    #[prost(int64, tag = "1")]
    total: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Echoed {
    #[prost(bytes = "bytes", tag = "1")]
    value: Bytes,
}

type Answering<T> = Pin<Box<dyn Future<Output = Result<T, Status>> + Send>>;

struct Sum;

impl UnaryService<Terms> for Sum {
    type Response = Total;
    type Future = Answering<Response<Total>>;

    fn call(&mut self, request: Request<Terms>) -> Self::Future {
        let Terms { a, b } = request.into_inner();
        Box::pin(async move { Ok(Response::new(Total { total: a + b })) })
    }
}

struct Echo;

impl UnaryService<Echoed> for Echo {
    type Response = Echoed;
    type Future = Answering<Response<Echoed>>;

    fn call(&mut self, request: Request<Echoed>) -> Self::Future {
        Box::pin(async move { Ok(Response::new(request.into_inner())) })
    }
}

#[derive(Clone)]
struct Calculator;

impl NamedService for Calculator {
    const NAME: &'static str = "Calculator";
}

impl Service<http::Request<Body>> for Calculator {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            Ok(match request.uri().path() {
                "/Calculator/Sum" => tonic::server::Grpc::new(ProstCodec::default()).unary(Sum, request).await,
                "/Calculator/Echo" => tonic::server::Grpc::new(ProstCodec::default()).unary(Echo, request).await,
                _ => Status::new(Code::Unimplemented, "no such method").into_http(),
            })
        })
    }
}

pub(super) async fn serve() -> Result<Served, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let serving = async move {
        Server::builder().add_service(Calculator).serve_with_incoming(incoming).await.expect("it serves");
    };
    Ok((address, Box::pin(serving)))
}

#[derive(Clone)]
pub(super) struct Caller(Grpc<Channel>);

impl Caller {
    async fn unary<Q, A>(&mut self, path: &'static str, question: Q) -> Result<A, Error>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        self.0.ready().await.map_err(StdError::from)?;
        let path = http::uri::PathAndQuery::from_static(path);
        Ok(self.0.unary(Request::new(question), path, ProstCodec::default()).await?.into_inner())
    }
}

impl Client for Caller {
    async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true).buffer_size(4_096);
        Ok(Self(Grpc::new(endpoint.connect().await?)))
    }

    async fn sum(&mut self, a: i64, b: i64) -> Result<i64, Error> {
        Ok(self.unary::<_, Total>("/Calculator/Sum", Terms { a, b }).await?.total)
    }

    async fn echo(&mut self, value: Bytes) -> Result<impl AsRef<[u8]> + Send, Error> {
        Ok(self.unary::<_, Echoed>("/Calculator/Echo", Echoed { value }).await?.value)
    }
}
