//! Sockets for the HTTP servers.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::exit::Failure;

/// Connections of one server at once. More wait in the system's queue, so that
/// a client that never hangs up cannot use up the files peers need.
const CONNECTIONS_MAX: usize = 128;

/// A listener with a limit on open connections.
pub struct Limited {
    listener: TcpListener,
    free: Arc<Semaphore>,
}

/// A connection that counts against the limit while it is open.
pub struct Counted {
    stream: TcpStream,
    _place: Option<OwnedSemaphorePermit>,
}

/// Binds `address`; `what` and `flag` name the server and its setting in
/// errors. Returns the listener with the port the system chose.
pub async fn bind(
    address: SocketAddr,
    what: &str,
    flag: &str,
) -> Result<(Limited, SocketAddr), Failure> {
    let fail = |error: io::Error| Failure::world(explain(address, what, flag, &error));
    let listener = TcpListener::bind(address).await.map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    Ok((
        Limited {
            listener,
            free: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        },
        bound,
    ))
}

/// What went wrong with a listening socket, and what to do.
fn explain(address: SocketAddr, what: &str, flag: &str, error: &io::Error) -> String {
    let hint = match error.kind() {
        ErrorKind::AddrInUse => {
            format!("another program has it; stop that one or choose another port with {flag} PORT")
        }
        ErrorKind::PermissionDenied => {
            format!("ports below 1024 need privileges; choose another with {flag} PORT")
        }
        ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        _ => format!("choose another address or port, see {flag}"),
    };
    format!("cannot listen on {address} for {what}: {error}; {hint}")
}

impl Listener for Limited {
    type Io = Counted;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Counted, SocketAddr) {
        // The semaphore is never closed.
        let place = Arc::clone(&self.free).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        (
            Counted {
                stream,
                _place: place,
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn any() -> (Limited, SocketAddr) {
        bind("127.0.0.1:0".parse().unwrap(), "JSON-RPC", "--rpc-port")
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn occupied_port_is_named_with_the_way_out() {
        let (_held, address) = any().await;
        let error = bind(address, "JSON-RPC", "--rpc-port")
            .await
            .err()
            .unwrap()
            .to_string();
        for word in [
            &address.to_string(),
            "another program has it",
            "--rpc-port PORT",
        ] {
            assert!(error.contains(word), "{error}");
        }
    }

    #[tokio::test]
    async fn connection_over_the_limit_waits_for_a_place() {
        let (mut limited, address) = any().await;
        let mut clients = Vec::new();
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            clients.push(TcpStream::connect(address).await.unwrap());
            open.push(limited.accept().await.0);
        }
        clients.push(TcpStream::connect(address).await.unwrap());
        let soon = Duration::from_millis(50);
        assert!(tokio::time::timeout(soon, limited.accept()).await.is_err());
        open.pop();
        limited.accept().await;
    }
}
