//! Sockets for the HTTP servers.

mod serve;

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

pub use self::serve::serve;
use crate::exit::Failure;

/// Connections of one server at once. More wait in the system's queue, so that
/// a client that never hangs up cannot use up the files peers need.
const CONNECTIONS_MAX: usize = 128;

/// A connection whose other end reads nothing for so long is closed.
const STALL_MAX: Duration = Duration::from_secs(30);

/// A listener with a limit on open connections.
pub struct Limited {
    listener: TcpListener,
    free: Arc<Semaphore>,
}

/// A connection that counts against the limit while it is open.
pub struct Counted {
    stream: TcpStream,
    /// Runs while the other end takes nothing of what waits for it.
    stalled: Option<Pin<Box<Sleep>>>,
    patience: Duration,
    _place: Option<OwnedSemaphorePermit>,
}

impl Counted {
    /// Passes on how a write went, or gives up one that waits for too long.
    fn bounded<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        stalled.as_mut().poll(context).map(|()| {
            let why = "the other end takes no more bytes";
            Err(io::Error::new(ErrorKind::TimedOut, why))
        })
    }
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

/// Where a listening address is reached from this machine.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
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

impl Limited {
    /// The next connection, once there is a place for it.
    pub async fn accept(&mut self) -> (Counted, SocketAddr) {
        // The semaphore is never closed.
        let place = Arc::clone(&self.free).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let connection = Counted {
            stream,
            stalled: None,
            patience: STALL_MAX,
            _place: place,
        };
        (connection, address)
    }

    /// Whether fewer than half of the places are left.
    pub fn is_crowded(&self) -> bool {
        self.free.available_permits() < CONNECTIONS_MAX / 2
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
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.bounded(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
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

    #[tokio::test]
    async fn connection_that_reads_nothing_is_given_up() {
        let (mut limited, address) = any().await;
        let silent = TcpStream::connect(address).await.unwrap();
        let (mut open, _) = limited.accept().await;
        open.patience = Duration::from_millis(100);
        let much = vec![0; 64 << 20];
        let error = tokio::io::AsyncWriteExt::write_all(&mut open, &much)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
        drop(silent);
    }
}
