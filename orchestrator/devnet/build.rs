//! Embeds the dashboards, the rules of Prometheus and the browser page, so that
//! the program needs no file beside it.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..");
    let mut code = String::new();
    for (name, folder, extension) in [
        ("DASHBOARDS", "dashboards", "json"),
        ("RULES", "deploy/prometheus/rules", "yml"),
    ] {
        let files = files(&root.join(folder), extension)?;
        writeln!(code, "/// Name and text of every file in `{folder}`.")?;
        writeln!(code, "pub const {name}: &[(&str, &str)] = &[")?;
        for file in files {
            let short = file.file_name().unwrap_or_default();
            writeln!(code, "    ({short:?}, include_str!({file:?})),")?;
        }
        writeln!(code, "];")?;
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("embedded.rs"), code)?;
    fs::write(out.join("page.rs"), page()?)?;
    Ok(())
}

/// Path and bytes of every file the page consists of.
fn page() -> Result<String, Box<dyn std::error::Error>> {
    let assets = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("assets");
    let mut code = String::from("/// Path below `/` and bytes of every file of the page.\n");
    code.push_str("pub const FILES: &[(&str, &[u8])] = &[\n");
    for (folder, mount) in [("page", ""), ("learn", "learn/")] {
        let root = assets.join(folder);
        for file in files_below(&root)? {
            let inside = file.strip_prefix(&root)?.display();
            let path = format!("{mount}{inside}");
            writeln!(code, "    ({path:?}, include_bytes!({file:?})),")?;
        }
    }
    code.push_str("];\n");
    Ok(code)
}

/// Every file of a folder and its folders, by path.
fn files_below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in entries(folder)? {
        match path.is_dir() {
            true => found.extend(files_below(&path)?),
            false => found.push(path),
        }
    }
    Ok(found)
}

/// The folder's own files of that kind, by name.
fn files(folder: &Path, extension: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut found = entries(folder)?;
    found.retain(|path| path.extension().is_some_and(|found| found == extension));
    found.iter().map(|path| path.canonicalize()).collect()
}

/// What stands in a folder, by name; nothing where this package stands without
/// its repository.
fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut found = entries.collect::<std::io::Result<Vec<_>>>()?;
    found.sort();
    Ok(found)
}
