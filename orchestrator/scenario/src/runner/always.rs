//! Claims that hold while steps run.

use super::core::Core;
use super::flow::{Flow, Progress};
use super::judging::Docket;
use super::title::describe_claim;
use crate::expect::Judgement;
use crate::model::AlwaysWish;
use crate::report::{StepOutcome, Verdict};
use crate::world::Wants;

/// How long after the last inner step a claim is waited for that only needs
/// another look.
const LAST_WORD_MS: u64 = 10_000;

/// A span. In it each claim is judged at every look. One that is violated, or
/// does not hold for longer than its `within` (at all, where it has none), ends
/// the run. What only time can bring must have come when the inner steps are
/// over.
#[derive(Clone, Debug)]
pub(super) struct Always {
    docket: Docket,
    /// Since when each claim does not hold.
    breached: Vec<Option<u64>>,
    inner: Flow,
    /// When the inner steps were over.
    over_at_ms: Option<u64>,
}

impl Always {
    pub fn begin(core: &mut Core, wish: AlwaysWish, path: &str, key: &str) -> Result<Self, String> {
        let docket = Docket::open(core, &wish.expect, key)?;
        Ok(Self {
            breached: vec![None; wish.expect.len()],
            docket,
            inner: Flow::sequence(wish.steps, &format!("{path}."), key, false),
            over_at_ms: None,
        })
    }

    pub fn advance(&mut self, core: &mut Core, place: usize, path: &str) -> Progress {
        if let Some(judgements) = self.docket.judgements(core) {
            if let Some((expected, found)) = self.broken(core, &judgements) {
                core.note(place, format!("{expected}: {found}"));
                core.fail(Verdict::Fail, path, &expected, &found);
                self.abandon(core);
                return Progress::Over(StepOutcome::Failed);
            }
            if self.over_at_ms.is_some() && judgements.iter().all(Judgement::holds) {
                for (case, judgement) in self.docket.open.iter().zip(&judgements) {
                    let word = case.expectation.claim.word();
                    core.note(place, format!("{word}: {}", judgement.text()));
                }
                self.docket.abandon(core);
                return Progress::Over(StepOutcome::Passed);
            }
        }
        if self.over_at_ms.is_some() {
            return Progress::Running;
        }
        match self.inner.advance(core) {
            Progress::Running => Progress::Running,
            Progress::Over(StepOutcome::Passed) => {
                self.over_at_ms = Some(core.now_ms);
                core.look_now();
                Progress::Running
            }
            Progress::Over(outcome) => {
                self.docket.abandon(core);
                Progress::Over(outcome)
            }
        }
    }

    pub fn wants(&self, core: &Core, into: &mut Wants) {
        self.docket.wants(core, into);
        self.inner.wants(core, into);
    }

    pub fn wake_ms(&self) -> Option<u64> {
        self.inner.wake_ms()
    }

    pub fn abandon(&mut self, core: &mut Core) {
        self.docket.abandon(core);
        self.inner.abandon(core);
    }

    /// The first claim that is broken, with what was found.
    fn broken(&mut self, core: &Core, judgements: &[Judgement]) -> Option<(String, String)> {
        let cases = self.docket.open.iter().zip(judgements);
        for ((case, judgement), breached) in cases.zip(&mut self.breached) {
            let expected = || format!("always {}", describe_claim(&case.expectation));
            let since = match judgement {
                Judgement::Holds(_) => {
                    *breached = None;
                    continue;
                }
                Judgement::Violated(why) => return Some((expected(), why.clone())),
                Judgement::NotYet(_) => *breached.get_or_insert(core.now_ms),
                // Whether it holds is told at the end of the span.
                Judgement::TooEarly(_) => match self.over_at_ms {
                    Some(over) => over.saturating_add(LAST_WORD_MS),
                    None => continue,
                },
            };
            let interval_ms = core.roster.block_interval_ms;
            let within = case.expectation.within.map_or(0, |x| x.ms(interval_ms));
            if core.now_ms >= since.saturating_add(within) {
                return Some((expected(), judgement.text().to_owned()));
            }
        }
        None
    }
}
