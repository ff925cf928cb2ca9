//! What a wallet file holds, as bytes.
//!
//! Phrase, network, numbers given out, and the ledger, so that a wallet need
//! not be looked for in the whole chain each time. The ledger can always be
//! found anew from the phrase.

use minichain_chain::amount::Amount;
use minichain_chain::codec::{
    Decode, DecodeError, Encode, Reader, encode, put_compact_size, put_var_bytes,
};
use minichain_chain::hash::{BlockHash, Txid};
use minichain_chain::height::Height;
use minichain_chain::transaction::OutPoint;
use zeroize::Zeroizing;

use crate::keyring::{Branch, INDEX_MAX, Place};
use crate::ledger::{Entry, Ledger, Owned, PAID_TO_MAX};
use crate::phrase::Phrase;

/// Bytes of a network's name and of an address prefix at most.
const NAME_BYTES_MAX: usize = 64;
const PREFIX_BYTES_MAX: usize = 20;
/// Items of one list at most; the bytes that are there bound it further.
const ITEMS_MAX: usize = 2_000_000;
const SEEN_BYTES: usize = 4 + 32;
const OWNED_BYTES_MIN: usize = 36 + 8 + 5 + 4 + 1;
const ENTRY_BYTES_MIN: usize = 32 + 5 + 4 + 8 + 8 + 1 + 1 + 1;
const PAID_BYTES: usize = 32 + 8;

/// The network a wallet belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// What its addresses begin with.
    pub prefix: String,
    /// Its first block; another one means another network.
    pub genesis: BlockHash,
}

/// Everything in a wallet file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The keys.
    pub phrase: Phrase,
    /// Where they are used.
    pub network: Network,
    /// Blocks below this height hold nothing of the wallet's.
    pub birthday: Height,
    /// Numbers given out or paid to, on branches `Receive` and `Change`.
    pub used: [u32; 2],
    /// What happened so far.
    pub ledger: Ledger,
}

impl Contents {
    /// As bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::new());
        put_var_bytes(&mut out, self.phrase.entropy());
        put_var_bytes(&mut out, self.network.name.as_bytes());
        put_var_bytes(&mut out, self.network.prefix.as_bytes());
        self.network.genesis.encode_to(&mut out);
        self.birthday.encode_to(&mut out);
        for past in self.used {
            out.extend_from_slice(&past.to_le_bytes());
        }
        put_ledger(&mut out, &self.ledger);
        out
    }

    /// From bytes, in time and memory proportional to them.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let invalid = |what| DecodeError::InvalidValue { what };
        let phrase = Phrase::from_entropy(reader.var_bytes(32)?);
        let contents = Self {
            phrase: phrase.map_err(|_| invalid("length of the phrase"))?,
            network: Network {
                name: text(&mut reader, NAME_BYTES_MAX)?,
                prefix: text(&mut reader, PREFIX_BYTES_MAX)?,
                genesis: BlockHash::decode_from(&mut reader)?,
            },
            birthday: Height::decode_from(&mut reader)?,
            used: [index(&mut reader)?, index(&mut reader)?],
            ledger: ledger(&mut reader)?,
        };
        reader.finish()?;
        Ok(contents)
    }
}

fn text(reader: &mut Reader<'_>, length_max: usize) -> Result<String, DecodeError> {
    let bytes = reader.var_bytes(length_max)?.to_vec();
    String::from_utf8(bytes).map_err(|_| DecodeError::InvalidValue {
        what: "text of the network",
    })
}

fn index(reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let index = reader.u32()?;
    if index > INDEX_MAX {
        return Err(DecodeError::InvalidValue {
            what: "number of addresses",
        });
    }
    Ok(index)
}

fn put_ledger(out: &mut Vec<u8>, ledger: &Ledger) {
    put_compact_size(out, ledger.seen.len() as u64);
    for (height, hash) in &ledger.seen {
        height.encode_to(out);
        hash.encode_to(out);
    }
    put_compact_size(out, ledger.outputs.len() as u64);
    for (outpoint, owned) in &ledger.outputs {
        put_owned(out, outpoint, owned);
    }
    put_compact_size(out, ledger.entries.len() as u64);
    for entry in &ledger.entries {
        put_entry(out, entry);
    }
}

fn ledger(reader: &mut Reader<'_>) -> Result<Ledger, DecodeError> {
    let mut ledger = Ledger::default();
    for _ in 0..reader.count(ITEMS_MAX, SEEN_BYTES)? {
        let height = Height::decode_from(reader)?;
        let hash = BlockHash::decode_from(reader)?;
        ascending(ledger.seen.last_key_value(), &height, "list of blocks")?;
        ledger.seen.insert(height, hash);
    }
    for _ in 0..reader.count(ITEMS_MAX, OWNED_BYTES_MIN)? {
        let (outpoint, owned) = owned(reader)?;
        ascending(ledger.outputs.last_key_value(), &outpoint, "list of coins")?;
        ledger.outputs.insert(outpoint, owned);
    }
    for _ in 0..reader.count(ITEMS_MAX, ENTRY_BYTES_MIN)? {
        ledger.entries.push(entry(reader)?);
    }
    Ok(ledger)
}

/// One byte form for one value: lists of maps are in order.
fn ascending<K: Ord, V>(
    last: Option<(&K, &V)>,
    next: &K,
    what: &'static str,
) -> Result<(), DecodeError> {
    match last {
        Some((last, _)) if last >= next => Err(DecodeError::InvalidValue { what }),
        _ => Ok(()),
    }
}

fn put_owned(out: &mut Vec<u8>, outpoint: &OutPoint, owned: &Owned) {
    out.extend_from_slice(&encode(outpoint));
    owned.value.encode_to(out);
    out.push(match owned.place.branch {
        Branch::Receive => 0,
        Branch::Change => 1,
        Branch::Extra => 2,
    });
    out.extend_from_slice(&owned.place.index.to_le_bytes());
    owned.height.encode_to(out);
    // Two facts in one byte.
    out.push(u8::from(owned.is_coinbase) | u8::from(owned.spent.is_some()) << 1);
    if let Some((txid, height)) = owned.spent {
        txid.encode_to(out);
        height.encode_to(out);
    }
}

fn owned(reader: &mut Reader<'_>) -> Result<(OutPoint, Owned), DecodeError> {
    let outpoint = OutPoint::decode_from(reader)?;
    let value = Amount::decode_from(reader)?;
    let branch = match reader.u8()? {
        0 => Branch::Receive,
        1 => Branch::Change,
        2 => Branch::Extra,
        tag => {
            let what = "branch of keys";
            return Err(DecodeError::UnknownTag { what, tag });
        }
    };
    let index = index(reader)?;
    let height = Height::decode_from(reader)?;
    let facts = facts(reader, 0b11)?;
    let spent = match facts & 0b10 {
        0 => None,
        _ => Some((Txid::decode_from(reader)?, Height::decode_from(reader)?)),
    };
    let owned = Owned {
        value,
        place: Place { branch, index },
        height,
        is_coinbase: facts & 1 == 1,
        spent,
    };
    Ok((outpoint, owned))
}

fn put_entry(out: &mut Vec<u8>, entry: &Entry) {
    entry.txid.encode_to(out);
    let height = u8::from(entry.height.is_some()) << 1;
    let fee = u8::from(entry.fee.is_some()) << 2;
    out.push(u8::from(entry.is_coinbase) | height | fee);
    entry.height.unwrap_or_default().encode_to(out);
    out.extend_from_slice(&entry.time_s.to_le_bytes());
    entry.received.encode_to(out);
    entry.spent.encode_to(out);
    entry.fee.unwrap_or_default().encode_to(out);
    put_compact_size(out, entry.paid_to.len() as u64);
    for (key, amount) in &entry.paid_to {
        out.extend_from_slice(key);
        amount.encode_to(out);
    }
}

fn entry(reader: &mut Reader<'_>) -> Result<Entry, DecodeError> {
    let txid = Txid::decode_from(reader)?;
    let facts = facts(reader, 0b111)?;
    let height = Height::decode_from(reader)?;
    let time_s = reader.u32()?;
    let received = Amount::decode_from(reader)?;
    let spent = Amount::decode_from(reader)?;
    let fee = Amount::decode_from(reader)?;
    let what = "field of a payment that has none";
    let is_stray = (facts & 0b010 == 0 && height != Height::default())
        || (facts & 0b100 == 0 && fee != Amount::ZERO);
    if is_stray {
        return Err(DecodeError::InvalidValue { what });
    }
    let paid_to = (0..reader.count(PAID_TO_MAX, PAID_BYTES)?)
        .map(|_| Ok((reader.array()?, Amount::decode_from(reader)?)))
        .collect::<Result<Vec<_>, DecodeError>>()?;
    Ok(Entry {
        txid,
        height: (facts & 0b010 != 0).then_some(height),
        time_s,
        received,
        spent,
        fee: (facts & 0b100 != 0).then_some(fee),
        is_coinbase: facts & 1 == 1,
        paid_to,
    })
}

fn facts(reader: &mut Reader<'_>, known: u8) -> Result<u8, DecodeError> {
    let facts = reader.u8()?;
    if facts & !known != 0 {
        let what = "facts";
        return Err(DecodeError::UnknownTag { what, tag: facts });
    }
    Ok(facts)
}

#[cfg(test)]
mod tests;
