//! Methods by which the operator chooses peers.

use std::net::SocketAddr;

use libp2p::Multiaddr;
use minichain_api::rpc::{BannedInfo, RpcError, code};
use minichain_protocol::input::Peer;

use super::arguments::Arguments;
use super::{Context, ending, error};
use crate::net::{self, Ban, Refusal, Subject, Until, Whom, Wish};

/// A ban's time where none is given: a day, as in Bitcoin Core.
const BAN_TIME_S: u64 = 86_400;

/// `addnode`.
pub async fn add_node(context: &Context, arguments: &Arguments) -> Result<(), RpcError> {
    let wanted = wish_for_node(arguments)?;
    grant(context, wanted).await
}

/// `disconnectnode`.
pub async fn disconnect_node(context: &Context, arguments: &Arguments) -> Result<(), RpcError> {
    let address = arguments.text(0)?.filter(|text| !text.is_empty());
    let whom = match (address, arguments.decoded_or_none::<u64>(1)?) {
        (Some(address), None) => whom(address)?,
        (None, Some(number)) => Whom::Number(Peer(number)),
        _ => {
            let why = "give either address or nodeid; to give nodeid leave address empty";
            return Err(error(code::INVALID_PARAMS, why));
        }
    };
    grant(context, Wish::Disconnect(whom)).await
}

/// `setban`.
pub async fn set_ban(context: &Context, arguments: &Arguments) -> Result<(), RpcError> {
    let text = arguments.text(0)?.unwrap_or_default();
    let subject: Subject = text
        .parse()
        .map_err(|why: net::SubjectError| error(code::INVALID_IP_OR_SUBNET, why.to_string()))?;
    let wanted = match arguments.text(1)?.unwrap_or_default() {
        "add" => Wish::Ban {
            subject,
            until: until(arguments)?,
        },
        "remove" => Wish::Unban(subject),
        other => return Err(unknown("setban", other, "add or remove")),
    };
    match grant_or_refuse(context, wanted).await? {
        // Bitcoin Core has a code of its own for this one.
        Err(why @ Refusal::AlreadyBanned) => Err(error(code::NODE_ALREADY_ADDED, why.to_string())),
        answer => answer.map_err(|why| refused(&why)),
    }
}

/// `listbanned`.
pub async fn list_banned(context: &Context) -> Result<Vec<BannedInfo>, RpcError> {
    let bans = context.operator.bans().await;
    let now_unix_s = net::unix_s();
    let shown = |ban: &Ban| BannedInfo {
        address: ban.subject.to_string(),
        ban_created: ban.created_unix_s,
        banned_until: ban.until_unix_s,
        ban_duration: ban.until_unix_s.saturating_sub(ban.created_unix_s),
        time_remaining: ban.until_unix_s.saturating_sub(now_unix_s),
    };
    let bans = bans.map_err(|net::Ended| ending())?;
    Ok(bans.iter().map(shown).collect())
}

/// `clearbanned`.
pub async fn clear_banned(context: &Context) -> Result<(), RpcError> {
    grant(context, Wish::ClearBans).await
}

fn wish_for_node(arguments: &Arguments) -> Result<Wish, RpcError> {
    let address = address(arguments.text(0)?.unwrap_or_default())?;
    match arguments.text(1)?.unwrap_or_default() {
        "onetry" => Ok(Wish::Try(address)),
        "add" => Ok(Wish::Add(address)),
        "remove" => Ok(Wish::Remove(address)),
        other => Err(unknown("addnode", other, "add, remove or onetry")),
    }
}

/// A connected peer as a person names it.
pub fn whom(text: &str) -> Result<Whom, RpcError> {
    match text.parse() {
        Ok(id) => Ok(Whom::Id(id)),
        Err(_) => address(text).map(Whom::Address),
    }
}

/// An address to dial; `ip:port/p2p/PEERID` is understood as well.
fn address(text: &str) -> Result<Multiaddr, RpcError> {
    let refused =
        |why: net::addresses::AddressError| error(code::INVALID_PARAMETER, why.to_string());
    let with_id = text.split_once("/p2p/").and_then(|(socket, id)| {
        let socket = socket.parse::<SocketAddr>().ok()?;
        Some(format!("{}/p2p/{id}", net::addresses::from_socket(socket)))
    });
    net::addresses::parse(with_id.as_deref().unwrap_or(text)).map_err(refused)
}

/// Anything that is no time means the default, as in Bitcoin Core.
fn until(arguments: &Arguments) -> Result<Until, RpcError> {
    let time = arguments
        .decoded_or_none::<u64>(2)?
        .filter(|time| *time > 0);
    let is_absolute = arguments.bool(3)?.unwrap_or(false);
    Ok(match time {
        Some(end) if is_absolute => Until::UnixSeconds(end),
        time => Until::InSeconds(time.unwrap_or(BAN_TIME_S)),
    })
}

async fn grant(context: &Context, wanted: Wish) -> Result<(), RpcError> {
    let answer = grant_or_refuse(context, wanted).await?;
    answer.map_err(|why| refused(&why))
}

async fn grant_or_refuse(context: &Context, wanted: Wish) -> Result<Result<(), Refusal>, RpcError> {
    let answer = context.operator.wish(wanted).await;
    answer.map_err(|net::Ended| ending())
}

fn refused(why: &Refusal) -> RpcError {
    let code = match why {
        Refusal::AlreadyAdded => code::NODE_ALREADY_ADDED,
        Refusal::NotAdded => code::NODE_NOT_ADDED,
        Refusal::NotConnected => code::NODE_NOT_CONNECTED,
        Refusal::NotBanned => code::INVALID_IP_OR_SUBNET,
        Refusal::Past => code::INVALID_PARAMETER,
        Refusal::NotSaved(_) => code::INTERNAL,
        Refusal::AlreadyBanned
        | Refusal::Banned
        | Refusal::NotDialled(_)
        | Refusal::TooManyAdded
        | Refusal::TooManyBans => code::MISC,
    };
    error(code, why.to_string())
}

fn unknown(method: &str, command: &str, known: &str) -> RpcError {
    let why = format!("command {command:?} must be {known}; see `help {method}`");
    error(code::MISC, why)
}

#[cfg(test)]
mod tests {
    use libp2p::PeerId;
    use minichain_api::rpc::code;
    use serde_json::json;

    use super::super::spec::find_any;
    use super::*;

    fn arguments(method: &str, given: serde_json::Value) -> Arguments {
        Arguments::new(find_any(method).unwrap(), given).unwrap()
    }

    #[test]
    fn addresses_are_read_with_and_without_a_peer_id() {
        let id = PeerId::random();
        for (text, read) in [
            (
                "10.0.0.1:9000".to_owned(),
                "/ip4/10.0.0.1/tcp/9000".to_owned(),
            ),
            (
                "/ip4/10.0.0.1/tcp/9000".into(),
                "/ip4/10.0.0.1/tcp/9000".into(),
            ),
            ("localhost:9000".into(), "/dns/localhost/tcp/9000".into()),
            (
                format!("10.0.0.1:9000/p2p/{id}"),
                format!("/ip4/10.0.0.1/tcp/9000/p2p/{id}"),
            ),
            (
                format!("/ip6/::1/tcp/9000/p2p/{id}"),
                format!("/ip6/::1/tcp/9000/p2p/{id}"),
            ),
        ] {
            assert_eq!(address(&text).unwrap().to_string(), read);
        }
        for text in [
            "",
            "10.0.0.1",
            "10.0.0.1:0",
            "10.0.0.1:9000/p2p/x",
            "/ip4/10.0.0.1",
        ] {
            assert_eq!(
                address(text).unwrap_err().code,
                code::INVALID_PARAMETER,
                "{text}"
            );
        }
        assert_eq!(whom(&id.to_string()), Ok(Whom::Id(id)));
    }

    #[test]
    fn times_of_a_ban_are_read_as_core_reads_them() {
        for (given, expected) in [
            (json!(["10.0.0.1", "add"]), Until::InSeconds(86_400)),
            (json!(["10.0.0.1", "add", 0]), Until::InSeconds(86_400)),
            (json!(["10.0.0.1", "add", 5]), Until::InSeconds(5)),
            (json!(["10.0.0.1", "add", 5, false]), Until::InSeconds(5)),
            (json!(["10.0.0.1", "add", 5, true]), Until::UnixSeconds(5)),
        ] {
            assert_eq!(until(&arguments("setban", given)), Ok(expected));
        }
        let wrong = arguments("setban", json!(["10.0.0.1", "add", "long"]));
        assert_eq!(until(&wrong).unwrap_err().code, code::INVALID_PARAMETER);
    }

    #[test]
    fn unknown_commands_are_told_with_the_known_ones() {
        let why = wish_for_node(&arguments("addnode", json!(["10.0.0.1:1", "twice"])));
        let why = why.unwrap_err();
        assert!(
            why.code == code::MISC && why.message.contains("onetry"),
            "{why:?}"
        );
    }
}
