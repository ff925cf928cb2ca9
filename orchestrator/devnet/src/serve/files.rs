//! The files of the page, as they were when the program was built.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// What `/` is.
const START: &str = "index.html";

/// The file at that path, which begins with a slash.
pub fn answer(path: &str) -> Response {
    let name = match path.trim_start_matches('/') {
        "" => START,
        name => name,
    };
    let found = FILES.iter().find(|(path, _)| *path == name);
    match found {
        Some((name, bytes)) => ([(header::CONTENT_TYPE, kind(name))], *bytes).into_response(),
        None => (StatusCode::NOT_FOUND, "there is no such page\n").into_response(),
    }
}

/// The media type of a file, by the end of its name.
fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        Some("png") => "image/png",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_and_its_parts_are_found_and_nothing_else() {
        let status = |path| answer(path).status();
        assert_eq!(status("/"), StatusCode::OK);
        assert_eq!(status("/js/boot.js"), StatusCode::OK);
        for path in ["/js", "/../Cargo.toml", "/js/../index.html", "/x"] {
            assert_eq!(status(path), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn no_file_asks_for_anything_elsewhere() {
        for (name, bytes) in FILES {
            let text = String::from_utf8_lossy(bytes);
            let foreign = text
                .split("https://")
                .skip(1)
                .chain(text.split("http://").skip(1));
            for rest in foreign {
                let rest: String = rest.chars().take(30).collect();
                // A namespace is a name, nothing that is fetched.
                assert!(rest.starts_with("www.w3.org/"), "{name}: {rest}");
            }
            assert_ne!(kind(name), "text/plain; charset=utf-8", "{name}");
        }
    }

    /// Scripts that a script imports before it runs.
    fn imports(script: &str) -> Vec<String> {
        let path = format!("js/{script}");
        let found = FILES.iter().find(|(name, _)| *name == path);
        let (_, bytes) = found.unwrap_or_else(|| panic!("there is no {path}"));
        let text = String::from_utf8_lossy(bytes);
        let lines = text.lines().filter(|line| line.starts_with("import "));
        let named = lines.filter_map(|line| line.split("from './").nth(1)?.strip_suffix("';"));
        named.map(str::to_owned).collect()
    }

    #[test]
    fn all_scripts_that_the_page_begins_with_are_asked_for_at_once() {
        let mut wanted = vec!["main.js".to_owned()];
        let mut at = 0;
        while let Some(script) = wanted.get(at) {
            let more = imports(script);
            at += 1;
            for script in more {
                if !wanted.contains(&script) {
                    wanted.push(script);
                }
            }
        }
        let start = FILES.iter().find(|(name, _)| *name == START);
        let text = String::from_utf8_lossy(start.expect("there is a start").1);
        let named = text.split("rel=\"modulepreload\" href=\"/js/").skip(1);
        let mut named: Vec<String> = named
            .filter_map(|rest| Some(rest.split('"').next()?.to_owned()))
            .collect();
        wanted.sort();
        named.sort();
        assert!(named.len() > 10, "{named:?}");
        assert_eq!(named, wanted);
    }

    #[test]
    fn scripts_stay_short() {
        for (name, bytes) in FILES {
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
            assert!(lines < 400, "{name}: {lines} lines");
        }
    }
}
