//! What a binary needs, asked of real binaries and of recorded answers.

use super::*;

#[cfg(target_arch = "x86_64")]
const HERE: &str = "amd64";
#[cfg(target_arch = "aarch64")]
const HERE: &str = "arm64";

fn names(list: &[Library]) -> Vec<String> {
    list.iter()
        .map(|library| format!("{}={}", library.name, library.path.display()))
        .collect()
}

#[test]
fn glibcs_list_is_understood() {
    let text = "\tlinux-vdso.so.1 (0x00007ffd2f5d2000)\n\
        \tlibgcc_s.so.1 => /lib/x86_64-linux-gnu/libgcc_s.so.1 (0x00007f2ad1a2c000)\n\
        \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2ad184b000)\n\
        \t/lib64/ld-linux-x86-64.so.2 (0x00007f2ad1d1a000)\n";
    let list = parse_list(text, Path::new("/lib64/ld-linux-x86-64.so.2")).unwrap();
    assert_eq!(
        names(&list),
        [
            "libgcc_s.so.1=/lib/x86_64-linux-gnu/libgcc_s.so.1",
            "libc.so.6=/lib/x86_64-linux-gnu/libc.so.6"
        ]
    );
}

#[test]
fn musls_list_names_its_loader_twice_and_it_is_taken_once() {
    let text = "\t/lib/ld-musl-x86_64.so.1 (0x7f0f3b0d0000)\n\
        \tlibgcc_s.so.1 => /usr/lib/libgcc_s.so.1 (0x7f0f3b0b0000)\n\
        \tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f0f3b0d0000)\n";
    let list = parse_list(text, Path::new("/lib/ld-musl-x86_64.so.1")).unwrap();
    assert_eq!(names(&list), ["libgcc_s.so.1=/usr/lib/libgcc_s.so.1"]);
}

#[test]
fn a_library_that_is_missing_is_named() {
    let text = "\tlibodd.so.3 => not found\n";
    let error = parse_list(text, Path::new("/lib/ld.so")).unwrap_err();
    assert!(error.to_string().contains("libodd.so.3"), "{error}");
}

#[test]
#[cfg(target_os = "linux")]
fn this_very_program_comes_with_its_loader_and_libraries() {
    let own = std::env::current_exe().unwrap();
    let files = collect(&own, ENTRY, HERE).unwrap();
    assert_eq!(files[ENTRY], fs::read(&own).unwrap());
    let is_library = |path: &&String| path.starts_with(LIBRARIES);
    let loader = files
        .keys()
        .find(|path| *path != ENTRY && !is_library(path));
    let libraries = files.keys().filter(is_library).count();
    // A static test program needs neither, a dynamic one both.
    assert_eq!(loader.is_some(), libraries > 0, "{:?}", files.keys());
}

#[test]
#[cfg(target_os = "linux")]
fn a_binary_for_another_processor_is_refused() {
    let own = std::env::current_exe().unwrap();
    let unfit = collect(&own, ENTRY, "sparc").unwrap_err();
    assert!(matches!(&unfit, Unfit::OtherProcessor { engine, .. } if engine == "sparc"));
    assert!(unfit.needs_source());
}

#[test]
fn what_is_no_linux_binary_is_refused_with_a_way_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("minichain");
    for bytes in [
        &b""[..],
        b"#!/bin/sh\n",
        b"\xcf\xfa\xed\xfe\x07\x00\x00\x01",
        b"\x7fELF\x01",
    ] {
        fs::write(&path, bytes).unwrap();
        let unfit = collect(&path, ENTRY, "amd64").unwrap_err();
        assert!(matches!(unfit, Unfit::NotLinux), "{bytes:?}: {unfit}");
        let error = unfit.into_error(&path);
        assert_eq!(error.kind, ErrorKind::Program);
        assert!(error.remedy.contains("deploy/Dockerfile"), "{error}");
    }
}

#[test]
fn a_missing_file_is_an_error_not_a_panic() {
    let unfit = collect(Path::new("/nonexistent/minichain"), ENTRY, "amd64").unwrap_err();
    assert!(matches!(unfit, Unfit::Unreadable(_)));
}

proptest::proptest! {
    #[test]
    fn damaged_headers_never_panic(
        cut in 0_usize..4096,
        at in 0_usize..512,
        value in proptest::prelude::any::<u8>(),
    ) {
        let own = fs::read("/proc/self/exe").unwrap_or_default();
        let mut bytes = own.get(..cut.min(own.len())).unwrap_or_default().to_vec();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = value;
        }
        let _ = headers(&bytes, "amd64");
    }
}
