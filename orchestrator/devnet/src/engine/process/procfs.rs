//! Which processes run: read from Linux's /proc.
//!
//! A node's process is known by the environment variable [`MARKER`], set when
//! it is spawned and kept until it ends, so it is found even if whoever spawned
//! it was killed before it could write anything down.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Environment variable of every node's process: the path of its folder.
pub const MARKER: &str = "DEVNET_NODE_FOLDER";

/// One life of a process: a number is reused, a number with its start time not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Life {
    /// Process id.
    pub pid: i32,
    /// Start time in clock ticks since the machine booted.
    pub start_ticks: u64,
}

/// A live process of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeProcess {
    /// Which process, in which life.
    pub life: Life,
    /// The node's folder, from the marker.
    pub folder: PathBuf,
    /// Whether it is stopped by a signal.
    pub is_stopped: bool,
}

/// The fields of `/proc/PID/stat` that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    /// In user mode and in the kernel.
    cpu_ticks: u64,
    start_ticks: u64,
}

/// Every live process whose marker lies in or at `root`.
pub fn processes_under(root: &Path) -> io::Result<Vec<NodeProcess>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        // Processes end while we look; whatever cannot be read is gone or is
        // another user's.
        let Ok(entry) = entry else { continue };
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        if let Some(process) = node_process(pid)
            && process.folder.starts_with(root)
        {
            found.push(process);
        }
    }
    found.sort_by(|a, b| a.folder.cmp(&b.folder).then(a.life.pid.cmp(&b.life.pid)));
    Ok(found)
}

/// The node's process with this number, if there is one and it lives.
pub fn node_process(pid: i32) -> Option<NodeProcess> {
    let folder = marker(&fs::read(format!("/proc/{pid}/environ")).ok()?)?;
    let stat = read_stat(pid)?;
    // The marker was read before the start time, so both are of one life unless
    // the number was reused in between by another node; then the second look
    // by whoever acts on it disagrees.
    (!matches!(stat.state, 'Z' | 'X')).then_some(NodeProcess {
        life: Life {
            pid,
            start_ticks: stat.start_ticks,
        },
        folder,
        is_stopped: matches!(stat.state, 'T' | 't'),
    })
}

/// The life of the process with this number, dead children included.
pub fn life(pid: i32) -> Option<Life> {
    read_stat(pid).map(|stat| Life {
        pid,
        start_ticks: stat.start_ticks,
    })
}

/// Whether this very process still runs, or at least one of its threads does:
/// while they end, the first one shows as dead, and files are still locked.
pub fn is_alive(life: Life) -> bool {
    read_stat(life.pid).is_some_and(|stat| {
        let is_same = stat.start_ticks == life.start_ticks;
        is_same && (!matches!(stat.state, 'Z' | 'X') || has_other_threads(life.pid))
    })
}

fn has_other_threads(pid: i32) -> bool {
    fs::read_dir(format!("/proc/{pid}/task")).is_ok_and(|threads| threads.count() > 1)
}

/// Whether this very process is stopped by a signal, or gone.
pub fn is_stopped(life: Life) -> bool {
    !is_alive(life) || read_stat(life.pid).is_some_and(|stat| matches!(stat.state, 'T' | 't'))
}

/// When that life began, in milliseconds since 1970, to a hundredth of a
/// second. It moves with the host's clock, so it tells no life from another.
pub fn started_at_ms(life: Life) -> Option<u64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let booted_s: u64 = text
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()?;
    let ticks_a_second = rustix::param::clock_ticks_per_second().max(1);
    let since_boot_ms = life.start_ticks.checked_mul(1_000)? / ticks_a_second;
    booted_s.checked_mul(1_000)?.checked_add(since_boot_ms)
}

/// Processor time that a process of this host has taken, in milliseconds.
pub fn cpu_ms(pid: u32) -> Option<u64> {
    let ticks = read_stat(i32::try_from(pid).ok()?)?.cpu_ticks;
    let ticks_a_second = rustix::param::clock_ticks_per_second().max(1);
    Some(ticks.checked_mul(1_000)? / ticks_a_second)
}

/// Memory that a process of this host holds.
pub fn resident_bytes(pid: u32) -> Option<u64> {
    resident_in(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

fn resident_in(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1_024)
}

fn read_stat(pid: i32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The second field is the program's name in brackets and may itself hold
/// brackets and spaces, so fields are counted from the last one.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?.chars().next()?;
    // The state is field 3 of proc(5), the times in user mode and in the kernel
    // fields 14 and 15, the start time field 22.
    let user: u64 = fields.nth(10)?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    let start_ticks = fields.nth(6)?.parse().ok()?;
    Some(Stat {
        state,
        cpu_ticks: user.checked_add(kernel)?,
        start_ticks,
    })
}

fn marker(environ: &[u8]) -> Option<PathBuf> {
    let prefix = format!("{MARKER}=");
    environ
        .split(|byte| *byte == 0)
        .find_map(|variable| variable.strip_prefix(prefix.as_bytes()))
        .and_then(|path| std::str::from_utf8(path).ok())
        .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_brackets_does_not_shift_the_fields() {
        let text = "42 (a) b (c)) T 1 42 42 0 -1 4194304 1 0 0 0 7 5 0 0 20 0 1 0 98765 1 2";
        assert_eq!(
            parse_stat(text),
            Some(Stat {
                state: 'T',
                cpu_ticks: 12,
                start_ticks: 98765
            })
        );
    }

    #[test]
    fn a_truncated_line_is_no_process() {
        for text in ["", "42 (a", "42 (a) S 1 2 3", "42 (a) "] {
            assert_eq!(parse_stat(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_child_nobody_waited_for_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().expect("it runs");
        let pid = i32::try_from(child.id()).expect("process ids fit");
        let life = life(pid).expect("not yet waited for");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while is_alive(life) {
            assert!(std::time::Instant::now() < deadline, "it does not end");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        assert!(read_stat(pid).is_some_and(|stat| stat.state == 'Z'));
        child.wait().expect("a child of ours");
    }

    #[test]
    fn memory_is_read_in_bytes() {
        assert_eq!(
            resident_in("VmHWM:\t 9 kB\nVmRSS:\t  2048 kB\n"),
            Some(2 << 20)
        );
        assert_eq!(resident_in("VmRSS:\t x kB\n"), None);
        assert_eq!(resident_in("Name:\tkthreadd\n"), None);
        assert!(resident_bytes(std::process::id()).is_some_and(|bytes| bytes > 0));
    }

    #[test]
    fn a_process_began_after_1970_and_before_now() {
        let own = life(i32::try_from(std::process::id()).expect("process ids fit"));
        let began_ms = started_at_ms(own.expect("this process exists")).expect("Linux tells");
        let now_ms = crate::clock::now_ms();
        assert!(began_ms <= now_ms + 2_000, "{began_ms} {now_ms}");
        assert!(began_ms + 86_400_000 > now_ms, "{began_ms} {now_ms}");
    }

    #[test]
    fn the_marker_is_a_whole_variable() {
        let found = marker(b"A=1\0DEVNET_NODE_FOLDER=/s/n/nodes/miner-0\0B=2\0");
        assert_eq!(found, Some(PathBuf::from("/s/n/nodes/miner-0")));
        assert_eq!(marker(b"XDEVNET_NODE_FOLDER=/s\0"), None);
        assert_eq!(marker(b""), None);
    }

    #[test]
    fn this_process_lives_and_the_same_number_with_another_start_does_not() {
        let own = i32::try_from(std::process::id()).expect("process ids fit");
        let life = life(own).expect("this process exists");
        assert!(is_alive(life));
        assert!(!is_alive(Life {
            start_ticks: life.start_ticks + 1,
            ..life
        }));
    }
}
