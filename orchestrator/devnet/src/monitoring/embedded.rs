//! Files of `dashboards` and `deploy`, as they were when this was built.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// How Grafana finds its dashboards.
pub const PROVIDER: &str =
    include_str!("../../../../deploy/grafana/provisioning/dashboards/minichain.yml");
