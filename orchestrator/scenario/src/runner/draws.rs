//! Draws that depend on the seed and the step alone.
//!
//! A step is known by what it says, not by its number, so that taking another
//! step out of the file moves no draw of this one.

use std::collections::BTreeMap;

use rand_core::SeedableRng as _;

use crate::model::{Step, Verb};
use crate::resolve::Dice;

/// The generator for one purpose of one step.
pub(super) fn dice(seed: u64, purpose: &str, key: &str) -> Dice {
    let mut bytes = [0_u8; 32];
    for (lane, chunk) in (0_u64..).zip(bytes.chunks_mut(8)) {
        let text = format!("{seed}/{lane}/{purpose}/{key}");
        chunk.copy_from_slice(&mixed(fnv(&text)).to_le_bytes());
    }
    Dice::from_seed(bytes)
}

/// A key for each of these steps, unique among them: what the step says, and
/// which of equal steps it is. A step that holds others goes by its title or
/// verb alone, so that a change inside does not rename it.
pub(super) fn keys(steps: &[Step]) -> Vec<String> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut keys = Vec::with_capacity(steps.len());
    for step in steps {
        let word = step.verb.word();
        let said = match (&step.verb, &step.title) {
            (Verb::Parallel(_) | Verb::Sequence(_) | Verb::Repeat(_) | Verb::Always(_), title) => {
                title.as_ref().map_or(String::new(), Clone::clone)
            }
            (verb, _) => format!("{:016x}", fnv(&format!("{verb:?}"))),
        };
        let key = format!("{word}:{said}");
        let count = seen.entry(key.clone()).or_default();
        keys.push(format!("{key}:{count}"));
        *count += 1;
    }
    keys
}

/// A digest of texts in a given order, 16 hexadecimal digits.
pub(super) fn digest<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let folded = texts.fold(0_u64, |sum, text| mixed(sum ^ fnv(text)));
    format!("{folded:016x}")
}

/// FNV-1a.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The finaliser of SplitMix64: every bit of the input moves every bit of the
/// output.
const fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use rand_core::Rng as _;

    use super::*;
    use crate::model::Selector;

    fn step(verb: Verb) -> Step {
        Step {
            title: None,
            timeout: None,
            lasts: None,
            verb,
        }
    }

    #[test]
    fn taking_a_step_out_leaves_the_keys_of_others() {
        let kill = step(Verb::Kill(Selector::named("a")));
        let stop = step(Verb::Stop(Selector::named("b")));
        let group = step(Verb::Sequence(vec![kill.clone()]));
        let all = keys(&[kill.clone(), stop.clone(), group.clone()]);
        assert_eq!(keys(&[stop.clone(), group.clone()]), all[1..]);
        assert_eq!(
            keys(&[kill.clone(), group]),
            [all[0].clone(), all[2].clone()]
        );
        let twice = keys(&[kill.clone(), kill]);
        assert_ne!(twice[0], twice[1]);
    }

    #[test]
    fn draws_depend_on_seed_purpose_and_step() {
        let first = |seed, purpose, key| dice(seed, purpose, key).next_u64();
        assert_eq!(first(1, "act", "x"), first(1, "act", "x"));
        assert_ne!(first(1, "act", "x"), first(2, "act", "x"));
        assert_ne!(first(1, "act", "x"), first(1, "choice", "x"));
        assert_ne!(first(1, "act", "x"), first(1, "act", "y"));
    }
}
