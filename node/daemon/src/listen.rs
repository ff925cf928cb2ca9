//! Sockets for the HTTP servers.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::exit::Failure;

/// Binds `address`; `what` and `flag` name the server and its setting in
/// errors. Returns the listener with the port the system chose.
pub async fn bind(
    address: SocketAddr,
    what: &str,
    flag: &str,
) -> Result<(TcpListener, SocketAddr), Failure> {
    let fail = |error: std::io::Error| Failure::world(explain(address, what, flag, &error));
    let listener = TcpListener::bind(address).await.map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    Ok((listener, bound))
}

/// What went wrong with a listening socket, and what to do.
pub fn explain(address: SocketAddr, what: &str, flag: &str, error: &std::io::Error) -> String {
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

#[cfg(test)]
mod tests {
    use super::bind;

    #[tokio::test]
    async fn occupied_port_is_named_with_the_way_out() {
        let any = "127.0.0.1:0".parse().unwrap();
        let (_held, address) = bind(any, "JSON-RPC", "--rpc-port").await.unwrap();
        let error = bind(address, "JSON-RPC", "--rpc-port")
            .await
            .unwrap_err()
            .to_string();
        for word in [
            &address.to_string(),
            "another program has it",
            "--rpc-port PORT",
        ] {
            assert!(error.contains(word), "{error}");
        }
    }
}
