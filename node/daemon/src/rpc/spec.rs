//! Every method with its parameters and its help text.

use minichain_api::admin::method as admin;
use minichain_api::rpc::method;

/// What a method takes and does.
#[derive(Debug)]
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// Names of its parameters, in order.
    pub params: &'static [&'static str],
    /// How many of them must be given.
    pub required: usize,
    /// What it does, for `help`.
    pub help: &'static str,
}

/// The method of this name; those of fault injection only `with_admin`.
pub fn find(name: &str, with_admin: bool) -> Option<&'static Spec> {
    all(with_admin).find(|spec| spec.name == name)
}

/// All methods, one a line, in the order of their names, those of fault
/// injection behind the others.
pub fn overview(with_admin: bool) -> String {
    all(with_admin)
        .map(Spec::usage)
        .collect::<Vec<_>>()
        .join("\n")
}

fn all(with_admin: bool) -> impl Iterator<Item = &'static Spec> {
    let admin = if with_admin { ADMIN_SPECS } else { &[] };
    SPECS.iter().chain(admin)
}

/// The method of this name.
#[cfg(test)]
pub fn find_any(name: &str) -> Option<&'static Spec> {
    find(name, true)
}

impl Spec {
    /// Name and parameters, optional ones in brackets.
    pub fn usage(&self) -> String {
        let mut text = self.name.to_owned();
        for (index, param) in self.params.iter().enumerate() {
            text.push_str(&if index < self.required {
                format!(" {param}")
            } else {
                format!(" [{param}]")
            });
        }
        text
    }

    /// Usage and explanation.
    pub fn explanation(&self) -> String {
        format!("{}\n\n{}", self.usage(), self.help)
    }
}

macro_rules! specs {
    ($specs:ident $names:ident: $(
        $name:ident ($($param:literal),*) $required:literal $help:literal;
    )*) => {
        const $specs: &[Spec] = &[$(Spec {
            name: $names::$name, params: &[$($param),*], required: $required, help: $help,
        }),*];
    };
}

specs! { SPECS method:
    GET_BEST_BLOCK_HASH () 0 "The hash of the tip.";
    GET_BLOCK ("blockhash", "verbosity") 1 "A block by its hash. verbosity 0: hexadecimal; 1 (default): an object with the ids of its transactions; 2: with whole transactions.";
    GET_BLOCKCHAIN_INFO () 0 "A summary of the chain.";
    GET_BLOCK_COUNT () 0 "The height of the tip; the genesis block has 0.";
    GET_BLOCK_HASH ("height") 1 "The hash of the active chain's block at a height.";
    GET_BLOCK_HEADER ("blockhash", "verbose") 1 "A header by its hash, as an object, or in hexadecimal if verbose is false.";
    GET_CHAIN_TIPS () 0 "Every leaf of the block tree: the active tip and side branches.";
    GET_MEMPOOL_INFO () 0 "A summary of the transactions that wait.";
    GET_MINING_INFO () 0 "The state of mining.";
    GET_NETWORK_INFO () 0 "A summary of the peer-to-peer side.";
    GET_PEER_INFO () 0 "Every connected peer.";
    GET_RAW_MEMPOOL () 0 "The ids of the transactions that wait, best fee rate first.";
    GET_TXOUT ("txid", "n", "include_mempool") 2 "An unspent output, or null if there is none. include_mempool (default true): also see transactions that wait.";
    GET_TXOUTSET_INFO ("hash_type", "hash_or_height") 0 "A summary of the set of unspent outputs, with its MuHash3072; hash_type may be muhash or none. hash_or_height: as it was at this block of the active chain, at most 1,000 blocks back; the tip if not given.";
    HELP ("command") 0 "Lists all methods, or explains one.";
    SEND_RAW_TRANSACTION ("hexstring") 1 "Checks a signed transaction, keeps it for mining and passes it on. Its id.";
    STOP () 0 "Ends the node.";
    UPTIME () 0 "Seconds since the node started.";
}

specs! { ADMIN_SPECS admin:
    GET_ADMIN_INFO () 0 "Everything that was made worse on purpose: link conditions, clock offset, hash rate, disk quota.";
    PROBE_PEERS ("request") 1 "Sends a probe to each target and waits for its echo, all side by side. request: {\"targets\": [{\"peerid\": ..., \"address\": \"ip:port\"}], \"timeout_ms\": ..., \"payload_bytes\": 16 to 262144, 16 if not given}; a target with an address is dialled where it is not connected.";
    SET_CLOCK_OFFSET ("offset_ms") 1 "Sets how far the node's clock is ahead of the system's, in milliseconds; may be negative. The offset in force.";
    SET_CONDITIONS ("conditions") 1 "Replaces the conditions of all links. conditions: {\"links\": [{\"peerid\": ..., \"cut\": ..., \"latency_ms\": ..., \"jitter_ms\": ..., \"loss\": ..., \"rate_bytes_s\": ...}]}; a peer that is not named is free. The conditions in force.";
    SET_DISK_QUOTA ("quota_bytes") 0 "Sets how many bytes the data folder may hold; unlimited if not given. A commit that does not fit ends the node. The quota in force and the bytes held.";
    SET_HASH_RATE ("hashes_per_second") 1 "Sets the hashes a second the miner is throttled to; 0 idles it. The rate in force.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_api_is_specified() {
        let names: Vec<_> = SPECS.iter().map(|spec| spec.name).collect();
        assert_eq!(names, method::ALL);
        let names: Vec<_> = ADMIN_SPECS.iter().map(|spec| spec.name).collect();
        assert_eq!(names, admin::ALL);
        assert!(all(true).all(|spec| spec.required <= spec.params.len()));
    }

    #[test]
    fn methods_of_fault_injection_are_hidden_unless_asked_for() {
        for name in admin::ALL {
            assert!(find(name, false).is_none(), "{name}");
            assert!(find(name, true).is_some(), "{name}");
            assert!(!overview(false).contains(name), "{name}");
            assert!(overview(true).contains(name), "{name}");
        }
    }

    #[test]
    fn usage_shows_what_is_optional() {
        assert_eq!(
            find("gettxout", false).unwrap().usage(),
            "gettxout txid n [include_mempool]"
        );
        assert_eq!(overview(false).lines().count(), method::ALL.len());
    }
}
