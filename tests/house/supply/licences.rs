//! Which licences what we build on may have. Whoever takes our programs must be
//! able to do so under MIT or Apache-2.0 and the notices these ask for.

use super::tree::{Crate, of_everything, of_programs};

/// Licences that ask for a notice at most.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates under other terms that only tests use, and why these are harmless.
const OF_TESTS: &[(&str, &str)] = &[
    (
        "auto_generate_cdp",
        "names no licence; its file is the MIT licence",
    ),
    ("hex_lit", "MITNFA: MIT that asks altered copies to say so"),
    (
        "webpki-roots",
        "CDLA-Permissive-2.0: data, for any use with its notice",
    ),
];

#[test]
fn what_programs_are_built_of_has_a_permissive_licence() {
    let refused = refused(of_programs());
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn what_tests_use_beside_it_has_one_or_a_reason() {
    let mut refused: Vec<String> = refused(of_everything())
        .into_iter()
        .map(|one| one.name)
        .collect();
    refused.sort();
    let listed: Vec<&str> = OF_TESTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(refused, listed, "refused licences, and those with a reason");
}

#[test]
fn terms_hold_as_they_are_written() {
    for fine in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(GPL-3.0 OR MIT) AND ISC",
        "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        "MIT AND (ISC OR (Zlib AND GPL-2.0))",
    ] {
        assert!(is_allowed(fine), "{fine}");
    }
    for bad in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "MIT OR",
        "(MIT",
        "MIT) OR MIT",
        "MIT MIT",
        "Apache-2.0 WITH Classpath-exception-2.0",
        "MIT AND (ISC AND GPL-2.0)",
    ] {
        assert!(!is_allowed(bad), "{bad}");
    }
}

fn refused(crates: impl IntoIterator<Item = Crate>) -> Vec<Crate> {
    let crates = crates.into_iter();
    crates.filter(|one| !is_allowed(&one.licence)).collect()
}

/// Whether an SPDX expression can be met with allowed licences alone. A slash
/// is an older way to write OR; what cannot be read is refused.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut terms = Terms { words: &words };
    let is_met = terms.any();
    is_met == Some(true) && terms.words.is_empty()
}

/// What is left to read.
struct Terms<'a> {
    words: &'a [&'a str],
}

impl<'a> Terms<'a> {
    fn next(&mut self, wanted: &str) -> bool {
        match self.words.split_first() {
            Some((word, rest)) if *word == wanted => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }

    fn word(&mut self) -> Option<&'a str> {
        let (word, rest) = self.words.split_first()?;
        self.words = rest;
        Some(word)
    }

    fn any(&mut self) -> Option<bool> {
        let mut is_met = self.all()?;
        while self.next("OR") {
            is_met |= self.all()?;
        }
        Some(is_met)
    }

    fn all(&mut self) -> Option<bool> {
        let mut is_met = self.one()?;
        while self.next("AND") {
            is_met &= self.one()?;
        }
        Some(is_met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.next("(") {
            let is_met = self.any()?;
            return self.next(")").then_some(is_met);
        }
        let mut name = self.word()?.to_owned();
        if self.next("WITH") {
            name = format!("{name} WITH {}", self.word()?);
        }
        Some(ALLOWED.contains(&name.as_str()))
    }
}
