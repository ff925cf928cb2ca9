//! The node's own wallet: keys that follow from `miner.key`, kept in memory
//! once somebody asks for it.
//!
//! Its tree of keys grows from a hash of that key, so that the key file is the
//! whole backup. How many addresses were given out stands in a file beside it;
//! where that is lost, a gap of 20 unused addresses is still found.

use std::io;
use std::path::{Path, PathBuf};

use minichain_chain::hash::tagged_hash;
use minichain_chain::signature::SecretKey;
use minichain_wallet::wallet::Wallet;
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

use super::{load_or_create, write_secret_file};
use crate::exit::Failure;

/// Name of the file that tells how many addresses were given out.
pub const USED_FILE: &str = "wallet.used";

const USED_FILE_BYTES_MAX: u64 = 64;
const SEED_TAG: &str = "minichain/node-wallet";

/// The node's own keys and coins.
pub struct NodeWallet {
    dir: PathBuf,
    account_key: Option<SecretKey>,
    opened: Mutex<Option<Wallet>>,
}

/// The wallet, while nobody else works with it.
pub type Opened<'a> = MappedMutexGuard<'a, Wallet>;

impl NodeWallet {
    /// The wallet of a data folder. Nothing is read before somebody asks.
    /// `account_key`: one more key that rewards go to.
    pub fn new(dir: &Path, account_key: Option<SecretKey>) -> Self {
        Self {
            dir: dir.to_owned(),
            account_key,
            opened: Mutex::default(),
        }
    }

    /// The wallet; opened, and made where there is none, by the first call.
    pub async fn open(&self) -> Result<Opened<'_>, Failure> {
        let mut opened = self.opened.lock().await;
        if opened.is_none() {
            *opened = Some(self.read()?);
        }
        MutexGuard::try_map(opened, Option::as_mut)
            .map_err(|_| Failure::world("the wallet did not stay open"))
    }

    /// Writes down how many addresses were given out.
    pub fn remember(&self, wallet: &Wallet) -> Result<(), Failure> {
        let [receive, change] = wallet.keyring.used();
        let text = format!("{receive} {change}\n");
        let path = self.dir.join(USED_FILE);
        write_secret_file(&path, text.as_bytes())
            .map_err(|why| Failure::world(format!("cannot write {}: {why}", path.display())))
    }

    fn read(&self) -> Result<Wallet, Failure> {
        let miner = load_or_create(&self.dir)?;
        let seed = tagged_hash(SEED_TAG, &[&miner.to_bytes()]);
        let extra = [Some(miner), self.account_key.clone()];
        let wallet = Wallet::new(&seed, extra.into_iter().flatten().collect());
        let mut wallet = wallet.map_err(Failure::world)?;
        let used = self.used()?;
        let restored = wallet.keyring.restore_used(used);
        restored.map_err(Failure::world)?;
        Ok(wallet)
    }

    fn used(&self) -> Result<[u32; 2], Failure> {
        let path = self.dir.join(USED_FILE);
        let text = match read_bounded(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok([0; 2]),
            Err(error) => {
                let path = path.display();
                return Err(Failure::world(format!("cannot read {path}: {error}")));
            }
        };
        let numbers: Option<Vec<u32>> = text
            .split_whitespace()
            .map(|one| one.parse().ok())
            .collect();
        numbers
            .and_then(|numbers| <[u32; 2]>::try_from(numbers).ok())
            .ok_or_else(|| {
                Failure::world(format!(
                    "{} is damaged: it holds two numbers of addresses given out; remove it to have \
                     them found in the chain, unpaid ones up to 20 in a row",
                    path.display()
                ))
            })
    }
}

fn read_bounded(path: &Path) -> io::Result<String> {
    if std::fs::metadata(path)?.len() > USED_FILE_BYTES_MAX {
        let why = "it is too long for two numbers";
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    std::fs::read_to_string(path)
}

#[cfg(test)]
mod tests {
    use minichain_wallet::keyring::{Branch, Place};

    use super::*;

    const FIRST: Place = Place {
        branch: Branch::Receive,
        index: 0,
    };

    #[tokio::test]
    async fn key_file_is_the_whole_backup() {
        let dir = tempfile::tempdir().unwrap();
        let wallet = NodeWallet::new(dir.path(), None);
        let opened = wallet.open().await.unwrap();
        let first = opened.keyring.key(FIRST).unwrap();
        drop(opened);
        let again = NodeWallet::new(dir.path(), None);
        let opened = again.open().await.unwrap();
        assert_eq!(opened.keyring.key(FIRST).unwrap(), first);
        let reward = Place {
            branch: Branch::Extra,
            index: 0,
        };
        let miner = load_or_create(dir.path()).unwrap();
        assert_eq!(opened.keyring.key(reward).unwrap(), miner);
        assert_ne!(miner, first);
    }

    #[tokio::test]
    async fn addresses_given_out_are_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let wallet = NodeWallet::new(dir.path(), None);
        let mut opened = wallet.open().await.unwrap();
        for _ in 0..30 {
            opened.keyring.next_receive_beyond_gap().unwrap();
        }
        wallet.remember(&opened).unwrap();
        drop(opened);
        let again = NodeWallet::new(dir.path(), None);
        assert_eq!(again.open().await.unwrap().keyring.used(), [30, 0]);
    }

    #[tokio::test]
    async fn damaged_numbers_are_refused_and_kept() {
        for text in ["", "1", "a b", "1 2 3", "1 -2"] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(USED_FILE);
            std::fs::write(&path, text).unwrap();
            let wallet = NodeWallet::new(dir.path(), None);
            let why = wallet.open().await.err().unwrap().to_string();
            assert!(why.contains("damaged"), "{text:?}: {why}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
