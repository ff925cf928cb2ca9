//! Claims about single nodes: height, peers, restarts, memory.

use super::each::{compare, compare_growing, each_up, each_when_up};
use super::{Case, Judgement, Scene};
use crate::model::Comparison;

pub(super) fn height(scene: &Scene<'_>, case: &Case, is: &Comparison) -> Judgement {
    each_up(scene, case, |_, facts| {
        let height = f64::from(facts.height);
        if is.operator.is_kept_by_growth() {
            compare_growing(scene, case, "height", height, is)
        } else {
            compare(scene, "height", height, is)
        }
    })
}

pub(super) fn peers(scene: &Scene<'_>, case: &Case, is: &Comparison) -> Judgement {
    each_up(scene, case, |_, facts| {
        let peers = u32::try_from(facts.peers.len()).unwrap_or(u32::MAX);
        compare(scene, "peers", f64::from(peers), is)
    })
}

pub(super) fn restarts(scene: &Scene<'_>, case: &Case, is: &Comparison) -> Judgement {
    each_when_up(scene, case, |_, facts| {
        compare_growing(scene, case, "restarts", f64::from(facts.restarts), is)
    })
}

pub(super) fn memory(scene: &Scene<'_>, case: &Case, is: &Comparison) -> Judgement {
    each_when_up(scene, case, |_, facts| match facts.memory_bytes {
        #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^53 bytes")]
        Some(bytes) => compare(scene, "bytes of memory", bytes as f64, is),
        None => Judgement::TooEarly("its memory is not known".into()),
    })
}
