//! From a method's name to its answer.

use std::sync::Arc;

use minichain_api::admin::method as lever;
use minichain_api::rpc::{RpcError, code, method};
use serde::Serialize;
use serde_json::Value;

use super::arguments::Arguments;
use super::{Admin, Context, admin, chain, error, mining, network, spec, transactions};

/// Carries out one call.
pub async fn call(context: &Arc<Context>, name: &str, params: Value) -> Result<Value, RpcError> {
    let Some(spec) = spec::find(name, context.admin.is_some()) else {
        return Err(error(
            code::METHOD_NOT_FOUND,
            "method not found; see `help`",
        ));
    };
    let arguments = Arguments::new(spec, params)?;
    match spec.name {
        method::GET_BEST_BLOCK_HASH => value(chain::best_block_hash(context).await?),
        method::GET_BLOCK => value(chain::block(context, &arguments).await?),
        method::GET_BLOCKCHAIN_INFO => value(chain::info(context).await?),
        method::GET_BLOCK_COUNT => value(chain::block_count(context).await?),
        method::GET_BLOCK_HASH => value(chain::block_hash(context, &arguments).await?),
        method::GET_BLOCK_HEADER => value(chain::block_header(context, &arguments).await?),
        method::GET_CHAIN_TIPS => value(chain::tips(context).await?),
        method::GET_TXOUT => value(transactions::tx_out(context, &arguments).await?),
        method::GET_TXOUTSET_INFO => value(chain::tx_out_set_info(context, &arguments).await?),
        method::GET_MEMPOOL_INFO => value(transactions::mempool_info(context).await?),
        method::GET_RAW_MEMPOOL => value(transactions::raw_mempool(context).await?),
        method::SEND_RAW_TRANSACTION => value(transactions::send(context, &arguments).await?),
        method::GET_MINING_INFO => value(mining::info(context).await?),
        method::GET_NETWORK_INFO => value(network::info(context).await?),
        method::GET_PEER_INFO => value(network::peers(context).await?),
        method::HELP => help(context, &arguments),
        method::STOP => Ok(stop(context)),
        method::UPTIME => value(context.observer.uptime().as_secs()),
        _ => match &context.admin {
            Some(admin) => pull(context, admin, spec.name, &arguments).await,
            None => Err(not_built()),
        },
    }
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
