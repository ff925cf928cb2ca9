//! Whether this host can carry so many nodes, told before anything is made.
//!
//! Pure but for what reads. What is not known is not judged: better to try
//! than to refuse what would work.

use std::fs;

use devnet_blueprint::EngineKind;

const MIB: u64 = 1 << 20;
/// Resident memory of a young node.
const NODE_BYTES: u64 = 22 * MIB;
/// What a container has beside its node: a shim, and a proxy for each of its two
/// ports.
const CONTAINER_BYTES: u64 = 20 * MIB;
/// Threads of a node, and of what a container has beside it.
const NODE_TASKS: u64 = 8;
const CONTAINER_TASKS: u64 = 30;

/// What a host has left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Bytes of memory that programs can still have.
    pub memory_bytes: Option<u64>,
    /// Threads, of all programs, that there can be and that there are.
    pub tasks: Option<(u64, u64)>,
}

/// How large a network is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What carries it.
    pub engine: EngineKind,
    /// Nodes in all.
    pub nodes: u32,
    /// Nodes that do not run yet.
    pub more: u32,
}

/// Something of which there is too little.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// What is missing, as a sentence without its end.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl Host {
    /// Looks at this host.
    pub fn read() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let number = |path: &str| text(path).trim().parse::<u64>().ok();
        let limits = [
            number("/proc/sys/kernel/pid_max"),
            number("/proc/sys/kernel/threads-max"),
        ];
        let tasks_max = limits.into_iter().flatten().min();
        Self {
            memory_bytes: available_bytes(&text("/proc/meminfo")),
            tasks: tasks_max.zip(tasks(&text("/proc/loadavg"))),
        }
    }

    /// Everything that would run out.
    pub fn shortages(self, demand: Demand) -> Vec<Shortage> {
        let found = [self.memory(demand), self.threads(demand)];
        found.into_iter().flatten().collect()
    }

    fn memory(self, demand: Demand) -> Option<Shortage> {
        let has = self.memory_bytes?;
        let each = match demand.engine {
            EngineKind::Docker => NODE_BYTES + CONTAINER_BYTES,
            EngineKind::Process => NODE_BYTES,
        };
        let needs = u64::from(demand.more) * each;
        (needs > has).then(|| Shortage {
            what: format!(
                "{} more nodes need about {} MiB of memory, and {} MiB are available",
                demand.more,
                needs / MIB,
                has / MIB
            ),
            remedy: format!(
                "About {} fit; end other programs, or ask for fewer nodes.",
                has / each
            ),
        })
    }

    fn threads(self, demand: Demand) -> Option<Shortage> {
        let (most, now) = self.tasks?;
        let each = match demand.engine {
            EngineKind::Docker => NODE_TASKS + CONTAINER_TASKS,
            EngineKind::Process => NODE_TASKS,
        };
        let needs = u64::from(demand.more) * each;
        (needs > most.saturating_sub(now)).then(|| Shortage {
            what: format!(
                "{} more nodes need about {needs} threads, and {now} of {most} are taken",
                demand.more
            ),
            remedy: "`sysctl kernel.pid_max` and `kernel.threads-max` bound them; root can raise \
                     both."
                .into(),
        })
    }
}

/// `MemAvailable` of meminfo, in bytes.
fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1_024)
}

/// Threads there are, behind the slash of loadavg's fourth field.
fn tasks(loadavg: &str) -> Option<u64> {
    let field = loadavg.split_whitespace().nth(3)?;
    field.split_once('/')?.1.parse().ok()
}

/// How often this host's kernel had no room for another neighbour, of all network
/// namespaces together; neighbours that were told to it take none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbours {
    /// For how many there is room.
    pub most: u64,
    /// How often one was refused since the system started.
    pub refused: u64,
}

impl Neighbours {
    /// Looks at this host.
    pub fn read() -> Option<Self> {
        let text = |path: &str| fs::read_to_string(path).ok();
        let most = text("/proc/sys/net/ipv4/neigh/default/gc_thresh3")?;
        Some(Self {
            most: most.trim().parse().ok()?,
            refused: refused(&text("/proc/net/stat/arp_cache")?)?,
        })
    }

    /// What that means where more were refused than there had been.
    pub fn shortage(self, before: Self) -> Option<Shortage> {
        (self.refused > before.refused).then(|| Shortage {
            what: format!(
                "the kernel has room for {} neighbours of all containers and was asked for more",
                self.most
            ),
            remedy: format!(
                "It finds no way to them; run fewer at once, or as root `sysctl -w \
                 net.ipv4.neigh.default.gc_thresh3={}`.",
                self.most.saturating_mul(16)
            ),
        })
    }
}

/// Sum of the column `table_fulls`, of which each processor has a line, in base
/// 16.
fn refused(arp_cache: &str) -> Option<u64> {
    let mut lines = arp_cache.lines();
    let mut names = lines.next()?.split_whitespace();
    let column = names.position(|name| name == "table_fulls")?;
    let field = |line: &str| line.split_whitespace().nth(column).map(str::to_owned);
    lines
        .map(|line| u64::from_str_radix(&field(line)?, 16).ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOMY: Host = Host {
        memory_bytes: Some(24 << 30),
        tasks: Some((32_768, 300)),
    };

    const fn demand(engine: EngineKind, more: u32) -> Demand {
        Demand {
            engine,
            nodes: more,
            more,
        }
    }

    #[test]
    fn what_fits_is_not_refused() {
        assert_eq!(ROOMY.shortages(demand(EngineKind::Docker, 200)), []);
        assert_eq!(ROOMY.shortages(demand(EngineKind::Process, 300)), []);
        let unknown = Host::default();
        assert_eq!(unknown.shortages(demand(EngineKind::Docker, 1_023)), []);
    }

    #[test]
    fn too_little_memory_says_how_many_nodes_fit() {
        let small = Host {
            memory_bytes: Some(1 << 30),
            ..ROOMY
        };
        let found = small.shortages(demand(EngineKind::Process, 100));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].what.contains("2200 MiB"), "{found:?}");
        assert!(found[0].remedy.contains("About 46 fit"), "{found:?}");
        assert_eq!(small.shortages(demand(EngineKind::Process, 46)), []);
    }

    #[test]
    fn too_few_threads_are_told_with_who_bounds_them() {
        let found = ROOMY.shortages(demand(EngineKind::Docker, 900));
        assert!(
            found.iter().any(|found| found.remedy.contains("pid_max")),
            "{found:?}"
        );
    }

    #[test]
    fn neighbours_that_were_refused_are_told_with_the_bound() {
        let before = Neighbours {
            most: 1_024,
            refused: 7,
        };
        assert_eq!(before.shortage(before), None);
        let after = Neighbours {
            refused: 8,
            ..before
        };
        let found = after.shortage(before).expect("one was refused");
        assert!(found.remedy.contains("gc_thresh3=16384"), "{found:?}");
    }

    #[test]
    fn the_kernels_texts_are_read() {
        let arp_cache = "entries  table_fulls\n00000402 0000001a\n00000402 00000001\n";
        assert_eq!(refused(arp_cache), Some(27));
        assert_eq!(refused("entries  allocs\n00000402 00000001\n"), None);
        assert!(Neighbours::read().is_some());
        let meminfo = "MemTotal:  100 kB\nMemAvailable:   2048 kB\n";
        assert_eq!(available_bytes(meminfo), Some(2 << 20));
        assert_eq!(available_bytes("MemFree: 1 kB\n"), None);
        assert_eq!(tasks("0.10 0.20 0.30 2/345 6789\n"), Some(345));
        assert_eq!(tasks(""), None);
        let here = Host::read();
        assert!(here.memory_bytes.is_some_and(|bytes| bytes > 0), "{here:?}");
        assert!(here.tasks.is_some_and(|(most, now)| most > now), "{here:?}");
    }
}
