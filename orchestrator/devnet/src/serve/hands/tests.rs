//! How outcomes are told.

use super::*;

#[test]
fn an_outcome_is_told_with_what_speaks_against_it() {
    let evidence = Evidence {
        summary: "17 of 18 probes fail".into(),
        objections: vec!["a -> b passes".into()],
        ..Evidence::default()
    };
    let told = done(
        "cut".into(),
        &Outcome::Ineffective(evidence),
        Duration::from_secs(1),
    );
    assert_eq!((told.outcome, told.elapsed_ms), (Came::Ineffective, 1_000));
    assert_eq!(told.objections, ["a -> b passes"]);
}
