//! Which images, programs and ports what watches a network will have. Looks at
//! what there is; changes nothing.

use std::path::PathBuf;

use bollard::Docker;
use devnet_blueprint::Blueprint;
use serde::Serialize;

use super::stack::{self, Carrier, Images, Links, Places, Ports, Stack};
use super::{Wish, containers};
use crate::console::Stage;
use crate::engine::process::services;
use crate::exit::Failure;
use crate::prepare::port_is_free;

/// First ports to try. A network's name decides where in the range it begins,
/// so that several brought up at once seldom want the same.
const EXPORTER_PORTS: u16 = 22_000;
const PROMETHEUS_PORTS: u16 = 23_000;
const GRAFANA_PORTS: u16 = 24_000;
const PORTS: u16 = 1_000;

/// Prometheus can also be a program of the host.
const NO_PROGRAM: &str = "and there is none in PATH";

/// Where a part comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An image that the engine holds.
    Image(String),
    /// An image that must be pulled, and what runs if it cannot be had.
    Pull {
        /// The image.
        image: String,
        /// A program of this host.
        otherwise: Option<PathBuf>,
    },
    /// A program of this host.
    Program(PathBuf),
    /// Nowhere, and why.
    Missing(String),
}

/// What watches a network, before anything is done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    network: String,
    images: Images,
    ports: Ports,
    prometheus: Source,
    grafana: Source,
}

/// A choice as it is told to those who only want to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preview {
    exporter: String,
    prometheus: Part,
    grafana: Part,
}

/// One part of a preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Part {
    /// Where it will be, if it comes from anywhere.
    url: Option<String>,
    from: Source,
}

/// Chooses; what was chosen before stays where nothing speaks against it.
///
/// # Errors
/// There is no free port.
pub async fn choose(
    blueprint: &Blueprint,
    before: Option<&Stack>,
    wish: &Wish,
    places: &Places,
    docker: Option<&Docker>,
) -> Result<Choice, Failure> {
    let images = images(before, wish);
    let program = prometheus_program();
    Ok(Choice {
        network: blueprint.name.clone(),
        ports: ports(&blueprint.name, before, places)?,
        prometheus: source(docker, &images.prometheus, wish, program).await,
        grafana: source(docker, &images.grafana, wish, None).await,
        images,
    })
}

impl Choice {
    /// Pulls what must be pulled; what cannot be had comes from elsewhere.
    pub async fn pull(&mut self, docker: Option<&Docker>, stage: &Stage) {
        for source in [&mut self.prometheus, &mut self.grafana] {
            let (Some(docker), Source::Pull { image, otherwise }) = (docker, &*source) else {
                continue;
            };
            stage.waiting(&format!("pulling image {image}"));
            *source = match containers::pull(docker, image).await {
                Ok(()) => Source::Image(image.clone()),
                Err(error) => {
                    let why = error.detail.lines().next().unwrap_or_default();
                    let why = format!("its image {image} cannot be had ({why})");
                    otherwise
                        .clone()
                        .map_or(Source::Missing(why), Source::Program)
                }
            };
        }
    }

    /// What will not run, and why; a line each.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        if let Source::Missing(why) = &self.prometheus {
            gaps.push(format!("No Prometheus: {why}, {NO_PROGRAM}."));
        }
        if let Source::Missing(why) = &self.grafana {
            gaps.push(format!(
                "No Grafana: {why}. Load it and run `devnet up` again."
            ));
        }
        gaps
    }

    /// The plan that follows. Containers made `before` are remembered.
    pub fn stack(&self, before: Option<&Stack>) -> Stack {
        let prometheus = match &self.prometheus {
            Source::Image(_) | Source::Pull { .. } => Some(Carrier::Container),
            Source::Program(program) => Some(Carrier::Process(program.clone())),
            Source::Missing(_) => None,
        };
        let has_grafana = matches!(self.grafana, Source::Image(_) | Source::Pull { .. });
        let is_container = prometheus == Some(Carrier::Container);
        Stack {
            network: self.network.clone(),
            images: self.images.clone(),
            ports: self.ports,
            made_containers: has_grafana || is_container || before.is_some_and(has_made),
            prometheus,
            has_grafana,
        }
    }

    /// For those who only want to know.
    pub fn preview(&self) -> Preview {
        let Links {
            exporter,
            prometheus,
            grafana,
        } = self.stack(None).links();
        let from = match &self.prometheus {
            Source::Missing(why) => Source::Missing(format!("{why}, {NO_PROGRAM}")),
            source => source.clone(),
        };
        Preview {
            exporter,
            prometheus: Part {
                url: prometheus,
                from,
            },
            grafana: Part {
                url: grafana,
                from: self.grafana.clone(),
            },
        }
    }
}

impl Preview {
    /// A line for each part.
    pub fn text(&self, network: &str) -> String {
        let line = |name: &str, part: &Part| {
            let container = format!("devnet-{network}-{}", name.to_lowercase());
            let from = part.from.text(&container);
            match &part.url {
                Some(url) => format!("{name:<11} {url}, {from}\n"),
                None => format!("{name:<11} {from}\n"),
            }
        };
        let exporter = format!("{:<11} {}\n", "Exporter", self.exporter);
        let parts = [
            line("Prometheus", &self.prometheus),
            line("Grafana", &self.grafana),
        ];
        exporter + &parts.concat()
    }
}

impl Source {
    fn text(&self, container: &str) -> String {
        match self {
            Self::Image(image) => format!("container {container} of {image}"),
            Self::Pull { image, otherwise } => {
                let otherwise = match otherwise {
                    Some(program) => format!("; if it cannot be had, {}", program.display()),
                    None => String::new(),
                };
                format!("container {container} of {image}, to be pulled{otherwise}")
            }
            Self::Program(program) => format!("process of {}", program.display()),
            Self::Missing(why) => format!("none: {why}"),
        }
    }
}

/// Whether containers were made of that plan or of one before it. Plans of
/// older versions do not tell, but what they mean to run does.
pub fn has_made(stack: &Stack) -> bool {
    stack.made_containers || stack.has_grafana || stack.prometheus == Some(Carrier::Container)
}

fn images(before: Option<&Stack>, wish: &Wish) -> Images {
    let chosen = |wished: &Option<String>, before: Option<&String>, usual: &str| {
        let image = wished.as_ref().or(before);
        image.cloned().unwrap_or_else(|| usual.to_owned())
    };
    let before = before.map(|stack| &stack.images);
    Images {
        prometheus: chosen(
            &wish.prometheus_image,
            before.map(|images| &images.prometheus),
            stack::PROMETHEUS_IMAGE,
        ),
        grafana: chosen(
            &wish.grafana_image,
            before.map(|images| &images.grafana),
            stack::GRAFANA_IMAGE,
        ),
    }
}

/// A container of the image, where one can be made; else a program, if there
/// is any.
async fn source(
    docker: Option<&Docker>,
    image: &str,
    wish: &Wish,
    program: Option<PathBuf>,
) -> Source {
    let why = match docker {
        None => "no Docker engine can be used".to_owned(),
        Some(docker) if containers::has_image(docker, image).await => {
            return Source::Image(image.to_owned());
        }
        Some(_) if wish.may_pull => {
            return Source::Pull {
                image: image.to_owned(),
                otherwise: program,
            };
        }
        Some(_) => format!("its image {image} is not at hand"),
    };
    program.map_or(Source::Missing(why), Source::Program)
}

/// The host's own Prometheus.
fn prometheus_program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join("prometheus"))
        .find(|program| program.is_file())
}

/// The ports planned before, where they are ours or free, else others.
fn ports(name: &str, before: Option<&Stack>, places: &Places) -> Result<Ports, Failure> {
    // Containers are not asked; one that died leaves its port to be found taken.
    let is_container = before.is_some_and(|stack| stack.prometheus == Some(Carrier::Container));
    let before = before.map(|stack| stack.ports);
    let offset = name_offset(name);
    let choose = |base: u16, planned: Option<u16>, is_ours: bool| {
        let planned = planned.filter(|port| is_ours || port_is_free(*port));
        let mut others = (0..PORTS).map(|step| base + (offset + step) % PORTS);
        planned
            .or_else(|| others.find(|port| port_is_free(*port)))
            .ok_or_else(|| Failure::world(format!("no free port from {base} to {}", base + PORTS)))
    };
    Ok(Ports {
        exporter: choose(
            EXPORTER_PORTS,
            before.map(|ports| ports.exporter),
            services::running(&places.exporter()),
        )?,
        prometheus: choose(
            PROMETHEUS_PORTS,
            before.map(|ports| ports.prometheus),
            is_container || services::running(&places.prometheus()),
        )?,
        grafana: choose(GRAFANA_PORTS, before.map(|ports| ports.grafana), true)?,
    })
}

fn name_offset(name: &str) -> u16 {
    let sum = name.bytes().fold(7_u16, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    sum % PORTS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(prometheus: Source, grafana: Source) -> Choice {
        Choice {
            network: "lab".into(),
            images: images(None, &Wish::default()),
            ports: Ports {
                exporter: 1,
                prometheus: 2,
                grafana: 3,
            },
            prometheus,
            grafana,
        }
    }

    #[test]
    fn a_preview_tells_where_each_part_comes_from() {
        let pull = Source::Pull {
            image: "p:1".into(),
            otherwise: Some("/usr/bin/prometheus".into()),
        };
        let missing = Source::Missing("no Docker engine can be used".into());
        let text = choice(pull, missing).preview().text("lab");
        let wanted = "\
Exporter    http://127.0.0.1:1/metrics
Prometheus  http://127.0.0.1:2, container devnet-lab-prometheus of p:1, to be pulled; \
if it cannot be had, /usr/bin/prometheus
Grafana     none: no Docker engine can be used
";
        assert_eq!(text, wanted);
    }

    #[test]
    fn containers_once_made_are_remembered() {
        let missing = || Source::Missing("gone".into());
        let first = choice(Source::Image("p:1".into()), missing()).stack(None);
        assert!(first.made_containers);
        let program = choice(Source::Program("/bin/p".into()), missing());
        assert!(!program.stack(None).made_containers);
        assert!(program.stack(Some(&first)).made_containers);
    }

    #[test]
    fn what_is_asked_for_comes_before_what_was_chosen_and_what_is_usual() {
        let usual = images(None, &Wish::default());
        assert_eq!(usual.prometheus, stack::PROMETHEUS_IMAGE);
        let wish = Wish {
            prometheus_image: Some("p:2".into()),
            ..Wish::default()
        };
        let mut before =
            choice(Source::Image("p:1".into()), Source::Image("g:1".into())).stack(None);
        before.images.prometheus = "p:1".into();
        before.images.grafana = "g:1".into();
        let now = images(Some(&before), &wish);
        assert_eq!((&*now.prometheus, &*now.grafana), ("p:2", "g:1"));
    }

    #[tokio::test]
    async fn without_an_engine_the_hosts_program_serves() {
        let wish = Wish::default();
        let program = Some(PathBuf::from("/bin/p"));
        let found = source(None, "p:1", &wish, program).await;
        assert_eq!(found, Source::Program("/bin/p".into()));
        let found = source(None, "g:1", &wish, None).await;
        assert_eq!(
            found,
            Source::Missing("no Docker engine can be used".into())
        );
    }
}
