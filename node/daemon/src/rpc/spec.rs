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

/// Parameters that are always text, even where they look like a number.
const TEXTS: &[&str] = &[
    "address",
    "blockhash",
    "command",
    "current_tip",
    "hash_type",
    "hexdata",
    "hexstring",
    "node",
    "subnet",
    "txid",
];
/// A longer number is a hash.
const NUMBER_LETTERS_MAX: usize = 20;

/// Whether a method takes text at this place.
pub fn is_text_parameter(method: &str, index: usize) -> bool {
    let spec = find(method, true);
    let name = spec.and_then(|spec| spec.params.get(index));
    name.is_some_and(|name| is_text_name(name))
}

/// Whether parameters of this name are text.
pub fn is_text_name(name: &str) -> bool {
    TEXTS.contains(&name)
}

/// Whether a word can be the number it looks like.
pub fn may_be_number(word: &str) -> bool {
    word.len() <= NUMBER_LETTERS_MAX
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
    /// Whether a call may wait for something to happen, for minutes.
    pub fn is_patient(&self) -> bool {
        matches!(
            self.name,
            method::GENERATE_TO_ADDRESS
                | method::SCAN_TXOUTSET
                | method::WAIT_FOR_BLOCK
                | method::WAIT_FOR_BLOCK_HEIGHT
                | method::WAIT_FOR_NEW_BLOCK
        )
    }

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
    ADD_NODE ("node", "command") 2 "Dials a peer. node: ip:port, host:port or a multiaddr, with or without /p2p/PEERID at its end. command: onetry dials once, now; add dials now and whenever nobody there is connected; remove ends that, for a configured address as well, and leaves the connection. Answers before the peer does; see getpeerinfo.";
    CLEAR_BANNED () 0 "Ends all bans.";
    DECODE_RAW_TRANSACTION ("hexstring", "iswitness") 1 "Decodes a transaction without looking at the chain.";
    DISCONNECT_NODE ("address", "nodeid") 0 "Closes all connections to a peer. address: as getpeerinfo shows it, where the peer listens, or its peer id; nodeid: the id of getpeerinfo, with an empty address. Configured and added peers are dialled again, and discovery may find others again; see setban.";
    GENERATE_TO_ADDRESS ("nblocks", "address", "maxtries") 2 "Mines blocks at once, whatever the miner's rate, and pays them to an address. Their hashes, fewer than asked for when maxtries (default 1000000) nonces are tried or 10 minutes are over. Meant for tests: blocks far ahead of the clock wait for it.";
    GET_BALANCE ("dummy", "minconf", "include_watchonly", "avoid_reuse") 0 "The node's own coins that can be spent: confirmed ones, and change that waits. dummy: \"*\" if given; minconf: blocks they must have at least (default 0).";
    GET_BALANCES () 0 "The node's own coins by how far along they are.";
    GET_BEST_BLOCK_HASH () 0 "The hash of the tip.";
    GET_BLOCK ("blockhash", "verbosity") 1 "A block by its hash. verbosity 0: hexadecimal; 1 (default): an object with the ids of its transactions; 2: with whole transactions.";
    GET_BLOCKCHAIN_INFO () 0 "A summary of the chain.";
    GET_BLOCK_COUNT () 0 "The height of the tip; the genesis block has 0.";
    GET_BLOCK_HASH ("height") 1 "The hash of the active chain's block at a height.";
    GET_BLOCK_HEADER ("blockhash", "verbose") 1 "A header by its hash, as an object, or in hexadecimal if verbose is false.";
    GET_BLOCK_STATS ("hash_or_height", "stats") 1 "Sums over a block: fees and fee rates in base units, sizes in bytes. stats: a list of names, to see only those.";
    GET_BLOCK_TEMPLATE ("template_request") 0 "What to mine on, as BIP22 and BIP23 have it. template_request: an object; mode may be \"template\". The coinbase is the miner's own: height first in its script, coinbasevalue at most in its outputs, and default_witness_commitment as one of them.";
    GET_CHAIN_TIPS () 0 "Every leaf of the block tree: the active tip and side branches.";
    GET_CONNECTION_COUNT () 0 "The number of peers.";
    GET_DIFFICULTY () 0 "Initial target divided by the tip's.";
    GET_MEMPOOL_ENTRY ("txid") 1 "A transaction that waits, with what it depends on.";
    GET_MEMPOOL_INFO () 0 "A summary of the transactions that wait.";
    GET_MINING_INFO () 0 "The state of mining.";
    GET_NET_TOTALS () 0 "Bytes from and to all peers since the start, counted as getpeerinfo counts those of one.";
    GET_NETWORK_INFO () 0 "A summary of the peer-to-peer side.";
    GET_NEW_ADDRESS ("label", "address_type") 0 "A fresh address of the node's own wallet, whose keys follow from the file miner.key. Labels are not kept; address_type may be bech32m.";
    GET_PEER_INFO () 0 "Every connected peer. bytessent and bytesrecv count what passed since it connected, over all its connections and inside their encryption: messages, their framing, pings and the upkeep of gossip; lastsend and lastrecv are when, in seconds since 1970, 0 for never.";
    GET_RAW_MEMPOOL ("verbose") 0 "The ids of the transactions that wait, best fee rate first; if verbose, an object with an entry for each.";
    GET_RAW_TRANSACTION ("txid", "verbosity", "blockhash") 1 "A transaction of the mempool, or of the block that is named; there is no index of all. verbosity 0 (default): hexadecimal; 1 or 2: an object.";
    GET_TXOUT ("txid", "n", "include_mempool") 2 "An unspent output, or null if there is none. include_mempool (default true): also see transactions that wait.";
    GET_TXOUTSET_INFO ("hash_type", "hash_or_height") 0 "A summary of the set of unspent outputs, with its MuHash3072; hash_type may be muhash or none. hash_or_height: as it was at this block of the active chain, at most 1,000 blocks back; the tip if not given.";
    GET_WALLET_INFO () 0 "The state of the node's own wallet.";
    HELP ("command") 0 "Lists all methods, or explains one.";
    INVALIDATE_BLOCK ("blockhash") 1 "Treats a block as if it broke a rule, until it is reconsidered: it and all above it leave the chain, the best of what remains takes over. Peers that follow it are not blamed.";
    LIST_BANNED () 0 "Every ban in force, with its times in seconds since 1970.";
    LIST_UNSPENT ("minconf", "maxconf", "addresses", "include_unsafe", "query_options") 0 "The node's own coins one by one. minconf (default 1), maxconf: blocks they must and may have; addresses: only theirs; include_unsafe (default true): also what its payer could take back.";
    RECONSIDER_BLOCK ("blockhash") 1 "Gives a block, and all below and above it, another chance.";
    SCAN_BLOCKS ("action", "scanobjects", "start_height", "stop_height", "filtertype", "options") 1 "Which blocks of the active chain pay or spend some locks. action: \"start\"; scanobjects: a list of addr(ADDRESS) and raw(HEXADECIMAL). A call looks for some seconds; where completed is false, ask again from to_height + 1 on.";
    SCAN_MEMPOOL ("scanobjects") 1 "The transactions that wait and pay or spend some locks, as for scanblocks, with what a wallet must know besides: the tip, the prefix of addresses, the maturity of rewards and the least fee. Bitcoin Core has no such method.";
    SCAN_TXOUTSET ("action", "scanobjects") 1 "Finds all coins of some locks by reading every coin, beside the chain. action: start, abort or status. scanobjects: descriptors, addr(ADDRESS), raw(HEX) or rawtr(KEY), at most 1,000, as texts or as {\"desc\": ...}. One scan at a time, 100,000 coins found at most.";
    SEND_RAW_TRANSACTION ("hexstring") 1 "Checks a signed transaction, keeps it for mining and passes it on. Its id.";
    SEND_TO_ADDRESS ("address", "amount", "comment", "comment_to", "subtractfeefromamount", "replaceable", "conf_target", "estimate_mode", "avoid_reuse", "fee_rate", "verbose") 2 "Pays an address from the node's own coins. amount: in coins; subtractfeefromamount: the fee goes off it; fee_rate: base units a virtual byte, the node's least if not given. The transaction's id.";
    SET_BAN ("subnet", "command", "bantime", "absolute") 2 "Keeps a peer out, both ways, over a restart as well. subnet: an IP address, a network such as 10.0.0.0/8, or a peer id. command: add or remove. bantime: in seconds, 86400 if not given or 0; with absolute: the end, in seconds since 1970. At most 1,024 at once.";
    STOP () 0 "Ends the node.";
    SUBMIT_BLOCK ("hexdata", "dummy") 1 "Hands in a block: null if it is kept, else why it is refused, as BIP22 has it.";
    TEST_MEMPOOL_ACCEPT ("rawtxs", "maxfeerate") 1 "Whether the mempool would take signed transactions, at most 25, parents before children; each as if those before it had entered. maxfeerate: coins for 1,000 virtual bytes, 0.1 if not given, 0 for no limit.";
    UPTIME () 0 "Seconds since the node started.";
    VALIDATE_ADDRESS ("address") 1 "Whether a text is an address of this network, and what it stands for.";
    WAIT_FOR_BLOCK ("blockhash", "timeout") 1 "Waits until a block is the tip. timeout: in milliseconds; 0 (default) and more than 10 minutes mean 10 minutes. The tip by then.";
    WAIT_FOR_BLOCK_HEIGHT ("height", "timeout") 1 "Waits until the chain is at least so high. timeout: as for waitforblock. The tip by then.";
    WAIT_FOR_NEW_BLOCK ("timeout", "current_tip") 0 "Waits until the tip is another one than now, or than current_tip. timeout: as for waitforblock. The tip by then.";
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
