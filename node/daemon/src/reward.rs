//! Where a miner's rewards go.

use minichain_api::config::NodeConfig;
use minichain_api::genesis::Owner;
use minichain_chain::address::Address;
use minichain_chain::hex;
use minichain_chain::params::{Params, dev_account_key};
use minichain_chain::signature::SecretKey;

use crate::exit::Failure;
use crate::genesis;

/// Where rewards go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reward {
    /// To the holder of this taproot output key.
    OutputKey([u8; 32]),
    /// To the key in the data folder.
    KeyFile,
}

/// What the configuration says: an address, a genesis account, or neither.
pub fn find(config: &NodeConfig, params: &Params) -> Result<Reward, Failure> {
    let mining = &config.mining;
    match (&mining.address, &mining.account) {
        (Some(address), _) => parse(address, params).map(Reward::OutputKey),
        (None, Some(account)) => of_account(account, params).map(Reward::OutputKey),
        (None, None) => Ok(Reward::KeyFile),
    }
}

/// The key of the account that rewards go to, where its seed is public: then the
/// node's own wallet holds it too.
pub fn account_key(config: &NodeConfig) -> Result<Option<SecretKey>, Failure> {
    let Some(account) = &config.mining.account else {
        return Ok(None);
    };
    let loaded;
    let genesis = match &config.genesis {
        Some(genesis) => genesis,
        None => {
            loaded = genesis::load(config.genesis_file.as_deref())?;
            &loaded
        }
    };
    let mut allocations = genesis.allocations.iter();
    let found = allocations.find(|allocation| allocation.account == *account);
    Ok(found.and_then(|allocation| match &allocation.owner {
        Owner::PublicSeed(seed) => {
            let seed = hex::decode_array(seed).ok()?;
            Some(dev_account_key(&seed, account))
        }
        Owner::Address(_) => None,
    }))
}

fn parse(text: &str, params: &Params) -> Result<[u8; 32], Failure> {
    Address::parse(&params.address_prefix, text)
        .map(|address| address.output_key())
        .map_err(|why| {
            Failure::bad_input(format!("configuration: mining.address: {text:?}: {why}"))
        })
}

fn of_account(account: &str, params: &Params) -> Result<[u8; 32], Failure> {
    let found = params
        .allocations
        .iter()
        .find(|allocation| allocation.account == account);
    found.map(|allocation| allocation.output_key).ok_or_else(|| {
        let names: Vec<_> = params.allocations.iter().map(|one| one.account.as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Failure::bad_input(format!(
            "configuration: mining.account: the genesis file has no account {account:?}; it has \
             {names}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(address: Option<&str>, account: Option<&str>) -> Result<Reward, String> {
        let params = genesis::params(&genesis::load(None).unwrap()).unwrap();
        let mut config = NodeConfig::default();
        config.mining.address = address.map(Into::into);
        config.mining.account = account.map(Into::into);
        find(&config, &params).map_err(|error| error.to_string())
    }

    #[test]
    fn address_account_or_key_file() {
        let Ok(Reward::OutputKey(key)) = with(None, Some("alice")) else {
            panic!("the built-in network has an account alice");
        };
        let address = Address::new("mini", key).unwrap().to_string();
        assert_eq!(with(Some(&address), None), Ok(Reward::OutputKey(key)));
        assert_eq!(with(None, None), Ok(Reward::KeyFile));
    }

    #[test]
    fn mistakes_are_named_with_what_there_is() {
        let error = with(None, Some("mallory")).unwrap_err();
        assert!(error.contains("faucet, alice, bob"), "{error}");
        let error = with(Some("mini1nonsense"), None).unwrap_err();
        assert!(error.contains("mining.address"), "{error}");
    }
}
