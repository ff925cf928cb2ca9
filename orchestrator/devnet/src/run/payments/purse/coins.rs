//! Coins that are spent in turn, found without looking at all of them: a load
//! pays thousands of times with thousands of coins at hand.

use std::collections::BTreeMap;

use devnet_scenario::fault::NodeName;

use super::Coin;

/// Coins by home, and in each home by size.
#[derive(Default)]
pub struct Coins {
    homes: BTreeMap<Option<NodeName>, Shelf>,
    /// Of the next coin.
    turn: u64,
}

/// Coins of one home by the bits of their worth, then in their turn.
type Shelf = BTreeMap<u32, BTreeMap<u64, Coin>>;

/// Where a coin lies.
#[derive(Clone, Debug)]
pub struct Place {
    home: Option<NodeName>,
    bits: u32,
    turn: u64,
}

impl Coins {
    /// Puts a coin last.
    pub fn push(&mut self, coin: Coin) {
        let shelf = self.homes.entry(coin.home.clone()).or_default();
        let row = shelf.entry(bits(coin.sats)).or_default();
        row.insert(self.turn, coin);
        self.turn += 1;
    }

    /// Takes a coin out.
    pub fn take(&mut self, place: &Place) -> Option<Coin> {
        let shelf = self.homes.get_mut(&place.home)?;
        let row = shelf.get_mut(&place.bits)?;
        let coin = row.remove(&place.turn);
        if row.is_empty() {
            shelf.remove(&place.bits);
        }
        coin
    }

    /// The first in turn that is worth at least so much.
    pub fn first(&self, home: Option<&NodeName>, sats: u64) -> Option<(Place, u64)> {
        let home = home.cloned();
        let shelf = self.homes.get(&home)?;
        let firsts = shelf.range(bits(sats)..).filter_map(|(bits, row)| {
            // All of a higher row suffice, so this is a look at its first.
            let (turn, coin) = row.iter().find(|(_, coin)| coin.sats >= sats)?;
            Some((*turn, *bits, coin.sats))
        });
        let (turn, bits, worth) = firsts.min()?;
        Some((Place { home, bits, turn }, worth))
    }

    /// The largest; of equals the last in turn.
    pub fn largest(&self, home: Option<&NodeName>) -> Option<(Place, u64)> {
        let home = home.cloned();
        let (bits, row) = self.homes.get(&home)?.last_key_value()?;
        let (turn, coin) = row.iter().max_by_key(|(_, coin)| coin.sats)?;
        let (bits, turn) = (*bits, *turn);
        Some((Place { home, bits, turn }, coin.sats))
    }

    /// All of a home in their turn, with their worth.
    pub fn of(&self, home: Option<&NodeName>) -> Vec<(Place, u64)> {
        let home = home.cloned();
        let rows = self.homes.get(&home).into_iter().flatten();
        let mut coins: Vec<_> = rows
            .flat_map(|(bits, row)| row.iter().map(|(turn, coin)| (*turn, *bits, coin.sats)))
            .collect();
        coins.sort_unstable();
        let placed = coins.into_iter().map(|(turn, bits, sats)| {
            let home = home.clone();
            (Place { home, bits, turn }, sats)
        });
        placed.collect()
    }

    /// How many there are of a home.
    pub fn count(&self, home: Option<&NodeName>) -> usize {
        let rows = self.homes.get(&home.cloned()).into_iter().flatten();
        rows.map(|(_, row)| row.len()).sum()
    }
}

/// Bits that it takes to write the sum.
const fn bits(sats: u64) -> u32 {
    u64::BITS - sats.leading_zeros()
}

#[cfg(test)]
mod tests {
    use minichain_chain::hash::Txid;
    use minichain_chain::transaction::OutPoint;
    use proptest::prelude::*;

    use super::*;

    fn coin(number: u32, sats: u64, home: Option<NodeName>) -> Coin {
        Coin {
            place: OutPoint {
                txid: Txid::ZERO,
                vout: number,
            },
            sats,
            home,
            strikes: 0,
        }
    }

    fn home(number: u8) -> Option<NodeName> {
        (number > 0).then(|| format!("n{number}"))
    }

    proptest! {
        /// Whatever is put in and taken out, coins are found as in a plain list.
        #[test]
        fn coins_are_found_as_in_a_list(
            steps in prop::collection::vec((0..4_u8, 0..3_u8, 0..5_000_u64), 1..120),
        ) {
            let mut coins = Coins::default();
            let mut list: Vec<Coin> = Vec::new();
            for (number, (verb, at, sats)) in (0..).zip(steps) {
                let home = home(at);
                let ours = |coin: &&Coin| coin.home == home;
                let of_home: Vec<Coin> = list.iter().filter(ours).cloned().collect();
                let found = match verb {
                    0 | 1 => {
                        list.push(coin(number, sats, home.clone()));
                        coins.push(coin(number, sats, home.clone()));
                        continue;
                    }
                    2 => {
                        let meant = of_home.iter().find(|coin| coin.sats >= sats);
                        (coins.first(home.as_ref(), sats), meant)
                    }
                    _ => {
                        let meant = of_home.iter().max_by_key(|coin| coin.sats);
                        (coins.largest(home.as_ref()), meant)
                    }
                };
                let (found, meant) = found;
                prop_assert_eq!(found.as_ref().map(|found| found.1), meant.map(|coin| coin.sats));
                let taken = found.and_then(|(place, _)| coins.take(&place));
                prop_assert_eq!(taken.as_ref(), meant);
                list.retain(|coin| Some(coin) != meant);
                let left = list.iter().filter(ours).map(|coin| coin.sats);
                let listed = coins.of(home.as_ref()).into_iter().map(|(_, sats)| sats);
                prop_assert_eq!(listed.collect::<Vec<_>>(), left.collect::<Vec<_>>());
                prop_assert_eq!(coins.count(home.as_ref()), list.iter().filter(ours).count());
            }
        }
    }
}
