//! One rule of our chain as nf_tables' expressions (the kernel's
//! `include/uapi/linux/netfilter/nf_tables.h`).
//!
//! A rule is a row of small steps: load the sender's address into a register,
//! compare it, perhaps draw a number and compare that, count, decide.

use std::net::Ipv4Addr;

use devnet_netfault::wire::{Failure, Why};

use crate::message::{Attributes, Writer};

/// All random draws are out of so many.
const MILLION: u32 = 1_000_000;

const RULE_EXPRESSIONS: u16 = 4;
const LIST_ELEMENT: u16 = 1;
const EXPRESSION_NAME: u16 = 1;
const EXPRESSION_DATA: u16 = 2;

const PAYLOAD_REGISTER: u16 = 1;
const PAYLOAD_BASE: u16 = 2;
const PAYLOAD_OFFSET: u16 = 3;
const PAYLOAD_LENGTH: u16 = 4;
const COMPARE_REGISTER: u16 = 1;
const COMPARE_BY: u16 = 2;
const COMPARE_DATA: u16 = 3;
const DATA_VALUE: u16 = 1;
const DATA_VERDICT: u16 = 2;
const VERDICT_CODE: u16 = 1;
const NUMBER_REGISTER: u16 = 1;
const NUMBER_MODULUS: u16 = 2;
const NUMBER_KIND: u16 = 3;
const ORDER_SOURCE: u16 = 1;
const ORDER_REGISTER: u16 = 2;
const ORDER_BY: u16 = 3;
const ORDER_LENGTH: u16 = 4;
const ORDER_SIZE: u16 = 5;
const COUNTER_BYTES: u16 = 1;
const COUNTER_PACKETS: u16 = 2;
const IMMEDIATE_REGISTER: u16 = 1;
const IMMEDIATE_DATA: u16 = 2;

const VERDICT_REGISTER: u32 = 0;
const REGISTER: u32 = 1;
const NETWORK_HEADER: u32 = 1;
/// Where an IPv4 header holds the sender's address (rfc791).
const SENDER_OFFSET: u32 = 12;
const ADDRESS_BYTES: u32 = 4;
const EQUAL: u32 = 0;
const LESS: u32 = 2;
const RANDOM: u32 = 1;
const TO_NETWORK_ORDER: u32 = 1;
const DROP: u32 = 0;
const ACCEPT: u32 = 1;

/// A rule of our chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose packets.
    pub sender: Ipv4Addr,
    /// What becomes of them.
    pub fate: Fate,
    /// How many met it.
    pub packets: u64,
}

/// What becomes of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Counted and let through.
    Pass,
    /// So many of a million dropped, by chance; counted are the dropped ones.
    Drop {
        /// 1 to a million.
        millionths: u32,
    },
}

/// How a share of packets is dropped; `None` if none is. A share too small for
/// a millionth is one millionth.
///
/// # Errors
/// It is no share.
pub fn drop_of(share: f64, sender: Ipv4Addr) -> Result<Option<Fate>, Failure> {
    if !(0.0..=1.0).contains(&share) {
        let detail = format!("the share {share} of packets from {sender} is not between 0 and 1");
        return Err(Failure::new(Why::BadCommand, detail));
    }
    if share == 0.0 {
        return Ok(None);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and a million"
    )]
    let millionths = (share * f64::from(MILLION)).round() as u32;
    Ok(Some(Fate::Drop {
        millionths: millionths.max(1),
    }))
}

/// The share of so many of a million.
pub fn share(millionths: u32) -> f64 {
    f64::from(millionths) / f64::from(MILLION)
}

/// Writes the rule's expressions.
pub fn write(writer: &mut Writer, line: &Line) {
    writer.nested(RULE_EXPRESSIONS, |list| {
        element(list, "payload", |data| {
            data.number(PAYLOAD_REGISTER, REGISTER);
            data.number(PAYLOAD_BASE, NETWORK_HEADER);
            data.number(PAYLOAD_OFFSET, SENDER_OFFSET);
            data.number(PAYLOAD_LENGTH, ADDRESS_BYTES);
        });
        compare(list, EQUAL, line.sender.octets());
        let code = match line.fate {
            Fate::Pass => ACCEPT,
            Fate::Drop { millionths } if millionths >= MILLION => DROP,
            Fate::Drop { millionths } => {
                draw(list);
                compare(list, LESS, millionths.to_be_bytes());
                DROP
            }
        };
        element(list, "counter", |data| {
            data.bytes(COUNTER_BYTES, &0_u64.to_be_bytes());
            data.bytes(COUNTER_PACKETS, &0_u64.to_be_bytes());
        });
        element(list, "immediate", |data| {
            data.number(IMMEDIATE_REGISTER, VERDICT_REGISTER);
            data.nested(IMMEDIATE_DATA, |data| {
                data.nested(DATA_VERDICT, |data| data.number(VERDICT_CODE, code));
            });
        });
    });
}

/// A number below a million into the register, ordered as it is compared.
fn draw(list: &mut Writer) {
    element(list, "numgen", |data| {
        data.number(NUMBER_REGISTER, REGISTER);
        data.number(NUMBER_MODULUS, MILLION);
        data.number(NUMBER_KIND, RANDOM);
    });
    element(list, "byteorder", |data| {
        data.number(ORDER_SOURCE, REGISTER);
        data.number(ORDER_REGISTER, REGISTER);
        data.number(ORDER_BY, TO_NETWORK_ORDER);
        data.number(ORDER_LENGTH, 4);
        data.number(ORDER_SIZE, 4);
    });
}

fn compare(list: &mut Writer, by: u32, value: [u8; 4]) {
    element(list, "cmp", |data| {
        data.number(COMPARE_REGISTER, REGISTER);
        data.number(COMPARE_BY, by);
        data.nested(COMPARE_DATA, |data| data.bytes(DATA_VALUE, &value));
    });
}

fn element(list: &mut Writer, name: &str, fill: impl FnOnce(&mut Writer)) {
    list.nested(LIST_ELEMENT, |element| {
        element.text(EXPRESSION_NAME, name);
        element.nested(EXPRESSION_DATA, fill);
    });
}

/// The rule in these attributes; `None` if it is not one of ours.
pub fn read(rule: Attributes<'_>) -> Option<Line> {
    let list = rule.inside(RULE_EXPRESSIONS)?;
    let mut steps = list.iter().map(|(_, element)| Attributes(element));
    is_sender(steps.next()?)?;
    let sender = Ipv4Addr::from(compared(steps.next()?, EQUAL)?);
    let mut step = steps.next()?;
    let mut drawn = None;
    if let Some(numbers) = named(step, "numgen") {
        let is_ours = numbers.number(NUMBER_MODULUS)? == MILLION
            && numbers.number(NUMBER_KIND)? == RANDOM
            && named(steps.next()?, "byteorder").is_some();
        drawn = Some(compared(steps.next()?, LESS).filter(|_| is_ours)?);
        step = steps.next()?;
    }
    let packets = named(step, "counter")?.long_number(COUNTER_PACKETS)?;
    let code = named(steps.next()?, "immediate")?
        .inside(IMMEDIATE_DATA)?
        .inside(DATA_VERDICT)?
        .number(VERDICT_CODE)?;
    let fate = match (code, drawn) {
        (ACCEPT, None) => Fate::Pass,
        (DROP, None) => Fate::Drop {
            millionths: MILLION,
        },
        (DROP, Some(millionths)) => Fate::Drop { millionths },
        _ => return None,
    };
    steps.next().is_none().then_some(Line {
        sender,
        fate,
        packets,
    })
}

fn is_sender(step: Attributes<'_>) -> Option<()> {
    let payload = named(step, "payload")?;
    let is_ours = payload.number(PAYLOAD_BASE)? == NETWORK_HEADER
        && payload.number(PAYLOAD_OFFSET)? == SENDER_OFFSET
        && payload.number(PAYLOAD_LENGTH)? == ADDRESS_BYTES;
    is_ours.then_some(())
}

fn compared(step: Attributes<'_>, by: u32) -> Option<u32> {
    let data = named(step, "cmp")?;
    let value = data.inside(COMPARE_DATA)?.number(DATA_VALUE)?;
    (data.number(COMPARE_BY)? == by).then_some(value)
}

fn named<'a>(step: Attributes<'a>, name: &str) -> Option<Attributes<'a>> {
    let data = step.inside(EXPRESSION_DATA)?;
    step.is_text(EXPRESSION_NAME, name).then_some(data)
}
