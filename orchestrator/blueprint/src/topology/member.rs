//! The single nodes of a topology, each with the settings that apply to it.

use super::{DEFAULT_HASH_RATE, Group, NODES_MAX, Role, Settings, Topology};

/// One node of a topology, with the settings of its group and its own merged.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Name: `<group>-<index>`.
    pub name: String,
    /// Name of its group.
    pub group: String,
    /// Position in the group.
    pub index: u32,
    /// What it does.
    pub role: Role,
    /// Merged settings; unset `image` and `binary` mean the network's.
    pub settings: Settings,
}

impl Topology {
    /// All nodes in order. Meaningful for a checked topology; of a wild count
    /// no more than [`NODES_MAX`] nodes a group are listed.
    pub fn members(&self) -> Vec<Member> {
        let of_group = |group: &Group| {
            (0..group.count.min(NODES_MAX))
                .map(|index| self.member(group, index))
                .collect()
        };
        self.groups
            .iter()
            .flat_map::<Vec<Member>, _>(of_group)
            .collect()
    }

    /// Hashes a second that all miners compute together.
    pub fn total_hash_rate(&self) -> f64 {
        let members = self.members();
        let miners = members.iter().filter(|member| member.role == Role::Miner);
        miners
            .map(|member| member.settings.hash_rate.unwrap_or(DEFAULT_HASH_RATE))
            .sum()
    }

    /// Hashes a second the first blocks expect: as wished, else of all miners
    /// together. Where nobody mines, of one default miner, so that whoever
    /// joins later meets a sensible target.
    pub fn initial_hash_rate(&self) -> f64 {
        let total = self.total_hash_rate();
        let derived = if total > 0.0 {
            total
        } else {
            DEFAULT_HASH_RATE
        };
        self.genesis.initial_hash_rate.unwrap_or(derived)
    }

    fn member(&self, group: &Group, index: u32) -> Member {
        let name = format!("{}-{index}", group.name);
        let own = self.nodes.get(&name).cloned().unwrap_or_default();
        // A node's own image or binary replaces whichever its group chose.
        let chooses = own.image.is_some() || own.binary.is_some();
        let (image, binary) = if chooses {
            (own.image, own.binary)
        } else {
            (group.image.clone(), group.binary.clone())
        };
        let mut env = group.env.clone();
        env.extend(own.env);
        let settings = Settings {
            hash_rate: own.hash_rate.or(group.hash_rate),
            image,
            binary,
            memory: own.memory.or(group.memory),
            env,
            log_filter: own.log_filter.or_else(|| group.log_filter.clone()),
            zone: own.zone.or_else(|| group.zone.clone()),
        };
        Member {
            name,
            group: group.name.clone(),
            index,
            role: group.role(),
            settings,
        }
    }
}

impl Group {
    /// The role given, or the one its name says.
    pub fn role(&self) -> Role {
        self.role.unwrap_or(match self.name.as_str() {
            "miner" | "miners" => Role::Miner,
            "bootstrap" | "bootstraps" => Role::Bootstrap,
            _ => Role::Observer,
        })
    }
}
