//! Payments through scripted nodes.

use std::collections::BTreeSet;

use super::super::fake::FakeNodes;
use super::*;

const NAMES: [&str; 2] = ["a", "b"];

fn payments(nodes: &Arc<FakeNodes>) -> Payments {
    let (live, _engine) = FakeNodes::live(&NAMES);
    Payments::new(live, nodes.clone())
}

fn transfer(via: &str, sats: u64) -> Transfer {
    Transfer {
        from: "alice".into(),
        to: "bob".into(),
        sats,
        via: via.into(),
    }
}

fn load(rate: f64) -> Load {
    Load {
        name: "steady".into(),
        rate,
        from: "alice".into(),
        to: "bob".into(),
        via: NAMES.map(str::to_owned).to_vec(),
    }
}

/// Mines whatever waits, again and again, as long as it is polled.
async fn mining(nodes: &FakeNodes) -> ! {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        nodes.confirm_all();
    }
}

async fn with_mining<T>(nodes: &FakeNodes, work: impl Future<Output = T>) -> T {
    tokio::select! {
        never = mining(nodes) => never,
        done = work => done,
    }
}

fn done(outcome: Outcome) -> Evidence {
    match outcome {
        Outcome::Done(evidence) => evidence,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_transfer_reaches_its_node_and_tells_its_id() {
    let nodes = FakeNodes::new(&NAMES);
    let evidence = done(payments(&nodes).transfer(&transfer("b", 5_000)).await);
    let pool = nodes.pool("b");
    assert_eq!(evidence.transactions, [pool[0].txid().to_string()]);
    assert_eq!(pool[0].outputs[0].value.to_sat(), 5_000);
    assert!(nodes.pool("a").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refused_transfer_had_no_effect_and_can_be_made_again() {
    let nodes = FakeNodes::new(&NAMES);
    let payments = payments(&nodes);
    nodes.refuse("a", Some("full"));
    let outcome = payments.transfer(&transfer("a", 5_000)).await;
    let Outcome::Ineffective(evidence) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(evidence.objections[0].contains("full"), "{evidence:?}");
    nodes.refuse("a", None);
    done(payments.transfer(&transfer("a", 5_000)).await);
    let outcome = payments.transfer(&transfer("a", u64::MAX / 2)).await;
    assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_load_keeps_its_rate_and_tells_what_it_sent() {
    let nodes = FakeNodes::new(&NAMES);
    let payments = payments(&nodes);
    let evidence = with_mining(&nodes, async {
        done(payments.start_load(&load(20.0)).await);
        tokio::time::sleep(Duration::from_secs(10)).await;
        done(payments.stop_load("steady").await)
    })
    .await;
    let sent = evidence.transactions.len();
    assert!((190..=205).contains(&sent), "{}", evidence.summary);
    let distinct: BTreeSet<&String> = evidence.transactions.iter().collect();
    assert_eq!(distinct.len(), sent);
    assert!(
        !evidence.summary.contains("refused"),
        "{}",
        evidence.summary
    );
}

#[tokio::test(start_paused = true)]
async fn both_sides_of_a_partition_are_paid_with_coins_of_their_own() {
    let nodes = FakeNodes::new(&NAMES);
    let payments = payments(&nodes);
    let alice = ["alice".to_owned()];
    let funded = payments.prefund(&alice, Duration::from_secs(60));
    assert_eq!(with_mining(&nodes, funded).await, Ok(()));
    done(payments.start_load(&load(10.0)).await);
    tokio::time::sleep(Duration::from_secs(2)).await;
    done(payments.stop_load("steady").await);
    let spent = |name: &str| -> BTreeSet<_> {
        let pool = nodes.pool(name);
        let inputs = pool.iter().flat_map(|payment| payment.inputs.clone());
        inputs.map(|input| input.previous_output).collect()
    };
    assert!(!spent("a").is_empty() && !spent("b").is_empty());
    assert!(spent("a").is_disjoint(&spent("b")));
}

#[tokio::test(start_paused = true)]
async fn a_load_goes_on_when_its_node_speaks_again_and_sends_nothing_twice() {
    let nodes = FakeNodes::new(&NAMES);
    let payments = payments(&nodes);
    let evidence = with_mining(&nodes, async {
        done(payments.start_load(&load(10.0)).await);
        nodes.silence("a", true);
        tokio::time::sleep(Duration::from_secs(10)).await;
        nodes.silence("a", false);
        tokio::time::sleep(Duration::from_secs(10)).await;
        done(payments.stop_load("steady").await)
    })
    .await;
    let sent = evidence.transactions.len();
    assert!((130..=165).contains(&sent), "{}", evidence.summary);
    assert!(
        evidence.summary.contains("without an answer"),
        "{evidence:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_load_that_nobody_takes_had_no_effect() {
    let nodes = FakeNodes::new(&NAMES);
    let payments = payments(&nodes);
    let alice = ["alice".to_owned()];
    let funded = payments.prefund(&alice, Duration::from_secs(60));
    assert_eq!(with_mining(&nodes, funded).await, Ok(()));
    for name in NAMES {
        nodes.refuse(name, Some("too_long_chain"));
    }
    let steady = load(10.0);
    let started = tokio::time::timeout(Duration::from_secs(5), payments.start_load(&steady));
    assert!(started.await.is_err(), "nothing was accepted yet");
    let outcome = payments.stop_load("steady").await;
    let Outcome::Ineffective(evidence) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(evidence.summary.contains("too_long_chain"), "{evidence:?}");
}

#[tokio::test(start_paused = true)]
async fn coins_that_are_never_confirmed_are_told() {
    let nodes = FakeNodes::new(&NAMES);
    let payments = payments(&nodes);
    let alice = ["alice".to_owned()];
    let why = payments.prefund(&alice, Duration::from_secs(60)).await;
    assert!(why.expect_err("nobody mines").contains("alice"));
    let stranger = ["mallory".to_owned()];
    let why = payments.prefund(&stranger, Duration::from_secs(60)).await;
    assert!(why.expect_err("nobody").contains("alice, bob"));
}
