//! Links the program statically where the C library's archives are at hand, so
//! that it needs nothing beside it in a node's image.
//!
//! On GNU targets `crt-static` works only with an explicit `--target`, which
//! would have to be known to everybody who builds. The linker is told instead:
//! `-static-pie`, and linker scripts of the names that the standard library
//! asks for, each of which stands for the archive. Without them the linker
//! quietly takes the shared ones, and the program would have no loader.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// Libraries that the standard library names, and the archives for them. Those
/// that an older or newer C library lacks are left out.
const LIBRARIES: [(&str, &str); 7] = [
    ("gcc_s", "gcc_eh"),
    ("c", "c"),
    ("m", "m"),
    ("pthread", "pthread"),
    ("dl", "dl"),
    ("rt", "rt"),
    ("util", "util"),
];

/// What no static program can do without.
const NEEDED: [&str; 2] = ["gcc_eh", "c"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let outcome = wish().and_then(|()| link_statically());
    // Tests hold the program to it.
    let how = match outcome {
        Ok(()) => "static".to_owned(),
        Err(why) => format!("not by this build: {why}"),
    };
    println!("cargo::rustc-env=DEVNET_NETFAULT_LINKED={how}");
}

/// Whether there is anything to do here.
fn wish() -> Result<(), String> {
    let of_target = |key: &str| env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if of_target("OS") != "linux" || of_target("ENV") != "gnu" {
        return Err("the target is not Linux with the GNU C library".into());
    }
    if of_target("FEATURE")
        .split(',')
        .any(|feature| feature == "crt-static")
    {
        return Err("the build asks for crt-static already".into());
    }
    let is_cross = env::var("TARGET") != env::var("HOST");
    if is_cross && env::var_os("RUSTC_LINKER").is_none() {
        return Err("the target is another one and no linker is named for it".into());
    }
    Ok(())
}

fn link_statically() -> Result<(), String> {
    let linker = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let linker = Path::new(&linker);
    if let Some(lacking) = NEEDED.iter().find(|name| !has_archive(linker, name)) {
        return Err(format!("{} has no lib{lacking}.a", linker.display()));
    }
    let folder = PathBuf::from(env::var_os("OUT_DIR").ok_or("there is no OUT_DIR")?);
    for (asked, archive) in LIBRARIES {
        if has_archive(linker, archive) {
            write_script(&folder, asked, archive).map_err(|error| error.to_string())?;
        }
    }
    println!("cargo::rustc-link-arg-bins=-L{}", folder.display());
    println!("cargo::rustc-link-arg-bins=-static-pie");
    Ok(())
}

/// A linker script in the place of the shared library. The C library and the
/// unwinder need each other, and the compiler's own helpers.
fn write_script(folder: &Path, asked: &str, archive: &str) -> io::Result<()> {
    let script = match archive {
        "c" | "gcc_eh" => "GROUP(-l:libc.a -l:libgcc_eh.a -l:libgcc.a)\n".to_owned(),
        other => format!("INPUT(-l:lib{other}.a)\n"),
    };
    fs::write(folder.join(format!("lib{asked}.so")), script)
}

/// The compiler answers with a path, or with the name itself if there is none.
fn has_archive(linker: &Path, name: &str) -> bool {
    let question = format!("-print-file-name=lib{name}.a");
    let Ok(answer) = Command::new(linker).arg(question).output() else {
        return false;
    };
    let path = String::from_utf8_lossy(&answer.stdout);
    Path::new(path.trim()).is_absolute()
}
