//! Sockets to the kernel: to netfilter a batch of changes that holds as a whole
//! or not at all, and questions; to its routing tables a row of changes.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send,
    socket_with, sockopt,
};

use crate::message::{Head, Message, Writer, messages};
use devnet_netfault::wire::{Failure, Why};

/// nf_tables among netfilter's subsystems.
const SUBSYSTEM: u16 = 10;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;

const REPLY_ERROR: u16 = 2;
const REPLY_DONE: u16 = 3;

const FLAG_REQUEST: u16 = 0x01;
const FLAG_ACK: u16 = 0x04;
const FLAG_DUMP: u16 = 0x300;
/// Set in a dump during which somebody changed what is dumped.
const FLAG_INTERRUPTED: u16 = 0x10;

/// IPv4 among the families.
const FAMILY: u8 = 2;

/// The kernel answers at once or not at all.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// What unprivileged settings allow everywhere; the kernel doubles it.
const SEND_BYTES: usize = 212_992;

/// The routing subsystem has number 0, which the library has no name for.
const ROUTING: Option<Protocol> = None;

/// Changes of the routing subsystem sent at once.
const ROUTE_MESSAGES: usize = 256;

/// The kernel's dumps come in pieces of at most 32 KiB.
const RECEIVE_BYTES: usize = 1 << 16;

/// Changes to make in one step.
#[derive(Debug)]
pub struct Batch {
    writer: Writer,
    /// Where the last change begins, and its head.
    last: Option<(usize, Head)>,
    sequence: u32,
}

impl Batch {
    /// No change so far.
    pub fn new() -> Self {
        let mut batch = Self {
            writer: Writer::default(),
            last: None,
            sequence: 0,
        };
        batch.mark(BATCH_BEGIN);
        batch
    }

    /// Adds a change, such as "new rule"; `flags` are its own.
    pub fn change(&mut self, word: u16, flags: u16, fill: impl FnOnce(&mut Writer)) {
        self.sequence += 1;
        let head = Head {
            kind: (SUBSYSTEM << 8) | word,
            flags: FLAG_REQUEST | flags,
            sequence: self.sequence,
        };
        self.last = Some((self.writer.len(), head));
        self.writer.message(head, FAMILY, 0, fill);
    }

    fn mark(&mut self, kind: u16) {
        let head = Head {
            kind,
            flags: FLAG_REQUEST,
            sequence: self.sequence,
        };
        self.writer.message(head, 0, SUBSYSTEM, |_| {});
    }

    /// Makes the changes, all or none.
    pub fn commit(mut self) -> Result<(), Errno> {
        self.sequence += 1;
        self.mark(BATCH_END);
        let Some((start, last)) = self.last else {
            return Ok(());
        };
        // Success of the last tells that all succeeded, in an answer that fits
        // any socket; failures are told unasked.
        self.writer.set_flags(start, last.flags | FLAG_ACK);
        let socket = Socket::open(Some(netlink::NETFILTER))?;
        socket.send(&self.writer.finish())?;
        socket.until_done(last.sequence)
    }
}

/// Makes changes of the routing subsystem one after the other, each a message of
/// type `word` with what `fill` writes of an item; those before a failure stay.
pub fn change_each<T>(
    word: u16,
    flags: u16,
    items: &[T],
    fill: impl Fn(&mut Writer, &T),
) -> Result<(), Errno> {
    let socket = Socket::open(ROUTING)?;
    let mut sequence = 0;
    for some in items.chunks(ROUTE_MESSAGES) {
        let mut writer = Writer::default();
        for (at, item) in (1..).zip(some) {
            sequence += 1;
            // As in a batch, the last answers for all.
            let ack = if at == some.len() { FLAG_ACK } else { 0 };
            let head = Head {
                kind: word,
                flags: FLAG_REQUEST | flags | ack,
                sequence,
            };
            writer.message(head, FAMILY, 0, |writer| fill(writer, item));
        }
        socket.send(&writer.finish())?;
        socket.until_done(sequence)?;
    }
    Ok(())
}

/// Asks `word` about what the attributes name; `each` gets every answer. With
/// `dump` there may be many.
///
/// # Errors
/// [`Errno::INTR`]: things changed in the meantime; ask again.
pub fn ask(
    word: u16,
    dump: bool,
    fill: impl FnOnce(&mut Writer),
    mut each: impl FnMut(&Message<'_>),
) -> Result<(), Errno> {
    let head = Head {
        kind: (SUBSYSTEM << 8) | word,
        flags: FLAG_REQUEST | if dump { FLAG_DUMP } else { FLAG_ACK },
        sequence: 1,
    };
    let mut writer = Writer::default();
    writer.message(head, FAMILY, 0, fill);
    let socket = Socket::open(Some(netlink::NETFILTER))?;
    socket.send(&writer.finish())?;
    let mut interrupted = false;
    socket.receive(|message| {
        interrupted |= dump && message.head.flags & FLAG_INTERRUPTED != 0;
        match (message.head.kind, message.error_code()) {
            (REPLY_DONE, _) | (REPLY_ERROR, Some(0)) => Step::End,
            (REPLY_ERROR, Some(code)) => Step::Fail(Errno::from_raw_os_error(-code)),
            _ => {
                each(message);
                Step::Next
            }
        }
    })?;
    if interrupted {
        Err(Errno::INTR)
    } else {
        Ok(())
    }
}

/// What the kernel refused, in words.
pub fn explain(doing: &str, error: Errno) -> Failure {
    let why = match error {
        Errno::PERM | Errno::ACCESS => Why::NotPermitted,
        Errno::PROTONOSUPPORT
        | Errno::AFNOSUPPORT
        | Errno::OPNOTSUPP
        | Errno::NOENT
        | Errno::INVAL => Why::NoNfTables,
        _ => Why::Kernel,
    };
    Failure::new(why, format!("{doing}: {error}"))
}

enum Step {
    Next,
    End,
    Fail(Errno),
}

struct Socket(OwnedFd);

impl Socket {
    fn open(protocol: Option<Protocol>) -> Result<Self, Errno> {
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            protocol,
        )?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(ANSWER_MAX))?;
        sockopt::set_socket_send_buffer_size(&socket, SEND_BYTES)?;
        Ok(Self(socket))
    }

    fn send(&self, bytes: &[u8]) -> Result<(), Errno> {
        send(&self.0, bytes, SendFlags::empty()).map(drop)
    }

    /// Waits until the change of that number, the last, is done.
    fn until_done(&self, sequence: u32) -> Result<(), Errno> {
        self.receive(|message| match (message.head.kind, message.error_code()) {
            (REPLY_ERROR, Some(0)) if message.head.sequence == sequence => Step::End,
            (REPLY_ERROR, Some(0)) => Step::Next,
            (REPLY_ERROR, Some(code)) => Step::Fail(Errno::from_raw_os_error(-code)),
            _ => Step::Next,
        })
    }

    /// Gives each message to `each` until that ends it.
    fn receive(&self, mut each: impl FnMut(&Message<'_>) -> Step) -> Result<(), Errno> {
        let mut buffer = vec![0; RECEIVE_BYTES];
        loop {
            let (length, _) = recv(&self.0, buffer.as_mut_slice(), RecvFlags::empty())?;
            for message in messages(buffer.get(..length).unwrap_or_default()) {
                match each(&message) {
                    Step::Next => {}
                    Step::End => return Ok(()),
                    Step::Fail(error) => return Err(error),
                }
            }
        }
    }
}
