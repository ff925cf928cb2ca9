//! Serves one router over bounded connections, each bounded in what it may send
//! before it asks and in the time it takes for that.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::task::JoinSet;

use super::{Counted, Limited};
use crate::shutdown::Shutdown;

/// Time to send the head of a request, from the connection's begin or the
/// answer before. An idle connection ends with it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// The same while most places are taken, so that who says nothing cannot keep
/// out who asks.
const HEAD_TIMEOUT_CROWDED: Duration = Duration::from_secs(2);
/// Bytes of a head at most, and of what one connection buffers.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Serves until shutdown, and then until the answers under way are out.
pub async fn serve(mut listener: Limited, router: Router, shutdown: Shutdown) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            (stream, from) = listener.accept() => {
                let patience = if listener.is_crowded() {
                    HEAD_TIMEOUT_CROWDED
                } else {
                    HEAD_TIMEOUT
                };
                let service = router.clone();
                open.spawn(attend((stream, from), service, patience, shutdown.clone()));
            }
            // Forgets connections that ended.
            Some(_) = open.join_next() => {}
            () = shutdown.requested() => break,
        }
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

/// Serves one connection to its end.
async fn attend(
    (stream, from): (Counted, SocketAddr),
    router: Router,
    patience: Duration,
    shutdown: Shutdown,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(HEAD_BYTES_MAX);
    let service = TowerToHyperService::new(router);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.requested() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        let why = if error.is_timeout() {
            "no request in time"
        } else {
            "broken"
        };
        tracing::debug!(%from, %error, why, "HTTP connection closed");
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use axum::Router;
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::time::{Instant, sleep, timeout};

    use super::{HEAD_BYTES_MAX, HEAD_TIMEOUT, HEAD_TIMEOUT_CROWDED, serve};
    use crate::listen::{CONNECTIONS_MAX, bind};
    use crate::shutdown::Shutdown;

    /// Longer than anything here takes on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(60);
    const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    async fn server() -> (SocketAddr, Shutdown) {
        let any = "127.0.0.1:0".parse().expect("an address");
        let (listener, address) = bind(any, "test", "--port").await.expect("a port");
        let slow = || async {
            sleep(HEAD_TIMEOUT_CROWDED * 2).await;
            "late"
        };
        let router = Router::new()
            .route("/", get(|| async { "here" }))
            .route("/slow", post(slow));
        let shutdown = Shutdown::default();
        tokio::spawn(serve(listener, router, shutdown.clone()));
        (address, shutdown)
    }

    async fn connect(address: SocketAddr) -> TcpStream {
        TcpStream::connect(address).await.expect("it listens")
    }

    /// All that comes until the server closes, and when that was.
    async fn rest(stream: &mut TcpStream) -> (String, Instant) {
        let mut bytes = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
        // A reset is an end too.
        let _reset = read.expect("closed in time");
        (String::from_utf8_lossy(&bytes).into_owned(), Instant::now())
    }

    #[tokio::test]
    async fn who_sends_nothing_or_a_byte_a_second_is_closed() {
        let (address, _shutdown) = server().await;
        let (begin, mut silent) = (Instant::now(), connect(address).await);
        let (mut reader, mut writer) = connect(address).await.into_split();
        tokio::spawn(async move {
            for byte in ASK.iter().cycle() {
                if writer.write_all(&[*byte]).await.is_err() {
                    break;
                }
                sleep(Duration::from_secs(1)).await;
            }
        });
        let mut asked = connect(address).await;
        asked.write_all(ASK).await.expect("open");
        let (answer, closed) = rest(&mut asked).await;
        assert!(answer.ends_with("here"), "{answer}");
        assert!(closed - begin >= HEAD_TIMEOUT, "closed while idle");
        let (answer, closed) = rest(&mut silent).await;
        assert_eq!(answer, "");
        assert!(closed - begin >= HEAD_TIMEOUT);
        let mut bytes = Vec::new();
        let dripped = timeout(PATIENCE, reader.read_to_end(&mut bytes)).await;
        assert!(dripped.is_ok(), "the slow one stays");
    }

    #[tokio::test]
    async fn silent_connections_in_all_places_keep_nobody_out_for_long() {
        let (address, _shutdown) = server().await;
        let mut silent = Vec::new();
        for _ in 0..CONNECTIONS_MAX * 2 {
            silent.push(connect(address).await);
        }
        let mut client = connect(address).await;
        client.write_all(ASK).await.expect("open");
        let mut start = [0; 15];
        let read = timeout(PATIENCE, client.read_exact(&mut start)).await;
        read.expect("in time").expect("an answer");
        assert_eq!(&start, b"HTTP/1.1 200 OK");
    }

    #[tokio::test]
    async fn endless_head_is_refused() {
        let (address, _shutdown) = server().await;
        let mut endless = connect(address).await;
        endless
            .write_all(b"GET / HTTP/1.1\r\nx: ")
            .await
            .expect("open");
        // The server may close before it has read all.
        let _closed = endless.write_all(&vec![b'a'; 2 * HEAD_BYTES_MAX]).await;
        let (answer, _) = rest(&mut endless).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }

    #[tokio::test]
    async fn answer_under_way_is_out_before_the_end() {
        let (address, shutdown) = server().await;
        let mut client = connect(address).await;
        let ask = b"POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
        client.write_all(ask).await.expect("open");
        sleep(Duration::from_millis(300)).await;
        shutdown.request();
        let (answer, _) = rest(&mut client).await;
        assert!(answer.ends_with("late"), "{answer}");
    }
}
