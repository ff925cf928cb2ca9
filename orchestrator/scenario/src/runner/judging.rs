//! Claims from the begin of their step to their judgement.

use super::core::Core;
use super::draws::dice;
use super::title::describe_claim;
use crate::expect::{Case, Judgement, judge, wants};
use crate::history::logs::{LineTest, LogWatch};
use crate::metric::{Selector, Watch};
use crate::model::{Claim, Expectation, Scenario, Step, Verb};
use crate::resolve;
use crate::world::Wants;

/// How long a claim without a limit is waited for where only time can tell, at
/// least and in block intervals.
const PATIENCE_MS: u64 = 10_000;
const PATIENCE_INTERVALS: u64 = 10;

/// Open claims of a step. Those with a limit come first; one without a limit
/// is judged once the others have held, or broken as soon as it is violated.
#[derive(Clone, Debug)]
pub(super) struct Docket {
    pub open: Vec<Case>,
    looked: u64,
}

/// How a claim ended.
pub(super) enum Sentence {
    Held(String),
    Broken { expected: String, found: String },
}

impl Docket {
    /// Opens the claims of a step; `key` is the step's, for draws.
    ///
    /// # Errors
    /// A claim whose nodes cannot be told.
    pub fn open(core: &mut Core, claims: &[Expectation], key: &str) -> Result<Self, String> {
        let mut open = Vec::with_capacity(claims.len());
        for (place, expectation) in claims.iter().enumerate() {
            open.push(case(core, expectation, &format!("{key}/{place}"))?);
        }
        core.look_now();
        let looked = core.history.looks();
        Ok(Self { open, looked })
    }

    /// Judges what is open, once for each new look. Claims that held are
    /// closed; at the first that broke no other is judged.
    pub fn judge(&mut self, core: &mut Core) -> Vec<Sentence> {
        if core.history.looks() == self.looked {
            return Vec::new();
        }
        self.looked = core.history.looks();
        self.take_baselines(core);
        let was_limited = self.has_limits();
        let mut sentences = Vec::new();
        let mut open = Vec::new();
        for case in std::mem::take(&mut self.open) {
            let is_deferred = was_limited && !has_limit(&case);
            match sentence(core, &case, is_deferred) {
                Some(sentence) => {
                    close(core, &case);
                    sentences.push(sentence);
                }
                None => open.push(case),
            }
        }
        self.open = open;
        if was_limited && !self.has_limits() {
            self.turn_to_deferred(core);
        }
        sentences
    }

    /// From now on looks have what the claims without a limit want.
    fn turn_to_deferred(&mut self, core: &mut Core) {
        for case in &mut self.open {
            case.begun_judging_at_ms = core.now_ms;
            case.looks_before = core.history.looks();
        }
        core.look_now();
    }

    fn has_limits(&self) -> bool {
        self.open.iter().any(has_limit)
    }

    /// Judges every open claim without closing any.
    pub fn judgements(&mut self, core: &Core) -> Option<Vec<Judgement>> {
        if core.history.looks() == self.looked {
            return None;
        }
        self.looked = core.history.looks();
        self.take_baselines(core);
        let scene = core.scene();
        self.open.iter().map(|case| judge(&scene, case)).collect()
    }

    pub fn wants(&self, core: &Core, into: &mut Wants) {
        let scene = core.scene();
        let has_limits = self.has_limits();
        for case in &self.open {
            let mut wants = wants(&scene, case);
            if has_limits && !has_limit(case) {
                // Lines and metrics are followed all the time; the rest is
                // asked for when it is judged.
                wants.coins_at = None;
                wants.transactions.clear();
            }
            merge(into, wants);
        }
    }

    /// Gives the claims up.
    pub fn abandon(&mut self, core: &mut Core) {
        for case in std::mem::take(&mut self.open) {
            close(core, &case);
        }
    }

    fn take_baselines(&mut self, core: &Core) {
        let unset = self.open.iter_mut().filter(|case| case.baseline.is_none());
        for case in unset.filter(|case| core.history.looks() > case.looks_before) {
            let tips = core.history.tips().into_iter();
            case.baseline = Some(tips.map(|(node, mark)| (node, mark.height)).collect());
        }
    }
}

fn has_limit(case: &Case) -> bool {
    case.expectation.within.is_some()
}

/// Puts what a claim wants into what a look shall contain.
pub(super) fn merge(into: &mut Wants, more: Wants) {
    into.metrics |= more.metrics;
    into.logs |= more.logs;
    into.coins_at = match (into.coins_at, more.coins_at) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    for id in more.transactions {
        if !into.transactions.contains(&id) {
            into.transactions.push(id);
        }
    }
}

/// Two cases share a watch from the run's begin if they say the same.
pub(super) fn watch_key(expectation: &Expectation) -> String {
    format!("{:?}", expectation.claim)
}

impl Core {
    /// Follows a claim's metric or log lines under that number.
    pub fn follow(&mut self, claim: &Claim, number: u64) {
        match claim {
            Claim::Metric(claim) => {
                // A checked scenario's selectors can be read.
                if let Ok(selector) = Selector::parse(&claim.selector.text) {
                    self.history.watches.insert(number, Watch::new(selector));
                }
            }
            Claim::Log(claim) => self.follow_lines(LineTest::new(&claim.lines), number),
            Claim::NoErrorLogs { ignore } => {
                let ignored = ignore.iter().map(LineTest::new).collect();
                self.follow_lines(LineTest::Errors(ignored), number);
            }
            _ => {}
        }
    }

    pub fn follow_lines(&mut self, test: LineTest, number: u64) {
        self.history.log_watches.insert(number, LogWatch::new(test));
    }

    pub fn unfollow(&mut self, number: u64) {
        self.history.watches.remove(&number);
        self.history.log_watches.remove(&number);
    }

    /// Follows what claims anywhere in the scenario will ask about the past.
    pub fn follow_from_the_begin(&mut self, scenario: &Scenario) {
        let mut found = Vec::new();
        for step in scenario.steps.iter().chain(&scenario.finally) {
            claims_in(step, &mut found);
        }
        for expectation in found {
            let case = bare(expectation);
            let key = watch_key(expectation);
            if !case.reads_the_past() || self.standing.contains_key(&key) {
                continue;
            }
            let number = self.watch_number();
            self.standing.insert(key, number);
            self.follow(&expectation.claim, number);
            match expectation.claim {
                Claim::Metric(_) => self.needs_metrics = true,
                _ => self.needs_logs = true,
            }
        }
    }
}

fn claims_in<'a>(step: &'a Step, found: &mut Vec<&'a Expectation>) {
    let mut inside = |steps: &'a [Step]| {
        for step in steps {
            claims_in(step, found);
        }
    };
    match &step.verb {
        Verb::Parallel(steps) | Verb::Sequence(steps) => inside(steps),
        Verb::Repeat(wish) => {
            inside(&wish.steps);
            for choice in &wish.choose {
                inside(&choice.steps);
            }
        }
        Verb::Always(wish) => {
            inside(&wish.steps);
            found.extend(&wish.expect);
        }
        Verb::Expect(claims) => found.extend(claims),
        _ => {}
    }
}

fn bare(expectation: &Expectation) -> Case {
    Case {
        expectation: expectation.clone(),
        nodes: Vec::new(),
        begun_at_ms: 0,
        begun_judging_at_ms: 0,
        baseline: None,
        looks_before: 0,
        watch: 0,
    }
}

fn case(core: &mut Core, expectation: &Expectation, key: &str) -> Result<Case, String> {
    let chosen = match &expectation.on {
        None => core.roster.names(),
        Some(selector) => {
            let mut dice = dice(core.seed, "on", key);
            resolve::nodes(selector, &core.roster, &mut dice).map_err(|error| error.to_string())?
        }
    };
    let except = &expectation.except;
    let is_excused = |name: &String| {
        let node = core.roster.nodes.iter().find(|node| node.name == *name);
        except.contains(name) || node.is_some_and(|node| except.contains(&node.group))
    };
    let nodes = chosen
        .into_iter()
        .filter(|name| !is_excused(name))
        .collect();
    let mut case = Case {
        nodes,
        begun_at_ms: core.now_ms,
        begun_judging_at_ms: core.now_ms,
        looks_before: core.history.looks(),
        ..bare(expectation)
    };
    case.watch = core.watch_for(&case);
    Ok(case)
}

fn close(core: &mut Core, case: &Case) {
    if !core.standing.values().any(|number| *number == case.watch) {
        core.unfollow(case.watch);
    }
}

/// The end of a claim; `None` while it is open. A deferred one only ends by
/// being violated.
fn sentence(core: &Core, case: &Case, is_deferred: bool) -> Option<Sentence> {
    let scene = core.scene();
    let judgement = judge(&scene, case)?;
    let word = case.expectation.claim.word();
    let deadline = case.deadline(&scene);
    let found = match judgement {
        Judgement::Violated(why) => why,
        _ if is_deferred => return None,
        Judgement::Holds(text) => return Some(Sentence::Held(format!("{word}: {text}"))),
        Judgement::NotYet(why) => {
            let limit = deadline.or_else(|| comes_true(case).then(|| patience(core, case)));
            if limit.is_some_and(|limit| core.now_ms < limit) {
                return None;
            }
            why
        }
        Judgement::TooEarly(why) => {
            // What a look brings that was asked for too late is waited for.
            let grace = case.begun_judging_at_ms + 3 * core.poll_ms();
            let limit = deadline.map_or_else(|| patience(core, case), |limit| limit.max(grace));
            if core.now_ms < limit {
                return None;
            }
            why
        }
    };
    let expected = describe_claim(&case.expectation);
    Some(Sentence::Broken { expected, found })
}

/// Whether a claim is about what a network comes to by itself, so that without
/// a limit it is waited for and not judged by one look: a healed network has
/// its blocks still to fetch, a reorganisation is still to come. What counts
/// what must stay away (`reorg_depth: "< 2"`) is judged by the first look.
fn comes_true(case: &Case) -> bool {
    match &case.expectation.claim {
        Claim::Converged { .. }
        | Claim::Diverged { .. }
        | Claim::Winner { .. }
        | Claim::Transaction(_)
        | Claim::TipOf { .. }
        | Claim::Progress { .. }
        | Claim::Supply => true,
        Claim::ReorgDepth(is) | Claim::ForkCount(is) => is.operator.is_kept_by_growth(),
        _ => false,
    }
}

fn patience(core: &Core, case: &Case) -> u64 {
    let interval_ms = core.roster.block_interval_ms;
    let during = match &case.expectation.claim {
        Claim::NoProgress { during } => during.ms(interval_ms),
        _ => 0,
    };
    let patience = PATIENCE_MS.max(interval_ms.saturating_mul(PATIENCE_INTERVALS));
    case.begun_judging_at_ms
        .saturating_add(during)
        .saturating_add(patience)
}
