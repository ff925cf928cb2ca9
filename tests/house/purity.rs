//! What the sources of pure rooms must not name. The rooms' own clippy.toml
//! forbids most of it by type; this net also catches what a lint cannot see,
//! and that a clippy.toml goes missing.

use std::fs;

const PURE: &[&str] = &[
    "node/chain",
    "node/protocol",
    "node/sim",
    "node/api",
    "node/wallet",
    "orchestrator/blueprint",
    "orchestrator/scenario",
];

const FORBIDDEN: &[&str] = &[
    "std::fs",
    "std::process",
    "std::thread",
    "std::env",
    "std::io::std",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "SystemTime",
    "Instant",
    "HashMap",
    "HashSet",
    "thread_rng",
    "getrandom",
    "tokio",
    "tracing::",
    "println!",
    "eprintln!",
    "cfg(not(test))",
];

#[test]
fn pure_rooms_touch_no_clock_file_socket_thread_or_hash_map() {
    let mut broken = Vec::new();
    for room in PURE {
        for path in crate::tracked(&format!("{room}/src")) {
            let text = fs::read_to_string(&path).expect("sources are UTF-8");
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for word in FORBIDDEN.iter().filter(|word| code.contains(**word)) {
                    broken.push(format!("{}:{}: {word}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_pure_room_has_its_own_clippy_laws() {
    for room in PURE {
        let path = crate::root().join(room).join("clippy.toml");
        let text = fs::read_to_string(&path).expect("each pure room has a clippy.toml");
        for ban in [
            "HashMap",
            "Instant",
            "SystemTime",
            "TcpStream",
            "fs::File",
            "thread::spawn",
        ] {
            assert!(text.contains(ban), "{} does not ban {ban}", path.display());
        }
    }
}
