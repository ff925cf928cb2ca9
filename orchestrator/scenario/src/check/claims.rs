//! Expectations: names, records, and what can never hold.

use super::ledger::Kind;
use super::walk::Walk;
use crate::model::{Claim, Comparison, Expectation, IntervalBounds, Operand, Operator, TipRef};
use crate::parse::hint;
use crate::resolve::{self, Unresolved};

impl Walk<'_> {
    /// Claims at `at`: one, or a list.
    pub(super) fn claims(&mut self, claims: &[Expectation], at: &str, is_always: bool) {
        for (index, claim) in claims.iter().enumerate() {
            let path = self.item(at, index);
            self.claim(claim, &path, is_always);
        }
    }

    fn claim(&mut self, expectation: &Expectation, path: &str, is_always: bool) {
        self.time(expectation.within, &format!("{path}.within"));
        self.selector(expectation.on.as_ref(), &format!("{path}.on"));
        self.excused(expectation, path);
        if is_always && expectation.within.is_some() {
            let what = "`within` has no meaning in `always`: the claim must hold at every look";
            self.refuse(&format!("{path}.within"), what);
        }
        let at = format!("{path}.{}", expectation.claim.word());
        match &expectation.claim {
            Claim::Height(bound)
            | Claim::ReorgDepth(bound)
            | Claim::ForkCount(bound)
            | Claim::Peers(bound)
            | Claim::Restarts(bound)
            | Claim::Memory(bound)
            | Claim::StaleRate(bound) => self.bound(bound, &at),
            Claim::Metric(claim) => self.number(&claim.is, &at),
            Claim::Log(claim) => self.bound(&claim.count, &format!("{at}.count")),
            Claim::BlockInterval(bounds) => self.interval(bounds, &at),
            Claim::TipOf { of, .. } => self.tip(of, &format!("{at}.is")),
            Claim::Transaction(claim) => self.payment(&claim.name, &format!("{at}.of")),
            Claim::Winner { side } => {
                self.selector(side.as_ref(), &format!("{at}.side"));
                self.needs_a_cut_before(&at);
            }
            Claim::Diverged { .. } => self.diverged(&at),
            Claim::Converged { .. } => self.converged(expectation, &at),
            Claim::NoProgress { during } => self.time(Some(*during), &format!("{at}.during")),
            Claim::Progress { .. } => self.needs_miners(&at),
            Claim::Supply | Claim::NoErrorLogs { .. } => {}
        }
    }

    /// Excused nodes exist, and somebody is left.
    fn excused(&mut self, expectation: &Expectation, path: &str) {
        let at = format!("{path}.except");
        for name in &expectation.except {
            if !self.roster.has(name) {
                let error = Unresolved::Unknown(name.clone());
                self.unresolved(&error, &at);
                return;
            }
        }
        let everyone = crate::model::Selector::all();
        let on = expectation.on.as_ref().unwrap_or(&everyone);
        let Ok(pool) = resolve::pool(on, &self.roster) else {
            return;
        };
        if pool.iter().all(|name| expectation.except.contains(name)) {
            self.refuse(&at, "every node is excused, so nothing is expected");
        }
    }

    /// A bound on something that is never negative.
    fn bound(&mut self, bound: &Comparison, at: &str) {
        self.number(bound, at);
        let Operand::Number(number) = bound.operand else {
            return;
        };
        let never = match bound.operator {
            Operator::Less => number <= 0.0,
            Operator::LessOrEqual | Operator::Equal => number < 0.0,
            _ => false,
        };
        if never {
            self.refuse(at, format!("this can never hold: nothing here is {bound}"));
        }
    }

    /// A comparison whose record was made, and is a number.
    fn number(&mut self, bound: &Comparison, at: &str) {
        if let Some(name) = bound.record() {
            self.recorded(name, Kind::Number, at);
        }
    }

    fn recorded(&mut self, name: &str, wanted: Kind, at: &str) {
        let what = match self.ledger.records.get(name) {
            Some(kind) if *kind == wanted => return,
            Some(Kind::Tip) => format!("`${name}` is a tip, no number; compare it by `tip_of`"),
            Some(Kind::Number) => format!("`${name}` is a number; `tip_of` needs a recorded tip"),
            None => {
                let known = self.ledger.records_of(wanted);
                format!(
                    "nothing was recorded as `{name}` before; {}",
                    hint(name, &known)
                )
            }
        };
        self.refuse(at, what);
    }

    fn interval(&mut self, bounds: &IntervalBounds, at: &str) {
        let all = bounds.percentiles.iter().map(|(_, bound)| bound);
        for bound in all.chain(&bounds.mean) {
            self.number(bound, at);
            if let Operand::Number(number) = bound.operand {
                let what = format!(
                    "a time needs a unit: write \"{} {number}s\" or \"{} {number} blocks\"",
                    bound.operator, bound.operator
                );
                self.refuse(at, what);
            }
        }
    }

    fn tip(&mut self, of: &TipRef, at: &str) {
        match of {
            TipRef::Record(name) => self.recorded(name, Kind::Tip, at),
            TipRef::Node(name) if self.roster.has(name) => {}
            TipRef::Node(name) => self.unresolved(&Unresolved::Unknown(name.clone()), at),
        }
    }

    fn payment(&mut self, name: &str, at: &str) {
        let known = self.ledger.payments();
        if known.contains(&name) {
            return;
        }
        let what = format!(
            "no load or transfer `{name}` was sent before; {}",
            hint(name, &known)
        );
        self.refuse(at, what);
    }

    fn needs_a_cut_before(&mut self, at: &str) {
        if !self.cut.was {
            let what = "this can never hold: no partition comes before it, so no branch can win";
            self.refuse(at, what);
        }
    }

    fn diverged(&mut self, at: &str) {
        if !self.cut.may_be {
            let what = "this can never hold: no partition is in force here (one of a step with \
                        `for` is healed when that step ends)";
            self.refuse(at, what);
        }
    }

    fn converged(&mut self, expectation: &Expectation, at: &str) {
        let is_whole = expectation.on.is_none() && expectation.except.is_empty();
        if self.cut.parts && is_whole {
            let what = "this can never hold: the partition is still in force; heal it first, or say \
                        `on:` which side";
            self.refuse(at, what);
        }
    }
}
