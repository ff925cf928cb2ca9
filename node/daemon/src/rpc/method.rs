//! From a method's name to its answer.

use std::sync::Arc;
use std::time::Instant;

use minichain_api::admin::method as lever;
use minichain_api::rpc::{RpcError, code, method};
use minichain_protocol::input::SteeringOrder;
use serde::Serialize;
use serde_json::Value;

use super::arguments::Arguments;
use super::{
    Admin, Context, admin, chain, error, find, mempool, mining, network, peers, raw, scan, spec,
    stats, steering, transactions, trial, wallet, work,
};

/// Carries out one call and counts it.
pub async fn call(context: &Arc<Context>, name: &str, params: Value) -> Result<Value, RpcError> {
    let before = Instant::now();
    let answer = carry_out(context, name, params).await;
    let took = before.elapsed();
    context.observer.called(name, took, answer.is_err());
    answer
}

async fn carry_out(context: &Arc<Context>, name: &str, params: Value) -> Result<Value, RpcError> {
    let Some(spec) = spec::find(name, context.admin.is_some()) else {
        return Err(error(
            code::METHOD_NOT_FOUND,
            "method not found; see `help`",
        ));
    };
    let arguments = Arguments::new(spec, params)?;
    let work = run(context, spec.name, &arguments);
    context.limits.run(spec.is_patient(), work).await
}

async fn run(context: &Arc<Context>, name: &str, arguments: &Arguments) -> Result<Value, RpcError> {
    if let Some(answer) = run_on_chain(context, name, arguments).await? {
        return Ok(answer);
    }
    if let Some(answer) = run_on_peers(context, name, arguments).await? {
        return Ok(answer);
    }
    if let Some(answer) = run_on_wallet(context, name, arguments).await? {
        return Ok(answer);
    }
    match name {
        method::DECODE_RAW_TRANSACTION => value(raw::decode(context, arguments)?),
        method::GENERATE_TO_ADDRESS => value(work::generate_to_address(context, arguments).await?),
        method::GET_BLOCK_TEMPLATE => value(work::block_template(context, arguments).await?),
        method::GET_MEMPOOL_ENTRY => value(mempool::entry(context, arguments).await?),
        method::GET_MEMPOOL_INFO => value(mempool::info(context).await?),
        method::GET_MINING_INFO => value(mining::info(context).await?),
        method::GET_RAW_MEMPOOL => mempool::raw(context, arguments).await,
        method::GET_RAW_TRANSACTION => raw::transaction(context, arguments).await,
        method::HELP => help(context, arguments),
        method::SCAN_TXOUTSET => scan::scan(context, arguments).await,
        method::SEND_RAW_TRANSACTION => value(transactions::send(context, arguments).await?),
        method::STOP => Ok(stop(context)),
        method::SUBMIT_BLOCK => value(work::submit_block(context, arguments).await?),
        method::TEST_MEMPOOL_ACCEPT => value(trial::test(context, arguments).await?),
        method::UPTIME => value(context.observer.uptime().as_secs()),
        method::VALIDATE_ADDRESS => value(raw::validate_address(context, arguments)?),
        _ => match &context.admin {
            Some(admin) => pull(context, admin, name, arguments).await,
            None => Err(not_built()),
        },
    }
}

/// Carries out one call about blocks, coins and the tip; none for others.
async fn run_on_chain(
    context: &Context,
    name: &str,
    arguments: &Arguments,
) -> Result<Option<Value>, RpcError> {
    Ok(Some(match name {
        method::GET_BEST_BLOCK_HASH => value(chain::best_block_hash(context).await?)?,
        method::GET_BLOCK => chain::block(context, arguments).await?,
        method::GET_BLOCKCHAIN_INFO => value(chain::info(context).await?)?,
        method::GET_BLOCK_COUNT => value(chain::block_count(context).await?)?,
        method::GET_BLOCK_HASH => value(chain::block_hash(context, arguments).await?)?,
        method::GET_BLOCK_HEADER => chain::block_header(context, arguments).await?,
        method::GET_BLOCK_STATS => stats::block_stats(context, arguments).await?,
        method::GET_CHAIN_TIPS => value(chain::tips(context).await?)?,
        method::GET_DIFFICULTY => value(chain::tip_difficulty(context).await?)?,
        method::GET_TXOUT => value(transactions::tx_out(context, arguments).await?)?,
        method::GET_TXOUTSET_INFO => value(chain::tx_out_set_info(context, arguments).await?)?,
        method::INVALIDATE_BLOCK => {
            value(steering::steer(context, arguments, SteeringOrder::Invalidate).await?)?
        }
        method::RECONSIDER_BLOCK => {
            value(steering::steer(context, arguments, SteeringOrder::Reconsider).await?)?
        }
        method::WAIT_FOR_BLOCK => value(steering::wait_for_block(context, arguments).await?)?,
        method::WAIT_FOR_BLOCK_HEIGHT => {
            value(steering::wait_for_height(context, arguments).await?)?
        }
        method::WAIT_FOR_NEW_BLOCK => {
            value(steering::wait_for_new_block(context, arguments).await?)?
        }
        _ => return Ok(None),
    }))
}

/// Carries out one call about peers; none for others.
async fn run_on_peers(
    context: &Context,
    name: &str,
    arguments: &Arguments,
) -> Result<Option<Value>, RpcError> {
    Ok(Some(match name {
        method::ADD_NODE => value(peers::add_node(context, arguments).await?)?,
        method::CLEAR_BANNED => value(peers::clear_banned(context).await?)?,
        method::DISCONNECT_NODE => value(peers::disconnect_node(context, arguments).await?)?,
        method::GET_CONNECTION_COUNT => value(network::connection_count(context).await?)?,
        method::GET_NET_TOTALS => value(network::totals(context).await?)?,
        method::GET_NETWORK_INFO => value(network::info(context).await?)?,
        method::GET_PEER_INFO => value(network::peers(context).await?)?,
        method::LIST_BANNED => value(peers::list_banned(context).await?)?,
        method::SET_BAN => value(peers::set_ban(context, arguments).await?)?,
        _ => return Ok(None),
    }))
}

/// Carries out one call about the node's own coins, or somebody else's; none
/// for others.
async fn run_on_wallet(
    context: &Context,
    name: &str,
    arguments: &Arguments,
) -> Result<Option<Value>, RpcError> {
    Ok(Some(match name {
        method::GET_BALANCE => value(wallet::balance(context, arguments).await?)?,
        method::GET_BALANCES => value(wallet::balances(context).await?)?,
        method::GET_NEW_ADDRESS => value(wallet::new_address(context, arguments).await?)?,
        method::GET_WALLET_INFO => value(wallet::info(context).await?)?,
        method::LIST_UNSPENT => value(wallet::list_unspent(context, arguments).await?)?,
        method::SCAN_BLOCKS => find::blocks(context, arguments).await?,
        method::SCAN_MEMPOOL => value(find::mempool(context, arguments).await?)?,
        method::SEND_TO_ADDRESS => wallet::send_to_address(context, arguments).await?,
        _ => return Ok(None),
    }))
}

/// Carries out one call of fault injection.
async fn pull(
    context: &Context,
    admin: &Admin,
    name: &str,
    arguments: &Arguments,
) -> Result<Value, RpcError> {
    match name {
        lever::GET_ADMIN_INFO => value(admin::info(context, admin).await?),
        lever::PROBE_PEERS => value(admin::probe(admin, arguments).await?),
        lever::SET_CLOCK_OFFSET => value(admin::set_clock_offset(context, admin, arguments)?),
        lever::SET_CONDITIONS => value(admin::set_conditions(context, admin, arguments)?),
        lever::SET_DISK_QUOTA => value(admin::set_disk_quota(admin, arguments)?),
        lever::SET_HASH_RATE => value(admin::set_hash_rate(admin, arguments)?),
        _ => Err(not_built()),
    }
}

fn not_built() -> RpcError {
    error(
        code::INTERNAL,
        "this method is specified but not built; report it",
    )
}

fn value(answer: impl Serialize) -> Result<Value, RpcError> {
    serde_json::to_value(answer).map_err(super::server::internal)
}

fn help(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let with_admin = context.admin.is_some();
    match arguments.text(0)? {
        None => Ok(spec::overview(with_admin).into()),
        Some(name) => match spec::find(name, with_admin) {
            Some(spec) => Ok(spec.explanation().into()),
            None => Err(error(
                code::INVALID_PARAMETER,
                format!("no method {name:?}; see `help`"),
            )),
        },
    }
}

/// The answer goes out before the server ends, see [`super::Server`].
fn stop(context: &Context) -> Value {
    tracing::info!("ending, as asked by RPC");
    context.shutdown.request();
    "minichain stopping".into()
}
