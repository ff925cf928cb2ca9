//! Keys and addresses that follow from a seed (BIP 32), at the places BIP 86
//! gives to key-path outputs.
//!
//! The path is `m/86'/1'/0'/BRANCH/INDEX`: purpose 86 for taproot keys without
//! scripts, coin type 1 for networks whose coins are worth nothing (SLIP 44),
//! account 0; branch 0 for addresses that are given out, 1 for change. Any
//! wallet that knows BIP 86 finds the same keys from the same phrase.

use std::collections::BTreeMap;
use std::fmt;

use bip32::{ChildNumber, ExtendedPrivateKey};
use minichain_chain::address::{Address, AddressError};
use minichain_chain::script::Script;
use minichain_chain::signature::SecretKey;

/// Unused addresses in a row after which nobody looks further (BIP 44).
pub const GAP_LIMIT: u32 = 20;

/// Path of the account, in BIP 32's words.
pub const ACCOUNT_PATH: &str = "m/86'/1'/0'";

const PURPOSE: u32 = 86;
const COIN_TYPE: u32 = 1;
const ACCOUNT: u32 = 0;

/// Keys on one branch at most: what fits the file's bounds, and far more than
/// a person gives out.
pub const INDEX_MAX: u32 = 100_000;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Branch {
    /// Addresses that are given out.
    Receive,
    /// Change of own payments.
    Change,
    /// Keys that came from elsewhere, such as the one of a miner's rewards.
    Extra,
}

/// Which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The branch.
    pub branch: Branch,
    /// The number on it, from 0.
    pub index: u32,
}

/// Why a key could not be derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// One hash in 2^127 leads to no key (BIP 32).
    #[error("the seed leads to no key at this place: use another phrase")]
    NoKey,
    /// All numbers of a branch are used up.
    #[error("the wallet has given out all of its {INDEX_MAX} addresses: make a new wallet")]
    UsedUp,
    /// Too many addresses were given out that nobody paid.
    #[error(
        "{GAP_LIMIT} addresses in a row wait for their first payment, and a wallet restored from \
         the phrase looks no further: use one of them (`minichain wallet list`)"
    )]
    Gap,
}

type Tree = ExtendedPrivateKey<secp256k1::SecretKey>;

/// A seed's account, with every key that is looked out for.
pub struct Keyring {
    /// For receiving and for change; none where all keys came from elsewhere.
    branches: Option<[Tree; 2]>,
    extra: Vec<SecretKey>,
    /// Numbers given out or paid to, on the two branches.
    used: [u32; 2],
    /// Numbers whose keys are in the book.
    watched: [u32; 2],
    /// Numbers of the branch for receiving up to the last that was paid.
    paid: u32,
    book: BTreeMap<[u8; 32], Place>,
}

impl Keyring {
    /// The account of a seed of 16, 32 or 64 bytes. `extra` keys are looked out
    /// for too.
    ///
    /// # Errors
    /// [`KeyError::NoKey`], also for a seed of another length.
    pub fn new(seed: &[u8], extra: Vec<SecretKey>) -> Result<Self, KeyError> {
        let mut tree = Tree::new(seed).map_err(no_key)?;
        for number in [PURPOSE, COIN_TYPE, ACCOUNT] {
            tree = child(&tree, number, true)?;
        }
        let branches = [child(&tree, 0, false)?, child(&tree, 1, false)?];
        let mut keyring = Self {
            branches: Some(branches),
            ..Self::of_keys(extra)
        };
        keyring.watch_on()?;
        Ok(keyring)
    }

    /// These keys and no others. Change goes to the first of them.
    #[must_use]
    pub fn of_keys(keys: Vec<SecretKey>) -> Self {
        Self {
            branches: None,
            book: book_of(&keys),
            extra: keys,
            used: [0; 2],
            watched: [0; 2],
            paid: 0,
        }
    }

    /// The key at a place.
    ///
    /// # Errors
    /// [`KeyError::NoKey`].
    pub fn key(&self, place: Place) -> Result<SecretKey, KeyError> {
        let branches = self.branches.as_ref().ok_or(KeyError::NoKey);
        let branch = match place.branch {
            Branch::Receive => &branches?[0],
            Branch::Change => &branches?[1],
            Branch::Extra => {
                let extra = self.extra.get(place.index as usize);
                return extra.cloned().ok_or(KeyError::NoKey);
            }
        };
        let key = child(branch, place.index, false)?;
        SecretKey::from_bytes(key.to_bytes()).map_err(|_| KeyError::NoKey)
    }

    /// The address of a place on the network with this prefix.
    ///
    /// # Errors
    /// [`KeyError::NoKey`], or a prefix that is none.
    pub fn address(&self, place: Place, prefix: &str) -> Result<Address, AddressOfError> {
        Ok(Address::new(prefix, self.key(place)?.output_key())?)
    }

    /// Whose output this is, if it is one of ours.
    #[must_use]
    pub fn find(&self, lock: &Script) -> Option<Place> {
        self.book.get(&lock.is_p2tr()?).copied()
    }

    /// Every lock that is looked out for.
    pub fn locks(&self) -> impl Iterator<Item = Script> + '_ {
        self.book.keys().map(Script::p2tr)
    }

    /// Numbers given out or paid to, on branches `Receive` and `Change`.
    #[must_use]
    pub const fn used(&self) -> [u32; 2] {
        self.used
    }

    /// Notes a payment to a place. Whether that made the keyring look out for
    /// more keys.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn note_paid(&mut self, place: Place) -> Result<bool, KeyError> {
        let past = place.index.saturating_add(1).min(INDEX_MAX);
        match place.branch {
            Branch::Receive => {
                self.paid = self.paid.max(past);
                self.use_up_to(0, past)
            }
            Branch::Change => self.use_up_to(1, past),
            Branch::Extra => Ok(false),
        }
    }

    /// Marks the first numbers of both branches as given out, as a wallet
    /// remembers it.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn restore_used(&mut self, used: [u32; 2]) -> Result<(), KeyError> {
        for (at, past) in used.into_iter().enumerate() {
            self.use_up_to(at, past.min(INDEX_MAX))?;
        }
        Ok(())
    }

    /// Gives out a fresh address's place.
    ///
    /// # Errors
    /// [`KeyError::Gap`] when too many wait for their first payment.
    pub fn next_receive(&mut self) -> Result<Place, KeyError> {
        let index = self.used[0];
        if index >= self.paid.saturating_add(GAP_LIMIT) {
            return Err(KeyError::Gap);
        }
        self.give_out(Branch::Receive, index)
    }

    /// Like [`Keyring::next_receive`] for those who keep their own copy of the
    /// numbers given out, so that no gap hides a payment.
    ///
    /// # Errors
    /// [`KeyError::UsedUp`].
    pub fn next_receive_beyond_gap(&mut self) -> Result<Place, KeyError> {
        self.give_out(Branch::Receive, self.used[0])
    }

    /// The place for a payment's change. It counts as used once it is paid.
    ///
    /// # Errors
    /// [`KeyError::UsedUp`].
    pub const fn next_change(&self) -> Result<Place, KeyError> {
        let branch = match self.branches {
            Some(_) if self.used[1] >= INDEX_MAX => return Err(KeyError::UsedUp),
            Some(_) => Branch::Change,
            None => Branch::Extra,
        };
        Ok(Place {
            branch,
            index: self.used[1],
        })
    }

    /// The last address that was given out and waits for its first payment, if
    /// there is one.
    #[must_use]
    pub fn waiting_receive(&self) -> Option<Place> {
        (self.used[0] > self.paid).then(|| Place {
            branch: Branch::Receive,
            index: self.used[0] - 1,
        })
    }

    fn give_out(&mut self, branch: Branch, index: u32) -> Result<Place, KeyError> {
        if self.branches.is_none() {
            return Err(KeyError::NoKey);
        }
        if index >= INDEX_MAX {
            return Err(KeyError::UsedUp);
        }
        self.use_up_to(0, index + 1)?;
        Ok(Place { branch, index })
    }

    fn use_up_to(&mut self, at: usize, past: u32) -> Result<bool, KeyError> {
        self.used[at] = self.used[at].max(past);
        self.watch_on()
    }

    /// Derives keys until a whole gap lies behind the last used one.
    fn watch_on(&mut self) -> Result<bool, KeyError> {
        let mut is_more = false;
        if self.branches.is_none() {
            return Ok(false);
        }
        for (at, branch) in [Branch::Receive, Branch::Change].into_iter().enumerate() {
            let wanted = self.used[at].saturating_add(GAP_LIMIT);
            for index in self.watched[at]..wanted {
                let place = Place { branch, index };
                self.book.insert(self.key(place)?.output_key(), place);
                is_more = true;
            }
            self.watched[at] = self.watched[at].max(wanted);
        }
        Ok(is_more)
    }
}

/// Why there is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressOfError {
    /// No key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A prefix that cannot stand in addresses.
    #[error(transparent)]
    Address(#[from] AddressError),
}

/// The path in BIP 32's words; extra keys have none.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let branch = match self.branch {
            Branch::Receive => 0,
            Branch::Change => 1,
            Branch::Extra => return write!(formatter, "key file"),
        };
        write!(formatter, "{ACCOUNT_PATH}/{branch}/{}", self.index)
    }
}

/// Shows how many keys there are, and none of them.
impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Keyring")
            .field("used", &self.used)
            .field("watched", &self.book.len())
            .finish_non_exhaustive()
    }
}

fn book_of(extra: &[SecretKey]) -> BTreeMap<[u8; 32], Place> {
    let numbered = extra.iter().zip(0..);
    let place = |index| Place {
        branch: Branch::Extra,
        index,
    };
    numbered
        .map(|(key, index)| (key.output_key(), place(index)))
        .collect()
}

fn child(tree: &Tree, number: u32, is_hardened: bool) -> Result<Tree, KeyError> {
    let number = ChildNumber::new(number, is_hardened).map_err(no_key)?;
    tree.derive_child(number).map_err(no_key)
}

fn no_key(_: bip32::Error) -> KeyError {
    KeyError::NoKey
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring() -> Keyring {
        Keyring::new(&[7; 64], Vec::new()).unwrap()
    }

    fn lock(keyring: &Keyring, branch: Branch, index: u32) -> Script {
        let key = keyring.key(Place { branch, index }).unwrap();
        Script::p2tr(&key.output_key())
    }

    #[test]
    fn a_whole_gap_is_looked_out_for() {
        let mut keyring = keyring();
        let last = lock(&keyring, Branch::Receive, GAP_LIMIT - 1);
        let beyond = lock(&keyring, Branch::Receive, GAP_LIMIT);
        let place = keyring.find(&last).unwrap();
        assert_eq!(keyring.find(&beyond), None);
        assert_eq!(keyring.note_paid(place), Ok(true));
        assert_eq!(
            keyring.find(&beyond).map(|place| place.index),
            Some(GAP_LIMIT)
        );
        assert_eq!(keyring.used(), [GAP_LIMIT, 0]);
        // The same payment again changes nothing.
        assert_eq!(keyring.note_paid(place), Ok(false));
    }

    #[test]
    fn addresses_are_given_out_up_to_the_gap() {
        let mut keyring = keyring();
        assert_eq!(keyring.waiting_receive(), None);
        for index in 0..GAP_LIMIT {
            assert_eq!(keyring.next_receive().unwrap().index, index);
        }
        assert_eq!(keyring.next_receive(), Err(KeyError::Gap));
        let third = Place {
            branch: Branch::Receive,
            index: 2,
        };
        keyring.note_paid(third).unwrap();
        assert_eq!(keyring.next_receive().unwrap().index, GAP_LIMIT);
        assert_eq!(
            keyring.next_receive_beyond_gap().unwrap().index,
            GAP_LIMIT + 1
        );
    }

    #[test]
    fn change_moves_on_when_it_is_paid() {
        let mut keyring = keyring();
        let first = keyring.next_change().unwrap();
        assert_eq!(keyring.next_change().unwrap(), first);
        keyring.note_paid(first).unwrap();
        assert_eq!(keyring.next_change().unwrap().index, 1);
    }

    #[test]
    fn extra_keys_are_found_and_sign() {
        let key = SecretKey::from_bytes([9; 32]).unwrap();
        let keyring = Keyring::new(&[7; 64], vec![key.clone()]).unwrap();
        let place = keyring.find(&Script::p2tr(&key.output_key())).unwrap();
        assert_eq!((place.branch, place.index), (Branch::Extra, 0));
        assert_eq!(keyring.key(place).unwrap(), key);
    }

    #[test]
    fn keys_without_a_tree_get_their_change_back() {
        let key = SecretKey::from_bytes([9; 32]).unwrap();
        let mut keyring = Keyring::of_keys(vec![key.clone()]);
        assert_eq!(keyring.key(keyring.next_change().unwrap()).unwrap(), key);
        assert_eq!(keyring.locks().count(), 1);
        assert_eq!(keyring.next_receive(), Err(KeyError::NoKey));
        let change = keyring.next_change().unwrap();
        assert_eq!(keyring.note_paid(change), Ok(false));
        assert_eq!(keyring.next_change().unwrap(), change);
    }

    #[test]
    fn debug_shows_no_key() {
        let keyring = keyring();
        let shown = format!("{keyring:?}");
        assert!(shown.contains("watched: 40"), "{shown}");
        assert!(shown.len() < 60, "{shown}");
    }
}
