//! How faults are spelled.

use std::fmt;

use super::NodeFault;

/// In words that the names of the nodes follow: `clock off by 50 ms on`.
impl fmt::Display for NodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill => f.write_str("kill"),
            Self::Stop => f.write_str("stop"),
            Self::Start => f.write_str("start"),
            Self::Restart => f.write_str("restart"),
            Self::Pause => f.write_str("pause"),
            Self::Unpause => f.write_str("unpause"),
            Self::Remove => f.write_str("remove"),
            Self::Wipe => f.write_str("wipe"),
            Self::ClockSkew { offset_ms } => write!(f, "clock off by {offset_ms} ms on"),
            Self::HashRate { hashes_per_second } => write!(f, "{hashes_per_second} hashes/s on"),
            Self::Upgrade { program } => write!(f, "upgrade to {program} of"),
            Self::FillDisk => f.write_str("full disk on"),
            Self::CorruptStore => f.write_str("corrupt store of"),
            Self::Add { group } => write!(f, "add to {group}:"),
        }
    }
}
