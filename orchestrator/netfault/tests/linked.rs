//! The program as it was built: what it needs beside it.

use std::process::{Command, Stdio};

use object::elf::DT_NEEDED;
use object::read::elf::{Dyn as _, ElfFile64, ProgramHeader as _};

const PROGRAM: &str = env!("CARGO_BIN_EXE_devnet-netfault");
/// What the build script says it did.
const LINKED: &str = env!("DEVNET_NETFAULT_LINKED");

#[test]
fn it_needs_neither_loader_nor_libraries() {
    if LINKED != "static" {
        eprintln!("SKIPPED: the program is not linked statically: {LINKED}");
        // The machines that build releases have the archives.
        assert!(std::env::var_os("CI").is_none(), "{LINKED}");
        return;
    }
    let bytes = std::fs::read(PROGRAM).unwrap();
    let file = ElfFile64::<object::Endianness>::parse(bytes.as_slice()).unwrap();
    let endian = file.endian();
    let headers = file.elf_program_headers();
    assert!(!headers.is_empty());
    for header in headers {
        let loader = header.interpreter(endian, bytes.as_slice()).unwrap();
        assert_eq!(loader.map(String::from_utf8_lossy), None);
        let entries = header.dynamic(endian, bytes.as_slice()).unwrap();
        let entries = entries.unwrap_or_default().iter();
        let needed = entries.filter(|x| x.tag32(endian) == Some(DT_NEEDED));
        assert_eq!(needed.count(), 0, "it needs shared libraries");
    }
}

#[test]
fn it_answers_without_an_environment() {
    let help = Command::new(PROGRAM)
        .arg("--help")
        .env_clear()
        .output()
        .unwrap();
    assert!(help.status.success(), "{help:?}");
    assert!(String::from_utf8_lossy(&help.stdout).contains("Usage:"));
    // Its threads and sockets work as well: nothing listens on that port.
    let mut child = Command::new(PROGRAM)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let order = b"{\"probe\":{\"targets\":[\"127.0.0.1:1\"],\"timeout_ms\":200}}\n";
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), order).unwrap();
    let answer = child.wait_with_output().unwrap();
    assert!(answer.status.success(), "{answer:?}");
    let text = String::from_utf8_lossy(&answer.stdout);
    assert!(
        text.contains("127.0.0.1:1") || text.contains("probe"),
        "{text}"
    );
}
