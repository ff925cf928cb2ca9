//! The words that a wallet's keys follow from (BIP 39, English list).

use std::fmt;

use bip39::{Language, Mnemonic};
use zeroize::Zeroizing;

/// A checked phrase of 12 to 24 words.
#[derive(Clone, PartialEq, Eq)]
pub struct Phrase {
    /// What the words stand for; overwritten when dropped.
    entropy: Zeroizing<Vec<u8>>,
}

/// Why words are no phrase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    /// Only 12, 15, 18, 21 or 24 words make a phrase.
    #[error("a phrase has 12, 15, 18, 21 or 24 words, not {words}: check that none is missing")]
    WordCount {
        /// Words found.
        words: usize,
    },
    /// A word that is not in the list.
    #[error("word {position} is not in the English word list of BIP 39: check its spelling")]
    UnknownWord {
        /// Position of the word, from 1. The word itself is kept out of logs.
        position: usize,
    },
    /// The last word carries a checksum of the others.
    #[error("the words do not fit together: one is wrong, or two are swapped")]
    Checksum,
    /// Entropy of another length.
    #[error("a phrase is made from 16, 20, 24, 28 or 32 random bytes, not {bytes}")]
    EntropyLength {
        /// Bytes given.
        bytes: usize,
    },
}

impl Phrase {
    /// The phrase that stands for this entropy: 16 bytes make 12 words, 32 make
    /// 24.
    ///
    /// # Errors
    /// [`PhraseError::EntropyLength`].
    pub fn from_entropy(entropy: &[u8]) -> Result<Self, PhraseError> {
        match Mnemonic::from_entropy_in(Language::English, entropy) {
            Ok(_) => Ok(Self {
                entropy: Zeroizing::new(entropy.to_vec()),
            }),
            Err(_) => Err(PhraseError::EntropyLength {
                bytes: entropy.len(),
            }),
        }
    }

    /// Reads words, in either case and with any space between them.
    ///
    /// # Errors
    /// [`PhraseError`], one variant per cause.
    pub fn parse(text: &str) -> Result<Self, PhraseError> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let line = Zeroizing::new(words.join(" "));
        let parsed = Mnemonic::parse_in_normalized(Language::English, &line);
        let words = parsed.map_err(|error| match error {
            bip39::Error::UnknownWord(index) => PhraseError::UnknownWord {
                position: index + 1,
            },
            bip39::Error::InvalidChecksum => PhraseError::Checksum,
            _ => PhraseError::WordCount { words: words.len() },
        })?;
        Ok(Self {
            entropy: Zeroizing::new(words.to_entropy()),
        })
    }

    /// What the phrase stands for.
    #[must_use]
    pub fn entropy(&self) -> &[u8] {
        &self.entropy
    }

    /// The words, one space between them. Whoever reads them owns the coins.
    #[must_use]
    pub fn words(&self) -> Zeroizing<String> {
        let words = self.mnemonic().map(|mnemonic| mnemonic.to_string());
        Zeroizing::new(words.unwrap_or_default())
    }

    /// The seed of BIP 32's tree. `passphrase` is BIP 39's optional extra word;
    /// wallets here use none.
    #[must_use]
    pub fn seed(&self, passphrase: &str) -> Zeroizing<[u8; 64]> {
        let seed = self.mnemonic();
        let seed = seed.map(|mnemonic| mnemonic.to_seed_normalized(passphrase));
        Zeroizing::new(seed.unwrap_or([0; 64]))
    }

    /// There always is one: the entropy was checked.
    fn mnemonic(&self) -> Option<Mnemonic> {
        Mnemonic::from_entropy_in(Language::English, &self.entropy).ok()
    }
}

/// Shows how many words there are, and none of them.
impl fmt::Debug for Phrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Phrase")
            .field("words", &(self.entropy.len() * 3 / 4))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWELVE: &str =
        "legal winner thank year wave sausage worth useful legal winner thank yellow";

    #[test]
    fn words_survive_case_and_space() {
        let shouted = format!("  {}\n", TWELVE.to_uppercase().replace(' ', "\t "));
        let phrase = Phrase::parse(&shouted).unwrap();
        assert_eq!(phrase.words().as_str(), TWELVE);
        let again = Phrase::from_entropy(phrase.entropy()).unwrap();
        assert_eq!(again, phrase);
    }

    #[test]
    fn mistakes_are_told_apart() {
        let wrong = |text: &str| Phrase::parse(text).unwrap_err();
        assert_eq!(wrong(""), PhraseError::WordCount { words: 0 });
        assert_eq!(
            wrong("legal winner thank"),
            PhraseError::WordCount { words: 3 }
        );
        assert_eq!(
            wrong(&TWELVE.replace("wave", "wavy")),
            PhraseError::UnknownWord { position: 5 }
        );
        assert_eq!(
            wrong(&TWELVE.replace("yellow", "legal")),
            PhraseError::Checksum
        );
        assert_eq!(
            Phrase::from_entropy(&[0; 15]),
            Err(PhraseError::EntropyLength { bytes: 15 })
        );
    }

    #[test]
    fn debug_shows_no_word() {
        let shown = format!("{:?}", Phrase::parse(TWELVE).unwrap());
        assert!(shown.contains("12") && !shown.contains("legal"), "{shown}");
    }
}
