//! Method names.

macro_rules! methods {
    ($($(#[$doc:meta])* $constant:ident = $name:literal;)*) => {
        $($(#[$doc])* pub const $constant: &str = $name;)*

        /// Every method a node answers, sorted.
        pub const ALL: &[&str] = &[$($constant),*];
    };
}

methods! {
    /// Dials a peer, once or always, or no more.
    ADD_NODE = "addnode";
    /// Ends all bans.
    CLEAR_BANNED = "clearbanned";
    /// Decodes a transaction: [`super::RawTransaction`].
    DECODE_RAW_TRANSACTION = "decoderawtransaction";
    /// Closes all connections to a peer.
    DISCONNECT_NODE = "disconnectnode";
    /// Mines blocks, at once: their hashes.
    GENERATE_TO_ADDRESS = "generatetoaddress";
    /// The node's own coins together, ready to be spent.
    GET_BALANCE = "getbalance";
    /// The node's own coins by how far along they are: [`super::Balances`].
    GET_BALANCES = "getbalances";
    /// Hash of the tip.
    GET_BEST_BLOCK_HASH = "getbestblockhash";
    /// A block by hash; verbosity 0 (hex), 1 (ids) or 2 (transactions).
    GET_BLOCK = "getblock";
    /// Summary of the chain: [`super::BlockchainInfo`].
    GET_BLOCKCHAIN_INFO = "getblockchaininfo";
    /// Height of the tip.
    GET_BLOCK_COUNT = "getblockcount";
    /// Hash of the active chain's block at `height`.
    GET_BLOCK_HASH = "getblockhash";
    /// A header by hash; verbose or hex.
    GET_BLOCK_HEADER = "getblockheader";
    /// Sums over a block: [`super::BlockStats`].
    GET_BLOCK_STATS = "getblockstats";
    /// What to mine on: [`super::BlockTemplate`].
    GET_BLOCK_TEMPLATE = "getblocktemplate";
    /// Every leaf of the block tree: list of [`super::ChainTip`].
    GET_CHAIN_TIPS = "getchaintips";
    /// Number of peers.
    GET_CONNECTION_COUNT = "getconnectioncount";
    /// Initial target divided by the tip's.
    GET_DIFFICULTY = "getdifficulty";
    /// A transaction that waits: [`super::MempoolEntryInfo`].
    GET_MEMPOOL_ENTRY = "getmempoolentry";
    /// Summary of the mempool: [`super::MempoolInfo`].
    GET_MEMPOOL_INFO = "getmempoolinfo";
    /// Mining state: [`super::MiningInfo`].
    GET_MINING_INFO = "getmininginfo";
    /// Bytes from and to peers: [`super::NetTotals`].
    GET_NET_TOTALS = "getnettotals";
    /// Summary of the network side: [`super::NetworkInfo`].
    GET_NETWORK_INFO = "getnetworkinfo";
    /// A fresh address of the node's own.
    GET_NEW_ADDRESS = "getnewaddress";
    /// Connected peers: list of [`super::PeerInfo`].
    GET_PEER_INFO = "getpeerinfo";
    /// Ids in the mempool, or entries.
    GET_RAW_MEMPOOL = "getrawmempool";
    /// A transaction by id: [`super::RawTransaction`], or hex.
    GET_RAW_TRANSACTION = "getrawtransaction";
    /// An unspent output: [`super::TxOutInfo`] or null.
    GET_TXOUT = "gettxout";
    /// Summary of the coin set: [`super::TxOutSetInfo`].
    GET_TXOUTSET_INFO = "gettxoutsetinfo";
    /// The node's own wallet: [`super::WalletInfo`].
    GET_WALLET_INFO = "getwalletinfo";
    /// Lists methods, or explains one.
    HELP = "help";
    /// Treats a block as if it broke a rule.
    INVALIDATE_BLOCK = "invalidateblock";
    /// Bans in force: list of [`super::BannedInfo`].
    LIST_BANNED = "listbanned";
    /// The node's own coins one by one: list of [`super::UnspentInfo`].
    LIST_UNSPENT = "listunspent";
    /// Gives a block another chance.
    RECONSIDER_BLOCK = "reconsiderblock";
    /// Which blocks concern some locks: [`super::ScanBlocks`].
    SCAN_BLOCKS = "scanblocks";
    /// What waits and concerns some locks: [`super::ScanMempool`].
    SCAN_MEMPOOL = "scanmempool";
    /// Finds all coins of some locks: [`super::ScanResult`].
    SCAN_TXOUTSET = "scantxoutset";
    /// Checks a transaction (hex), adds it to the mempool, relays it.
    SEND_RAW_TRANSACTION = "sendrawtransaction";
    /// Pays from the node's own coins: the transaction's id.
    SEND_TO_ADDRESS = "sendtoaddress";
    /// Keeps an address, a network or a peer out, or no more.
    SET_BAN = "setban";
    /// Ends the node.
    STOP = "stop";
    /// Hands in a block (hex): null, or why it was refused.
    SUBMIT_BLOCK = "submitblock";
    /// Whether the mempool would take transactions: list of
    /// [`super::MempoolVerdict`].
    TEST_MEMPOOL_ACCEPT = "testmempoolaccept";
    /// Seconds since the node started.
    UPTIME = "uptime";
    /// Looks at an address: [`super::AddressInfo`].
    VALIDATE_ADDRESS = "validateaddress";
    /// Waits until a block is the tip: [`super::TipInfo`].
    WAIT_FOR_BLOCK = "waitforblock";
    /// Waits until the chain is so high: [`super::TipInfo`].
    WAIT_FOR_BLOCK_HEIGHT = "waitforblockheight";
    /// Waits until the tip changes: [`super::TipInfo`].
    WAIT_FOR_NEW_BLOCK = "waitfornewblock";
}
