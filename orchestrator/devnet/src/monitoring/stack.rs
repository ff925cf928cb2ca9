//! The plan of what watches a network: programs, arguments, files, addresses.
//! Pure; whoever performs it has no choice left.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::embedded::{DASHBOARDS, PROVIDER, RULES};

/// Image of Prometheus, unless another is asked for.
pub const PROMETHEUS_IMAGE: &str = "prom/prometheus:v2.53.3";
/// Image of Grafana, unless another is asked for.
pub const GRAFANA_IMAGE: &str = "grafana/grafana:11.6.0";

/// Dashboard that people are sent to first, and its title.
const DASHBOARD_UID: &str = "minichain-overview";
/// Where images expect what is theirs.
const PROMETHEUS_INSIDE: &str = "/etc/prometheus";
const PROMETHEUS_DATA_INSIDE: &str = "/prometheus";

/// What watches one network. Kept in the state folder, so that a later `up`
/// brings back what has died, and `down` ends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// The network.
    pub network: String,
    /// Images as asked for.
    pub images: Images,
    /// Where each part listens.
    pub ports: Ports,
    /// What runs Prometheus; `None` if nothing can.
    pub prometheus: Option<Carrier>,
    /// Whether there is a Grafana, which is always a container.
    pub has_grafana: bool,
    /// Whether containers were made, now or before: they must be removed, also
    /// if none of them runs any more.
    #[serde(default)]
    pub made_containers: bool,
}

/// Image references.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Images {
    /// Of Prometheus.
    pub prometheus: String,
    /// Of Grafana.
    pub grafana: String,
}

/// Ports on 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ports {
    /// Of the exporter.
    pub exporter: u16,
    /// Of Prometheus.
    pub prometheus: u16,
    /// Of Grafana.
    pub grafana: u16,
}

/// What runs Prometheus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    /// A container of the image asked for.
    Container,
    /// The host's own program.
    Process(PathBuf),
}

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Links {
    /// Metrics of the network as a whole.
    pub exporter: String,
    /// Prometheus, if there is one.
    pub prometheus: Option<String>,
    /// The overview in Grafana, filtered to this network, if there is one.
    pub grafana: Option<String>,
}

impl Links {
    /// What there is, for people.
    pub fn parts(&self) -> String {
        let parts = [
            ("Prometheus", self.prometheus.is_some()),
            ("Grafana", self.grafana.is_some()),
        ];
        let have = parts.iter().filter(|(_, is_there)| *is_there);
        let have: Vec<&str> = have.map(|(name, _)| *name).collect();
        [vec!["exporter"], have].concat().join(", ")
    }
}

/// A container beside the network. It shares the host's network, so that it
/// reaches all that 127.0.0.1 reaches, and is told to listen there only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// `prometheus` or `grafana`.
    pub name: &'static str,
    /// `devnet-<network>-<name>`.
    pub container: String,
    /// Image reference.
    pub image: String,
    /// Arguments after the image's entry point.
    pub command: Vec<String>,
    /// Environment.
    pub env: BTreeMap<String, String>,
    /// Folders of the host, where they appear, and whether they are read-only.
    pub mounts: Vec<(PathBuf, String, bool)>,
}

/// Places below the folder of what watches a network.
#[derive(Clone, Debug)]
pub struct Places {
    root: PathBuf,
}

impl Places {
    /// Below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Folder of the exporter's process.
    pub fn exporter(&self) -> PathBuf {
        self.root.join("exporter")
    }

    /// Folder of Prometheus: configuration, rules, targets.
    pub fn prometheus(&self) -> PathBuf {
        self.root.join("prometheus")
    }

    /// Files that tell Prometheus whom to scrape.
    pub fn targets(&self) -> PathBuf {
        self.prometheus().join("targets")
    }

    /// What Prometheus has gathered.
    pub fn prometheus_data(&self) -> PathBuf {
        self.root.join("prometheus-data")
    }

    /// Grafana's provisioning.
    pub fn provisioning(&self) -> PathBuf {
        self.root.join("grafana/provisioning")
    }

    /// Grafana's dashboards.
    pub fn dashboards(&self) -> PathBuf {
        self.root.join("grafana/dashboards")
    }

    /// What Grafana keeps.
    pub fn grafana_data(&self) -> PathBuf {
        self.root.join("grafana-data")
    }

    /// Folders to make.
    pub fn folders(&self) -> Vec<PathBuf> {
        vec![
            self.exporter(),
            self.targets(),
            self.prometheus().join("rules"),
            self.prometheus_data(),
            self.provisioning().join("datasources"),
            self.provisioning().join("dashboards"),
            self.dashboards(),
            self.grafana_data(),
        ]
    }
}

impl Stack {
    /// Where to look.
    pub fn links(&self) -> Links {
        let url = |port: u16| format!("http://{}", local(port));
        let uid = DASHBOARD_UID;
        Links {
            exporter: format!("{}/metrics", url(self.ports.exporter)),
            prometheus: self.prometheus.as_ref().map(|_| url(self.ports.prometheus)),
            grafana: self.has_grafana.then(|| {
                let base = url(self.ports.grafana);
                format!("{base}/d/{uid}?var-network={}", self.network)
            }),
        }
    }

    /// Where the exporter serves.
    pub const fn exporter_address(&self) -> SocketAddrV4 {
        local(self.ports.exporter)
    }

    /// Every file to write: of Prometheus, and of Grafana.
    pub fn files(&self, places: &Places, interval_s: u32) -> Vec<(PathBuf, String)> {
        let prometheus = places.prometheus();
        let provisioning = places.provisioning();
        let mut files = vec![
            (prometheus.join("prometheus.yml"), config(interval_s)),
            (
                provisioning.join("datasources/prometheus.yml"),
                data_source(self.ports.prometheus, interval_s),
            ),
            (
                provisioning.join("dashboards/minichain.yml"),
                PROVIDER.to_owned(),
            ),
        ];
        let all = |folder: PathBuf, named: &[(&str, &str)]| -> Vec<_> {
            let file = |(name, text): &(&str, &str)| (folder.join(name), (*text).to_owned());
            named.iter().map(file).collect()
        };
        files.extend(all(prometheus.join("rules"), RULES));
        files.extend(all(places.dashboards(), DASHBOARDS));
        files
    }

    /// Arguments of Prometheus, with its configuration and data in these
    /// folders.
    pub fn prometheus_arguments(&self, config: &Path, data: &Path) -> Vec<String> {
        vec![
            format!("--config.file={}", config.join("prometheus.yml").display()),
            format!("--storage.tsdb.path={}", data.display()),
            "--storage.tsdb.retention.time=2d".to_owned(),
            "--storage.tsdb.retention.size=1GB".to_owned(),
            format!("--web.listen-address={}", local(self.ports.prometheus)),
        ]
    }

    /// Containers to run.
    pub fn services(&self, places: &Places) -> Vec<Service> {
        let mut services = Vec::new();
        if self.prometheus == Some(Carrier::Container) {
            services.push(self.prometheus_service(places));
        }
        if self.has_grafana {
            services.push(self.grafana_service(places));
        }
        services
    }

    fn prometheus_service(&self, places: &Places) -> Service {
        let (inside, data) = (PROMETHEUS_INSIDE, PROMETHEUS_DATA_INSIDE);
        Service {
            name: "prometheus",
            container: format!("devnet-{}-prometheus", self.network),
            image: self.images.prometheus.clone(),
            command: self.prometheus_arguments(Path::new(inside), Path::new(data)),
            env: BTreeMap::new(),
            mounts: vec![
                (places.prometheus(), inside.to_owned(), true),
                (places.prometheus_data(), data.to_owned(), false),
            ],
        }
    }

    fn grafana_service(&self, places: &Places) -> Service {
        let port = self.ports.grafana.to_string();
        let env = [
            ("GF_SERVER_HTTP_ADDR", "127.0.0.1"),
            ("GF_SERVER_HTTP_PORT", port.as_str()),
            ("GF_AUTH_ANONYMOUS_ENABLED", "true"),
            ("GF_AUTH_ANONYMOUS_ORG_ROLE", "Viewer"),
            ("GF_AUTH_DISABLE_LOGIN_FORM", "true"),
            ("GF_ANALYTICS_REPORTING_ENABLED", "false"),
            ("GF_ANALYTICS_CHECK_FOR_UPDATES", "false"),
            ("GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "false"),
            ("GF_NEWS_NEWS_FEED_ENABLED", "false"),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let read_only = |place, inside: &str| (place, inside.to_owned(), true);
        Service {
            name: "grafana",
            container: format!("devnet-{}-grafana", self.network),
            image: self.images.grafana.clone(),
            command: Vec::new(),
            env: env.into(),
            mounts: vec![
                read_only(places.provisioning(), "/etc/grafana/provisioning"),
                read_only(places.dashboards(), "/etc/minichain/dashboards"),
                (places.grafana_data(), "/var/lib/grafana".to_owned(), false),
            ],
        }
    }
}

/// Seconds between two scrapes of a network with so many seconds between
/// blocks.
pub fn scrape_interval_s(spacing_s: u32) -> u32 {
    spacing_s.clamp(1, 15)
}

/// An address of this host alone.
pub const fn local(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

fn config(interval_s: u32) -> String {
    format!(
        "global:
  scrape_interval: {interval_s}s
  scrape_timeout: {interval_s}s
  evaluation_interval: {interval_s}s
rule_files:
  - rules/*.yml
scrape_configs:
  - job_name: minichain
    file_sd_configs:
      - files: [targets/targets.json]
  - job_name: devnet
    file_sd_configs:
      - files: [targets/exporter.json]
"
    )
}

fn data_source(port: u16, interval_s: u32) -> String {
    format!(
        "apiVersion: 1
datasources:
  - name: Prometheus
    uid: minichain-prometheus
    type: prometheus
    access: proxy
    url: http://{}
    isDefault: true
    editable: false
    jsonData:
      timeInterval: {interval_s}s
",
        local(port)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack() -> Stack {
        Stack {
            network: "lab".into(),
            images: Images {
                prometheus: "p:1".into(),
                grafana: "g:2".into(),
            },
            ports: Ports {
                exporter: 1,
                prometheus: 2,
                grafana: 3,
            },
            prometheus: Some(Carrier::Container),
            has_grafana: true,
            made_containers: true,
        }
    }

    #[test]
    fn all_of_it_listens_on_this_host_alone() {
        let services = stack().services(&Places::new("/s"));
        let [prometheus, grafana] = services.as_slice() else {
            panic!("two services: {services:?}");
        };
        assert_eq!(prometheus.image, "p:1");
        let listen = "--web.listen-address=127.0.0.1:2".to_owned();
        assert!(prometheus.command.contains(&listen));
        assert_eq!(grafana.env["GF_SERVER_HTTP_ADDR"], "127.0.0.1");
        assert_eq!(grafana.env["GF_SERVER_HTTP_PORT"], "3");
        assert_eq!(grafana.env["GF_AUTH_ANONYMOUS_ORG_ROLE"], "Viewer");
        let read_only = |service: &Service| {
            let mounts = service.mounts.iter();
            mounts.filter(|mount| mount.2).count()
        };
        assert_eq!((read_only(prometheus), read_only(grafana)), (1, 2));
    }

    #[test]
    fn links_open_the_dashboard_of_the_network() {
        let links = stack().links();
        assert_eq!(links.exporter, "http://127.0.0.1:1/metrics");
        assert_eq!(links.prometheus.as_deref(), Some("http://127.0.0.1:2"));
        let grafana = "http://127.0.0.1:3/d/minichain-overview?var-network=lab";
        assert_eq!(links.grafana.as_deref(), Some(grafana));
        let bare = Stack {
            prometheus: None,
            has_grafana: false,
            ..stack()
        };
        assert_eq!(
            (bare.links().prometheus, bare.links().grafana),
            (None, None)
        );
        assert!(bare.services(&Places::new("/s")).is_empty());
    }

    #[test]
    fn files_hold_rules_dashboards_and_the_pace() {
        let places = Places::new("/s");
        let files: BTreeMap<PathBuf, String> = stack().files(&places, 4).into_iter().collect();
        let text = |path: PathBuf| files.get(&path).cloned().unwrap_or_default();
        let config = text(places.prometheus().join("prometheus.yml"));
        assert!(config.contains("scrape_interval: 4s"), "{config}");
        let source = text(places.provisioning().join("datasources/prometheus.yml"));
        assert!(source.contains("url: http://127.0.0.1:2\n"), "{source}");
        let rules = files
            .keys()
            .filter(|path| path.starts_with("/s/prometheus/rules"));
        assert_eq!(rules.count(), RULES.len());
        let boards = files
            .keys()
            .filter(|path| path.starts_with(places.dashboards()));
        assert_eq!(boards.count(), DASHBOARDS.len());
    }

    #[test]
    fn scrapes_follow_the_blocks_within_bounds() {
        assert_eq!([0, 1, 7, 600].map(scrape_interval_s), [1, 1, 7, 15]);
    }
}
