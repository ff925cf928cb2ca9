//! Transactions travel through simulated networks like blocks do.

use std::sync::Arc;

use minichain_chain::amount::Amount;
use minichain_chain::script::Script;
use minichain_chain::signature::sign_all_inputs;
use minichain_chain::transaction::{SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};
use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::MILLI;
use minichain_sim::setup::Peering;
use minichain_sim::world::World;

use crate::support::{assert_safe, key, seconds, setup, world};

/// A payment of all that alice has in the genesis block, less a fee.
pub fn payment(world: &World) -> Transaction {
    let genesis = world.params().genesis_block();
    let lock = Script::p2tr(&key().output_key());
    let owned = &genesis.transactions[0];
    let at = owned
        .outputs
        .iter()
        .position(|one| one.script_pubkey == lock);
    let at = at.expect("alice owns something");
    let spent = owned.outputs[at].clone();
    let mut transaction = Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output: owned.outpoint(u32::try_from(at).expect("a small number")),
            script_sig: Script::default(),
            sequence: SEQUENCE_FINAL,
            witness: Witness::new(),
        }],
        outputs: vec![TxOut {
            value: Amount::from_sat(spent.value.to_sat() - 1_000),
            script_pubkey: lock,
        }],
        lock_time: 0,
    };
    sign_all_inputs(&mut transaction, &[spent], &key(), &[0; 32]).expect("it can be signed");
    transaction
}

#[test]
fn a_payment_reaches_every_mempool_and_then_every_chain() {
    let mut setup = setup(12, 20, 4);
    setup.peering = Peering::Random { outbound: 3 };
    setup.links.paths = Paths::Everywhere(Latency::Constant(30 * MILLI));
    let mut world = world(setup);
    world.run_until(seconds(20));
    let payment = Arc::new(payment(&world));
    let txid = payment.txid();
    assert_eq!(world.submit(19, Arc::clone(&payment)), Some(Ok(())));
    let waits = |world: &World, place: usize| {
        let node = world.node(place).expect("it runs");
        node.mempool().contains(&txid)
    };
    let has_coin = |world: &World, place: usize| {
        let state = world.node(place).expect("it runs").state();
        state.coin(&payment.outpoint(0)).expect("a store").is_some()
    };
    let end = world.now() + seconds(3);
    let is_everywhere = |world: &World| (0..20).all(|at| waits(world, at) || has_coin(world, at));
    assert!(!world.run_while(end, |world| !is_everywhere(world)));
    let end = world.now() + seconds(120);
    let is_confirmed = |world: &World| (0..20).all(|at| has_coin(world, at));
    assert!(!world.run_while(end, |world| !is_confirmed(world)));
    assert!((0..20).all(|at| !waits(&world, at)));
    let again = world.submit(3, payment).expect("it runs");
    assert!(again.is_err(), "its coin is spent");
    assert_safe(&mut world);
}
