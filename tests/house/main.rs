//! The laws of the house: who may import whom, what pure rooms must not touch,
//! how long a file may be, what stands at the root, what a build makes.

mod files;
mod imports;
mod metrics;
mod programs;
mod purity;
mod rules;
mod supply;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests package stands one folder below the root")
        .to_path_buf()
}

/// Every file below `folder` that git tracks or would track.
fn tracked(folder: &str) -> Vec<PathBuf> {
    let out = std::process::Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "--",
            folder,
        ])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    assert!(
        out.status.success(),
        "git ls-files failed: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    let text = String::from_utf8(out.stdout).expect("file names are UTF-8");
    let files: Vec<PathBuf> = text.lines().map(|line| root().join(line)).collect();
    files.into_iter().filter(|path| path.is_file()).collect()
}
