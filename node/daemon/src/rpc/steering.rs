//! Methods that steer the chain by hand, and those that wait for it to move.

use std::time::Duration;

use minichain_api::rpc::{RpcError, TipInfo, code};
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::state::SteerError;
use minichain_protocol::input::SteeringOrder;
use minichain_protocol::output::Answer;

use super::arguments::Arguments;
use super::limits::PATIENT_TIMEOUT;
use super::server::internal;
use super::{Context, ending, error};
use crate::driver::{Stopped, Submission};

/// `invalidateblock` and `reconsiderblock`.
pub async fn steer(
    context: &Context,
    arguments: &Arguments,
    order: SteeringOrder,
) -> Result<(), RpcError> {
    let hash: BlockHash = arguments.parsed(0)?;
    let submission = Submission::Steering(hash, order);
    let answer = context.driver.submit(submission).await;
    match answer.map_err(|Stopped| ending())? {
        Answer::ChainSteered => {
            tracing::info!(%hash, ?order, "chain steered by RPC");
            Ok(())
        }
        Answer::SteeringRefused { error: why } => {
            let code = match why {
                SteerError::Unknown { .. } => code::INVALID_ADDRESS_OR_KEY,
                SteerError::Genesis => code::INVALID_PARAMETER,
            };
            Err(error(code, why.to_string()))
        }
        other => Err(internal(format!(
            "an answer to another question: {other:?}"
        ))),
    }
}

/// `waitfornewblock`.
pub async fn wait_for_new_block(
    context: &Context,
    arguments: &Arguments,
) -> Result<TipInfo, RpcError> {
    let time = time_limit(arguments, 0)?;
    let known: BlockHash = match arguments.text(1)? {
        Some(_) => arguments.parsed(1)?,
        None => tip(context).await?.0,
    };
    wait(context, time, |hash, _| hash != known).await
}

/// `waitforblock`.
pub async fn wait_for_block(context: &Context, arguments: &Arguments) -> Result<TipInfo, RpcError> {
    let wanted: BlockHash = arguments.parsed(0)?;
    wait(context, time_limit(arguments, 1)?, |hash, _| hash == wanted).await
}

/// `waitforblockheight`.
pub async fn wait_for_height(
    context: &Context,
    arguments: &Arguments,
) -> Result<TipInfo, RpcError> {
    let wanted = Height(arguments.u32(0)?.unwrap_or_default());
    let time = time_limit(arguments, 1)?;
    wait(context, time, |_, height| height >= wanted).await
}

/// Waits until the tip is a wanted one, the time is over or the node ends; the
/// tip by then.
async fn wait(
    context: &Context,
    time: Duration,
    is_wanted: impl Fn(BlockHash, Height) -> bool,
) -> Result<TipInfo, RpcError> {
    // Before the first look, so that no change falls between.
    let mut news = context.observer.news().tip();
    news.mark_unchanged();
    let deadline = tokio::time::Instant::now() + time;
    loop {
        let (hash, height) = tip(context).await?;
        let is_over = tokio::time::Instant::now() >= deadline;
        if is_over || is_wanted(hash, height) || context.shutdown.is_requested() {
            let hash = hash.to_string();
            let height = height.0;
            return Ok(TipInfo { hash, height });
        }
        tokio::select! {
            // The sender lives as long as the observer.
            _changed = news.changed() => {}
            () = tokio::time::sleep_until(deadline) => {}
            () = context.shutdown.requested() => {}
        }
    }
}

async fn tip(context: &Context) -> Result<(BlockHash, Height), RpcError> {
    let look = context.look(|view| {
        let tip = view.node.state().tip();
        (tip.hash, tip.height)
    });
    look.await
}

/// A time in milliseconds; absent, 0 and what is too long mean the longest.
fn time_limit(arguments: &Arguments, index: usize) -> Result<Duration, RpcError> {
    let given = arguments.u32(index)?.filter(|ms| *ms > 0);
    let given = given.map(|ms| Duration::from_millis(ms.into()));
    Ok(given.map_or(PATIENT_TIMEOUT, |given| given.min(PATIENT_TIMEOUT)))
}
