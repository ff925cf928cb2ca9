//! A way to a node from another address of this machine.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::foe::RUNTIME;

/// Listens on loopback, and passes on from `ip` whatever connects there.
pub fn from(ip: &str, target: SocketAddr) -> SocketAddr {
    let source = SocketAddr::new(ip.parse().expect("an address"), 0);
    let bind = TcpListener::bind("127.0.0.1:0");
    let listener = RUNTIME.block_on(bind).expect("a free port");
    let address = listener.local_addr().expect("bound");
    RUNTIME.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(pass(stream, source, target));
        }
    });
    address
}

/// A connection to `target` that comes from `source`.
pub async fn connect(source: SocketAddr, target: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(source)?;
    socket.connect(target).await
}

async fn pass(mut near: TcpStream, source: SocketAddr, target: SocketAddr) {
    // Either end may close at any time.
    if let Ok(mut far) = connect(source, target).await {
        let _closed = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    }
}
