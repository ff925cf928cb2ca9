//! Which processes run: read from Linux's /proc.
//!
//! A node's process is known by the environment variable [`MARKER`], set when
//! it is spawned and kept until it ends, so it is found even if whoever spawned
//! it was killed before it could write anything down.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Environment variable of every node's process: the path of its folder.
pub const MARKER: &str = "DEVNET_NODE_FOLDER";

/// Given to a process that changes its program to show its environment again:
/// the system does that in less than a millisecond, the rest is for a busy host.
const EXEC_TIMEOUT: Duration = Duration::from_millis(500);
const EXEC_POLL: Duration = Duration::from_micros(200);
/// Looks that find an empty environment before it is taken to be empty.
const EMPTY_LOOKS: u32 = 3;
/// Few environments are longer.
const ENVIRON_BYTES: usize = 1 << 16;
/// Linux' `PF_KTHREAD` and `PF_EXITING`: no program, no environment.
const FLAGS_WITHOUT_PROGRAM: u32 = 0x0020_0000 | 0x4;

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
    /// The kernel's `PF_` flags.
    flags: u32,
    /// In user mode and in the kernel.
    cpu_ticks: u64,
    start_ticks: u64,
    /// How long its environment is; `None` for whoever has none: a kernel
    /// thread, the dead, and for a moment whoever changes its program, who
    /// shows an empty one for another moment.
    environ_bytes: Option<u64>,
}

impl Stat {
    /// Whether it runs a program at all, which may have an environment.
    const fn has_program(&self) -> bool {
        !matches!(self.state, 'Z' | 'X') && self.flags & FLAGS_WITHOUT_PROGRAM == 0
    }
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
    let folder = marker(&environ(pid)?)?;
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

/// The environment of a process. One that is just changing its program (a
/// script that hands over with `exec`) shows none for a moment and would be
/// taken for a stranger, so it is looked at again.
fn environ(pid: i32) -> Option<Vec<u8>> {
    let path = format!("/proc/{pid}/environ");
    let began = Instant::now();
    let mut looks_without = 0;
    loop {
        let environ = read_in_one(&path).ok()?;
        if !environ.is_empty() {
            return Some(environ);
        }
        let stat = read_stat(pid)?;
        // The system builds the environment up from nothing, so a single look
        // at an empty one proves nothing.
        looks_without += u32::from(stat.environ_bytes == Some(0));
        let has_none = !stat.has_program() || looks_without >= EMPTY_LOOKS;
        if has_none || began.elapsed() >= EXEC_TIMEOUT {
            return Some(environ);
        }
        std::thread::sleep(EXEC_POLL);
    }
}

/// Everything in one read, as long as it is not very long: of a program that
/// ends between two reads the second gives nothing.
fn read_in_one(path: &str) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; ENVIRON_BYTES];
    let mut all = Vec::new();
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(all),
            Ok(length) => all.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
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
    // The state is field 3 of proc(5), the flags field 9, the times in user mode
    // and in the kernel fields 14 and 15, the start time field 22, where the
    // environment begins and ends fields 50 and 51.
    let flags = fields.nth(5)?.parse().ok()?;
    let user: u64 = fields.nth(4)?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    let start_ticks = fields.nth(6)?.parse().ok()?;
    let mut address = |skipped| fields.nth(skipped)?.parse::<u64>().ok();
    let environ_bytes = match (address(27), address(0)) {
        (Some(begin), Some(end)) if end > 0 => end.checked_sub(begin),
        _ => None,
    };
    Some(Stat {
        state,
        flags,
        cpu_ticks: user.checked_add(kernel)?,
        start_ticks,
        environ_bytes,
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
                flags: 4_194_304,
                cpu_ticks: 12,
                start_ticks: 98765,
                environ_bytes: None,
            })
        );
    }

    #[test]
    fn the_environment_of_this_process_is_as_long_as_the_line_says() {
        let own = i32::try_from(std::process::id()).expect("process ids fit");
        let stat = read_stat(own).expect("this process exists");
        let environ = environ(own).expect("one may read one's own");
        assert_eq!(
            stat.environ_bytes,
            Some(u64::try_from(environ.len()).expect("small"))
        );
        assert!(stat.has_program());
    }

    #[test]
    fn a_process_that_keeps_changing_its_program_is_found_whenever_one_looks() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let script = folder.path().join("again.sh");
        fs::write(&script, "exec /bin/sh \"$0\"\n").expect("a writable folder");
        let mut child = std::process::Command::new("/bin/sh")
            .arg(&script)
            .env(MARKER, folder.path())
            .spawn()
            .expect("it runs");
        let pid = i32::try_from(child.id()).expect("process ids fit");
        let looks = 3_000;
        let found = (0..looks).filter(|_| node_process(pid).is_some()).count();
        child.kill().expect("a child of ours");
        child.wait().expect("a child of ours");
        assert_eq!(found, looks);
    }

    #[test]
    fn an_empty_environment_is_not_waited_for() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .env_clear()
            .spawn()
            .expect("it runs");
        let pid = i32::try_from(child.id()).expect("process ids fit");
        let shown = environ(pid).expect("a child of ours");
        let stat = read_stat(pid).expect("it lives");
        child.kill().expect("a child of ours");
        child.wait().expect("a child of ours");
        assert_eq!((shown.len(), stat.environ_bytes), (0, Some(0)));
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
