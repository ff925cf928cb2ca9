use super::*;

fn place() -> Place {
    Place::new("miner-0", "devnet-a-miner-0")
}

fn judged(detail: &str, said: &str, life: Life) -> EngineError {
    let error = EngineError::new(ErrorKind::Refused, place().action(), detail);
    place().judge(error, said, life)
}

#[test]
fn a_node_that_does_not_run_is_told_with_the_next_step() {
    for (life, step) in [
        (Life::Ended, "devnet start miner-0"),
        (Life::Frozen, "devnet unpause miner-0"),
        (Life::Gone, "devnet up"),
    ] {
        let error = judged("something", "", life);
        assert_eq!(error.kind, ErrorKind::NotFound, "the node's own matter");
        assert!(error.remedy.contains(step), "{error}");
    }
    let other = judged("something", "", Life::Runs);
    assert_eq!(
        (other.kind, other.detail.as_str()),
        (ErrorKind::Refused, "something")
    );
}

#[test]
fn an_image_without_helper_says_how_to_get_one() {
    let runc = "OCI runtime exec failed: exec failed: unable to start container process: exec: \
                \"/devnet-netfault\": stat /devnet-netfault: no such file or directory: unknown";
    let podman = "exec: \"/devnet-netfault\": executable file not found in $PATH: No such file";
    for error in [
        judged(runc, "", Life::Runs),
        judged("it ended", runc, Life::Runs),
        judged("it ended", podman, Life::Runs),
    ] {
        assert_eq!(error.kind, ErrorKind::Program);
        assert!(error.remedy.contains("-p devnet-netfault"), "{error}");
    }
}

#[test]
fn a_helper_that_ends_is_told_in_its_own_words() {
    let error = place().ended("devnet-netfault: a command has more than 9 bytes", Some(1));
    assert_eq!(error.kind, ErrorKind::Lost);
    assert!(error.detail.contains("more than 9 bytes"), "{error}");
    let silent = place().ended("", Some(137));
    assert!(silent.detail.contains("137"), "{silent}");
}

#[test]
fn each_lock_has_its_own_remedy() {
    let failure = Failure::new(Why::NotPermitted, "setting the packet filter: EPERM");
    let remedy = |no_new_privileges, no_net_admin| {
        let locks = Locks {
            no_new_privileges,
            no_net_admin,
        };
        place().failed(&failure, &locks).remedy
    };
    assert!(remedy(true, false).contains("no-new-privileges"));
    assert!(remedy(false, true).contains("lacks the capability NET_ADMIN"));
    assert!(remedy(false, false).contains("--engine process"));
}

#[test]
fn a_kernel_without_nf_tables_is_unsupported() {
    let failure = Failure::new(Why::NoNfTables, "Protocol not supported");
    let error = place().failed(&failure, &Locks::default());
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.remedy.contains("modprobe nf_tables"), "{error}");
}
