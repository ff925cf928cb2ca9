//! Who is kept out by the operator's word: addresses, networks of addresses
//! and peers, each until a time, kept over a restart.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ipnet::IpNet;
use libp2p::PeerId;
use serde::{Deserialize, Serialize};

use super::kept;

/// Who is meant by a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Every peer at these addresses.
    Net(IpNet),
    /// One peer, wherever it is.
    Peer(PeerId),
}

/// Why a text names nobody to ban.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is nobody to ban; write an IP address, a network such as 10.0.0.0/8, or a peer id \
     as `getpeerinfo` shows it"
)]
pub struct SubjectError {
    text: String,
}

/// One ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Who is kept out.
    pub subject: Subject,
    /// Seconds since 1970 when it was made.
    pub created_unix_s: u64,
    /// Seconds since 1970 when it ends.
    pub until_unix_s: u64,
}

/// All bans in force.
#[derive(Debug, Default)]
pub struct Bans {
    entries: BTreeMap<Subject, Ban>,
    file: Option<PathBuf>,
}

/// No more bans fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Bans at once.
pub const BANS_MAX: usize = 1_024;
/// Of one entry of the file, as Bitcoin Core writes it.
const LINE_VERSION: u32 = 1;

/// The file, in the shape of Bitcoin Core's `banlist.json`.
#[derive(Serialize, Deserialize)]
struct Page {
    banned_nets: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    version: u32,
    ban_created: u64,
    banned_until: u64,
    address: String,
}

impl FromStr for Subject {
    type Err = SubjectError;

    /// An IP address, a network in CIDR notation or a peer id. Bits of an
    /// address behind its prefix do not count.
    fn from_str(text: &str) -> Result<Self, SubjectError> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self::Net(ip.to_canonical().into()));
        }
        if let Ok(net) = text.parse::<IpNet>() {
            return Ok(Self::Net(net.trunc()));
        }
        text.parse().map(Self::Peer).map_err(|_| SubjectError {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(net) => net.fmt(formatter),
            Self::Peer(peer) => peer.fmt(formatter),
        }
    }
}

impl Bans {
    /// Reads the bans that are still in force. A file that cannot be read is
    /// set aside with a warning: a node must not stay away because of it.
    pub fn open(file: Option<PathBuf>, now_unix_s: u64) -> Self {
        let mut entries = BTreeMap::new();
        if let Some(file) = &file {
            match read(file) {
                Ok(read) => entries = read,
                Err(error) => set_aside(file, &error),
            }
        }
        entries.retain(|_, ban| ban.until_unix_s > now_unix_s);
        Self { entries, file }
    }

    /// Adds a ban, or replaces the one of the same subject.
    ///
    /// # Errors
    /// When there are [`BANS_MAX`] already.
    pub fn insert(&mut self, ban: Ban) -> Result<(), Full> {
        if self.entries.len() >= BANS_MAX && !self.entries.contains_key(&ban.subject) {
            return Err(Full);
        }
        self.entries.insert(ban.subject, ban);
        Ok(())
    }

    /// Ends a ban; whether there was one.
    pub fn remove(&mut self, subject: &Subject) -> bool {
        self.entries.remove(subject).is_some()
    }

    /// Ends all bans.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Ends those whose time is up. The file need not know: they are left out
    /// when it is read.
    pub fn sweep(&mut self, now_unix_s: u64) {
        self.entries.retain(|_, ban| ban.until_unix_s > now_unix_s);
    }

    /// All of them, networks first.
    pub fn iter(&self) -> impl Iterator<Item = &Ban> {
        self.entries.values()
    }

    /// Whether nobody at this address may connect.
    pub fn covers_ip(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let nets = self.entries.keys();
        let mut nets = nets.filter_map(|subject| match subject {
            Subject::Net(net) => Some(net),
            Subject::Peer(_) => None,
        });
        nets.any(|net| net.contains(&ip))
    }

    /// Whether this peer may not connect from anywhere.
    pub fn covers_peer(&self, peer: &PeerId) -> bool {
        self.entries.contains_key(&Subject::Peer(*peer))
    }

    /// Whether everybody meant is kept out already.
    pub fn covers(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Net(net) if net.prefix_len() == net.max_prefix_len() => {
                self.covers_ip(net.addr())
            }
            subject => self.entries.contains_key(subject),
        }
    }

    /// Writes all of them, so that a crash leaves the old file or the new one.
    ///
    /// # Errors
    /// The system's.
    pub fn save(&self) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let line = |ban: &Ban| Line {
            version: LINE_VERSION,
            ban_created: ban.created_unix_s,
            banned_until: ban.until_unix_s,
            address: ban.subject.to_string(),
        };
        let page = Page {
            banned_nets: self.iter().map(line).collect(),
        };
        kept::write(file, &page)
    }
}

fn read(file: &Path) -> io::Result<BTreeMap<Subject, Ban>> {
    let Some(page) = kept::read::<Page>(file)? else {
        return Ok(BTreeMap::new());
    };
    if page.banned_nets.len() > BANS_MAX {
        return Err(io::Error::other("the file holds too many bans"));
    }
    let ban = |line: &Line| {
        let subject = line.address.parse().map_err(io::Error::other)?;
        let ban = Ban {
            subject,
            created_unix_s: line.ban_created,
            until_unix_s: line.banned_until,
        };
        Ok((subject, ban))
    };
    page.banned_nets.iter().map(ban).collect()
}

fn set_aside(file: &Path, error: &io::Error) {
    let aside = file.with_extension("corrupt");
    // Where it cannot be moved, the next ban writes over it.
    let kept = fs::rename(file, &aside).is_ok();
    let kept_as = if kept { aside.as_path() } else { file };
    tracing::warn!(
        file = %file.display(), %error, kept_as = %kept_as.display(),
        "bans could not be read; nobody is banned until `setban` says so again"
    );
}

#[cfg(test)]
mod tests {
    use std::fs;

    use libp2p::PeerId;

    use super::{BANS_MAX, Ban, Bans, Full, Subject};

    fn ban(text: &str, until_unix_s: u64) -> Ban {
        Ban {
            subject: text.parse().expect("a subject"),
            created_unix_s: 5,
            until_unix_s,
        }
    }

    #[test]
    fn addresses_networks_and_peers_can_be_named_and_are_shown_as_core_shows_them() {
        let peer = PeerId::random().to_string();
        for (text, shown) in [
            ("10.1.2.3", "10.1.2.3/32"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("::1", "::1/128"),
            ("::ffff:10.1.2.3", "10.1.2.3/32"),
            (peer.as_str(), peer.as_str()),
        ] {
            let subject: Subject = text.parse().expect(text);
            assert_eq!(subject.to_string(), shown);
            assert_eq!(shown.parse(), Ok(subject));
        }
        for text in ["", "10.0.0.1/33", "10.0.0", "10.0.0.1:9000", "nobody"] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }

    #[test]
    fn ban_covers_its_addresses_and_no_others() {
        let (mut bans, peer) = (Bans::default(), PeerId::random());
        bans.insert(ban("10.0.0.0/8", 9)).expect("room");
        bans.insert(ban(&peer.to_string(), 9)).expect("room");
        let covers = |text: &str| bans.covers_ip(text.parse().expect("an address"));
        assert!(covers("10.255.0.1") && covers("::ffff:10.0.0.1"));
        assert!(!covers("11.0.0.1") && !covers("::1"));
        assert!(bans.covers_peer(&peer) && !bans.covers_peer(&PeerId::random()));
        assert!(bans.covers(&"10.0.0.7".parse().expect("a subject")));
        assert!(!bans.covers(&"10.0.0.0/16".parse().expect("a subject")));
    }

    #[test]
    fn bans_outlive_a_restart_but_not_their_time() {
        let dir = tempfile::tempdir().expect("temp dir");
        let file = Some(dir.path().join("banlist.json"));
        let peer = PeerId::random().to_string();
        let mut bans = Bans::open(file.clone(), 10);
        for one in [ban("10.0.0.1", 20), ban(&peer, 30), ban("::/0", 40)] {
            bans.insert(one).expect("room");
        }
        bans.save().expect("a file");
        let shown = |bans: &Bans| bans.iter().copied().collect::<Vec<_>>();
        assert_eq!(shown(&Bans::open(file.clone(), 10)), shown(&bans));
        let later = Bans::open(file, 30);
        assert_eq!(shown(&later), [ban("::/0", 40)]);
        bans.sweep(29);
        assert_eq!(bans.iter().count(), 2);
        assert!(bans.remove(&peer.parse().expect("a subject")));
        assert!(!bans.remove(&peer.parse().expect("a subject")));
        bans.clear();
        assert_eq!(bans.iter().count(), 0);
    }

    #[test]
    fn corrupt_file_is_set_aside_and_can_be_written_again() {
        let dir = tempfile::tempdir().expect("temp dir");
        let file = dir.path().join("banlist.json");
        let entry = |address: &str| {
            format!(r#"{{"version":1,"ban_created":1,"banned_until":9,"address":"{address}"}}"#)
        };
        let many = vec![entry("10.0.0.1"); BANS_MAX + 1].join(",");
        for garbage in [
            String::new(),
            "[]".into(),
            "\u{0}".into(),
            format!(r#"{{"banned_nets":[{}]}}"#, entry("nobody")),
            format!(r#"{{"banned_nets":[{many}]}}"#),
        ] {
            fs::write(&file, &garbage).expect("write");
            let mut bans = Bans::open(Some(file.clone()), 0);
            assert_eq!(bans.iter().count(), 0);
            let aside = fs::read(dir.path().join("banlist.corrupt")).expect("set aside");
            assert_eq!(aside, garbage.as_bytes());
            bans.insert(ban("10.0.0.1", 9)).expect("room");
            bans.save().expect("a file");
            assert_eq!(Bans::open(Some(file.clone()), 0).iter().count(), 1);
        }
    }

    #[test]
    fn bans_are_bounded() {
        let mut bans = Bans::default();
        for _ in 0..BANS_MAX {
            bans.insert(ban(&PeerId::random().to_string(), 9))
                .expect("room");
        }
        assert_eq!(bans.insert(ban("10.0.0.1", 9)), Err(Full));
        let known = bans.iter().next().copied().expect("a ban");
        assert_eq!(bans.insert(known), Ok(()));
    }
}
