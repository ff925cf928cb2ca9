//! Which files a binary needs in an otherwise empty image.
//!
//! The binary's own headers name the loader and say whether there is one at
//! all. Which library stands for which name is then asked of that loader
//! (`--list`, known to glibc and musl): it alone knows its search path, caches
//! and processor variants, and it answers without running the program.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use object::elf::{EM_386, EM_AARCH64, EM_ARM, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64};
use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _};

use crate::engine::{EngineError, ErrorKind};

/// Where the binary stands in the image; also the entry point.
pub const ENTRY: &str = "/minichain";

/// Where its libraries stand; the loader is told by [`SEARCH_ENV`].
pub const LIBRARIES: &str = "/usr/lib/minichain";

/// Tells the loader where to look first. It heeds it because nothing in the
/// image changes identity on execution.
pub const SEARCH_ENV: &str = "LD_LIBRARY_PATH";

/// A larger file is no node's binary.
const FILE_MAX_BYTES: u64 = 1 << 30;

/// Files of the image, by absolute path in it; programs and libraries are
/// executable.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Why a binary cannot go into an image.
#[derive(Debug)]
pub enum Unfit {
    /// Not made for Linux (macOS, Windows, a script).
    NotLinux,
    /// Made for another processor than the engine's.
    OtherProcessor {
        /// The binary's.
        binary: String,
        /// The engine's.
        engine: String,
    },
    /// The file cannot be read.
    Unreadable(io::Error),
    /// Its headers are damaged.
    Damaged(String),
    /// The loader did not find a library, or did not run.
    Loader(String),
}

/// Reads the binary at `path`, which shall stand at `entry` in the image, and
/// all it needs to run on `architecture` (in Go's words, as engines tell it).
pub fn collect(path: &Path, entry: &str, architecture: &str) -> Result<Files, Unfit> {
    let binary = read(path)?;
    let headers = headers(&binary, architecture)?;
    let mut files = Files::new();
    if let Some(loader) = headers {
        for library in libraries(&loader, path)? {
            files.insert(
                format!("{LIBRARIES}/{}", library.name),
                read(&library.path)?,
            );
        }
        files.insert(loader.display().to_string(), read(&loader)?);
    }
    files.insert(entry.to_owned(), binary);
    Ok(files)
}

impl Unfit {
    /// Whether building inside a container would help.
    pub fn needs_source(&self) -> bool {
        matches!(self, Self::NotLinux | Self::OtherProcessor { .. })
    }

    /// In words for the user.
    pub fn into_error(self, path: &Path) -> EngineError {
        let action = format!("making an image of {}", path.display());
        let remedy = if self.needs_source() {
            "Run devnet from within the source tree, which then builds the node in a container; \
             or build the image yourself (`docker build -f deploy/Dockerfile -t minichain:own .`) \
             and give `--image minichain:own`."
        } else {
            "Build it anew with `cargo build --release -p minichain-node`."
        };
        EngineError::new(ErrorKind::Program, action, self).remedy(remedy)
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLinux => f.write_str("it is not a 64-bit Linux binary"),
            Self::OtherProcessor { binary, engine } => {
                write!(f, "it is made for {binary}, the engine runs {engine}")
            }
            Self::Unreadable(error) => write!(f, "it cannot be read: {error}"),
            Self::Damaged(what) => write!(f, "its headers are damaged: {what}"),
            Self::Loader(what) => write!(f, "its libraries cannot be found: {what}"),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Unfit> {
    let size = fs::metadata(path).map_err(Unfit::Unreadable)?.len();
    if size > FILE_MAX_BYTES {
        return Err(Unfit::Damaged(format!(
            "{} has {size} bytes",
            path.display()
        )));
    }
    fs::read(path).map_err(Unfit::Unreadable)
}

/// The loader named in the binary; none if it is linked statically.
fn headers(binary: &[u8], architecture: &str) -> Result<Option<PathBuf>, Unfit> {
    if !binary.starts_with(b"\x7fELF") {
        return Err(Unfit::NotLinux);
    }
    let damaged = |error: object::Error| Unfit::Damaged(error.to_string());
    let file = ElfFile64::<object::Endianness>::parse(binary).map_err(|_| Unfit::NotLinux)?;
    let endian = file.endian();
    let machine = go_name(file.elf_header().e_machine(endian));
    if machine != architecture {
        let engine = architecture.to_owned();
        return Err(Unfit::OtherProcessor {
            binary: machine,
            engine,
        });
    }
    for header in file.elf_program_headers() {
        if let Some(name) = header.interpreter(endian, binary).map_err(damaged)? {
            let name = std::str::from_utf8(name)
                .map_err(|_| Unfit::Damaged("the loader's name is not text".into()))?;
            return Ok(Some(PathBuf::from(name)));
        }
    }
    Ok(None)
}

/// A processor as Go, and therefore engines, name it.
fn go_name(machine: u16) -> String {
    match machine {
        EM_X86_64 => "amd64".into(),
        EM_AARCH64 => "arm64".into(),
        EM_386 => "386".into(),
        EM_ARM => "arm".into(),
        EM_RISCV => "riscv64".into(),
        EM_PPC64 => "ppc64le".into(),
        EM_S390 => "s390x".into(),
        other => format!("ELF machine {other}"),
    }
}

/// A shared library: the name it is asked for by, and where it was found.
#[derive(Debug, PartialEq, Eq)]
struct Library {
    name: String,
    path: PathBuf,
}

fn libraries(loader: &Path, binary: &Path) -> Result<Vec<Library>, Unfit> {
    let answer = Command::new(loader)
        .arg("--list")
        .arg(binary)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Unfit::Loader(format!("{} did not run: {error}", loader.display())))?;
    if !answer.status.success() {
        let words = String::from_utf8_lossy(&answer.stderr);
        return Err(Unfit::Loader(words.trim().to_owned()));
    }
    parse_list(&String::from_utf8_lossy(&answer.stdout), loader)
}

/// Lines such as `libc.so.6 => /lib/libc.so.6 (0x7f…)`. Those without an arrow
/// are the loader itself and the kernel's own; musl names its loader, which is
/// also its C library, behind an arrow too.
fn parse_list(text: &str, loader: &Path) -> Result<Vec<Library>, Unfit> {
    let mut libraries = Vec::new();
    for line in text.lines() {
        let Some((name, found)) = line.trim().split_once(" => ") else {
            continue;
        };
        let path = found.rsplit_once(" (0x").map_or(found, |(path, _)| path);
        if !path.starts_with('/') {
            return Err(Unfit::Loader(format!("{name}: {found}")));
        }
        let is_loader = Path::new(path) == loader || Path::new(name) == loader;
        // A name with a folder is opened by exactly that path; there is none
        // in binaries that cargo builds.
        let name = Path::new(name).file_name().and_then(|name| name.to_str());
        if let (Some(name), false) = (name, is_loader) {
            libraries.push(Library {
                name: name.to_owned(),
                path: PathBuf::from(path),
            });
        }
    }
    Ok(libraries)
}

#[cfg(test)]
mod tests;
