//! What holds of holdings, whatever happens to the chain.

use super::*;

/// Something that happens to a network.
#[derive(Clone, Debug)]
enum Step {
    Pay { from: usize, to: usize, sats: u64 },
    Mine,
    Reorganise { depth: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let accounts = 0..NAMES.len();
    let pay = (accounts.clone(), accounts, 1_000..120 * COIN_SATS);
    prop_oneof![
        4 => pay.prop_map(|(from, to, sats)| Step::Pay { from, to, sats }),
        2 => Just(Step::Mine),
        1 => (1..4_usize).prop_map(|depth| Step::Reorganise { depth }),
    ]
}

fn address() -> NodeAddress {
    NodeAddress {
        name: "a".into(),
        role: "node".into(),
        mines: false,
        ip: None,
        rpc: None,
        metrics: None,
        credentials: None,
        dials: Vec::new(),
    }
}

/// What the node says of all accounts.
fn look(node: &ModelNode) -> Holdings {
    try_look(node).expect("the node answers")
}

fn try_look(node: &ModelNode) -> Result<Holdings, AskError> {
    run(Holdings::look(node, &address(), &genesis_file()))
}

/// Pauses pass at once.
fn run<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

fn pay(node: &ModelNode, from: &str, to: &str, sats: u64) -> Result<Draft, PayError> {
    let holdings = look(node);
    let to = &holdings.find(to).expect("an account").address;
    let from = holdings.find(from).expect("an account");
    let draft = from.pay(to, Amount::from_sat(sats), RATE)?;
    let txid = run(hand_in(node, &address(), &draft.transaction)).expect("a good payment");
    assert_eq!(txid, draft.transaction.txid().to_string());
    Ok(draft)
}

fn confirmed(node: &ModelNode, draft: &Draft) -> Option<u64> {
    run(confirmations(node, &address(), &draft.transaction)).expect("the node answers")
}

fn assert_balances(node: &ModelNode) -> Result<(), TestCaseError> {
    let holdings = look(node);
    prop_assert_eq!(holdings.height, node.with(|model| model.height()));
    for (name, account) in NAMES.iter().zip(&holdings.accounts) {
        prop_assert_eq!(*name, &account.name);
        let expected = node.with(|model| model.balance(name));
        prop_assert_eq!(account.balance(), expected, "{}", name);
    }
    Ok(())
}

/// Pays if the account can; a refusal must be right, and changes nothing.
fn try_to_pay(node: &ModelNode, from: &str, to: &str, sats: u64) -> Result<(), TestCaseError> {
    let has = node.with(|model| model.balance(from)).spendable();
    match pay(node, from, to, sats) {
        Ok(draft) => {
            prop_assert!(draft.fee > Amount::ZERO);
            let costs = draft.amount.checked_add(draft.fee);
            prop_assert!(costs.is_some_and(|costs| costs <= has));
            prop_assert_eq!(confirmed(node, &draft), Some(0));
        }
        Err(PayError::Select(SelectError::Short { have, needed })) => {
            prop_assert!(have < needed && have <= has, "{} of {}", have, has);
            prop_assert!(needed >= Amount::from_sat(sats));
            // Less than the fee for many inputs could have been the cause.
            prop_assert!(has < Amount::from_sat(sats + COIN_SATS / 100));
        }
        Err(other) => return Err(TestCaseError::fail(other.to_string())),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn balances_follow_payments_blocks_and_reorganisations(
        steps in prop::collection::vec(step(), 1..25),
    ) {
        let node = ModelNode::new();
        for step in steps {
            match step {
                Step::Pay { from, to, sats } => try_to_pay(&node, NAMES[from], NAMES[to], sats)?,
                Step::Mine => node.with(Model::mine),
                Step::Reorganise { depth } => node.with(|model| model.reorganise(depth)),
            }
            assert_balances(&node)?;
        }
    }
}

#[test]
fn a_payment_is_waiting_then_confirmed_then_waiting_again() {
    let node = ModelNode::new();
    let draft = pay(&node, "bob", "carol", 30 * COIN_SATS).expect("bob has 100");
    let left = GRANT_SATS - 30 * COIN_SATS - draft.fee.to_sat();
    let bob = look(&node).find("bob").expect("an account").balance();
    let change = Amount::from_sat(left);
    let all_waits = Balance {
        unconfirmed: change,
        change,
        ..Balance::default()
    };
    assert_eq!((bob, confirmed(&node, &draft)), (all_waits, Some(0)));
    node.with(Model::mine);
    node.with(Model::mine);
    let bob = look(&node).find("bob").expect("an account").balance();
    assert_eq!((bob.confirmed, bob.unconfirmed), (change, Amount::ZERO));
    assert_eq!(confirmed(&node, &draft), Some(2));
    node.with(|model| model.reorganise(2));
    let bob = look(&node).find("bob").expect("an account").balance();
    assert_eq!(
        bob, all_waits,
        "nothing is lost, and nothing counts as paid"
    );
    assert_eq!(confirmed(&node, &draft), Some(0));
    // Payments that no block and no mempool has are gone.
    node.with(|model| model.pool.clear());
    assert_eq!(confirmed(&node, &draft), None);
    let bob = look(&node).find("bob").expect("an account").balance();
    assert_eq!(bob.confirmed.to_sat(), GRANT_SATS);
}

#[test]
fn rewards_cannot_be_spent_before_their_time_and_are_gone_with_their_block() {
    let node = ModelNode::new();
    node.with(Model::mine);
    let alice = |node: &ModelNode| look(node).find("alice").expect("an account").balance();
    assert_eq!(alice(&node).immature.to_sat(), REWARD_SATS);
    let all = GRANT_SATS + COIN_SATS;
    let short = pay(&node, "alice", "bob", all).expect_err("the reward is not ripe");
    assert!(matches!(short, PayError::Select(SelectError::Short { .. })));
    node.with(Model::mine);
    node.with(Model::mine);
    assert_eq!(alice(&node).confirmed.to_sat(), GRANT_SATS + REWARD_SATS);
    let draft = pay(&node, "alice", "bob", all).expect("the reward is ripe");
    assert_eq!(confirmed(&node, &draft), Some(0));
    node.with(|model| model.reorganise(3));
    assert_eq!(confirmed(&node, &draft), None, "its coin is gone");
    assert_eq!(alice(&node).unconfirmed, Amount::ZERO);
}

#[test]
fn blocks_and_scans_that_come_between_are_waited_for() {
    let node = ModelNode::new();
    *node.blocks_between.lock().expect("no panic there") = TRIES_MAX / 2;
    *node.busy.lock().expect("no panic there") = TRIES_MAX / 2 - 1;
    assert_eq!(look(&node).height as usize, TRIES_MAX / 2);

    *node.blocks_between.lock().expect("no panic there") = TRIES_MAX;
    let why = try_look(&node).err().expect("no two looks agree");
    assert!(why.to_string().contains("try again"), "{why}");
    *node.blocks_between.lock().expect("no panic there") = 0;
    *node.busy.lock().expect("no panic there") = TRIES_MAX;
    let why = try_look(&node).err().expect("never its turn");
    assert!(is_busy(&why), "{why}");
}

#[test]
fn amounts_survive_being_written_as_coins() {
    let most = 21_000_000 * COIN_SATS;
    for amount in [0, 1, 3, 29, 546, COIN_SATS - 1, most / 3, most - 1, most] {
        assert_eq!(sats(amount as f64 / COIN_SATS as f64).to_sat(), amount);
    }
}
