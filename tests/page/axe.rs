//! axe-core, which checks accessibility rules; installed for the tests only.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use minichain_tests::tools;

/// Its script; none at a desk where it cannot be installed.
pub fn script() -> Option<String> {
    match install() {
        Ok(script) => Some(script),
        Err(why) => {
            tools::missing(&format!("accessibility rules need axe-core by pip: {why}"));
            None
        }
    }
}

fn install() -> Result<String, String> {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("page/requirements.txt");
    let folder = target().join("axe");
    let script = folder.join("axe_playwright_python/axe.min.js");
    let wanted = fs::read_to_string(&requirements).map_err(|error| error.to_string())?;
    let stamp = folder.join("requirements.txt");
    if !fs::read_to_string(&stamp).is_ok_and(|had| had == wanted) {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"])
            .args([
                "--disable-pip-version-check",
                "--require-hashes",
                "--target",
            ])
            .arg(&folder)
            .arg("-r")
            .arg(&requirements);
        let out = pip.output().map_err(|error| error.to_string())?;
        if !out.status.success() {
            return Err(tools::said(&out));
        }
        fs::write(&stamp, wanted).map_err(|error| error.to_string())?;
    }
    fs::read_to_string(&script).map_err(|error| error.to_string())
}

/// The target folder of this build.
fn target() -> PathBuf {
    let test = env::current_exe().expect("the running test has a path");
    let target = test.ancestors().nth(3).expect("target/profile/deps/test");
    target.to_path_buf()
}
