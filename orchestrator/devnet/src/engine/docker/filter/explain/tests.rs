use super::*;

fn place() -> Place {
    Place::new("miner-0", "devnet-a-miner-0")
}

fn refused(kind: ErrorKind, detail: &str) -> EngineError {
    place().not_started(EngineError::new(kind, place().action(), detail))
}

#[test]
fn a_node_that_does_not_run_is_told_with_the_next_step() {
    let detail = "Container 3f2a is not running";
    let error = refused(ErrorKind::Refused, detail);
    assert!(error.remedy.contains("devnet start miner-0"), "{error}");
    assert!(error.detail.contains("not running"), "{error}");
    let frozen = "Container 3f2a is paused, unpause the container before exec";
    let error = refused(ErrorKind::Refused, frozen);
    assert!(error.remedy.contains("devnet unpause miner-0"), "{error}");
    let error = refused(ErrorKind::NotFound, "No such container: devnet-a-miner-0");
    assert!(error.remedy.contains("devnet up"), "{error}");
}

#[test]
fn an_image_without_helper_says_how_to_get_one() {
    let runc = "OCI runtime exec failed: exec failed: unable to start container process: exec: \
                \"/devnet-netfault\": stat /devnet-netfault: no such file or directory: unknown";
    for error in [
        refused(ErrorKind::Refused, runc),
        place().ended(runc, Some(126)),
        place().ended(runc, None),
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
