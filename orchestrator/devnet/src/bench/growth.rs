//! What networks of several sizes cost: samples of each size, their medians,
//! and how each figure grows.

use std::collections::BTreeMap;

use devnet_blueprint::EngineKind;
use serde::Serialize;

use super::fit::{Fit, fit};
use crate::account::statistics::summary;

/// What is measured of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// From nothing to healthy: every node answers, is joined and agrees.
    UpS,
    /// One look at all nodes, coins compared.
    StatusS,
    /// Processor time of all nodes while nothing is asked of them, as a share
    /// of all processors.
    CpuPercent,
    /// Resident memory of all nodes together.
    MemoryMib,
    /// Cutting it into three, proof included.
    PartitionS,
    /// Taking the cut out, proof included.
    HealS,
    /// From the proven heal until all nodes are on one tip, above the best one
    /// at the heal.
    ConvergeS,
    /// From healthy to nothing.
    DownS,
}

/// What was measured in one network; what could not be is not there.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Sample(pub BTreeMap<Figure, f64>);

/// Networks of one size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Size {
    /// Nodes of each.
    pub nodes: u32,
    /// How many of them mine.
    pub miners: u32,
    /// One of each network that came through.
    pub samples: Vec<Sample>,
    /// Of the samples.
    pub median: Sample,
    /// Why one did not come through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Growth {
    /// What carried the networks.
    pub engine: EngineKind,
    /// Processors of this host.
    pub processors: usize,
    /// Target time between blocks, in seconds.
    pub block_time_s: u32,
    /// By size, in the order they were asked for.
    pub sizes: Vec<Size>,
    /// How each figure grows; those that cannot be fitted are not there.
    pub growth: BTreeMap<Figure, Fit>,
}

impl Figure {
    /// Every figure, in the order in which they are taken.
    pub const ALL: [Self; 8] = [
        Self::UpS,
        Self::StatusS,
        Self::CpuPercent,
        Self::MemoryMib,
        Self::PartitionS,
        Self::HealS,
        Self::ConvergeS,
        Self::DownS,
    ];

    /// Title of its column.
    pub const fn title(self) -> &'static str {
        match self {
            Self::UpS => "UP s",
            Self::StatusS => "STATUS s",
            Self::CpuPercent => "CPU %",
            Self::MemoryMib => "MEMORY MiB",
            Self::PartitionS => "PARTITION s",
            Self::HealS => "HEAL s",
            Self::ConvergeS => "CONVERGE s",
            Self::DownS => "DOWN s",
        }
    }

    /// The value with as many digits as it deserves.
    pub fn spell(self, value: f64) -> String {
        match self {
            Self::MemoryMib => format!("{value:.0}"),
            Self::CpuPercent => format!("{value:.1}"),
            _ => format!("{value:.2}"),
        }
    }
}

impl Sample {
    /// The median of each figure.
    pub fn median_of(samples: &[Self]) -> Self {
        let of = |figure: Figure| {
            let values = samples
                .iter()
                .filter_map(|sample| sample.0.get(&figure).copied());
            Some((figure, summary(values.collect())?.median))
        };
        Self(Figure::ALL.into_iter().filter_map(of).collect())
    }
}

impl Growth {
    /// Fits each figure over all samples.
    pub fn of(engine: EngineKind, processors: usize, block_time_s: u32, sizes: Vec<Size>) -> Self {
        let points = |figure: Figure| {
            let samples = sizes.iter().flat_map(|size| {
                let nodes = f64::from(size.nodes);
                size.samples.iter().map(move |sample| (nodes, sample))
            });
            let point = |(nodes, sample): (f64, &Sample)| Some((nodes, *sample.0.get(&figure)?));
            samples.filter_map(point).collect::<Vec<_>>()
        };
        let growth = Figure::ALL
            .into_iter()
            .filter_map(|figure| Some((figure, fit(&points(figure))?)))
            .collect();
        Self {
            engine,
            processors,
            block_time_s,
            sizes,
            growth,
        }
    }

    /// Rows of the table: its head, the medians of each size, the exponents.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let mut rows = vec![vec!["NODES".to_owned(), "N".to_owned()]];
        for figure in Figure::ALL {
            rows[0].push(figure.title().to_owned());
        }
        for size in &self.sizes {
            let value = |figure: Figure| size.median.0.get(&figure);
            let mut row = vec![size.nodes.to_string(), size.samples.len().to_string()];
            let spelled = |figure: Figure| or_dash(value(figure).map(|value| figure.spell(*value)));
            row.extend(Figure::ALL.map(spelled));
            rows.push(row);
        }
        let fitted: [(&str, Spell); 3] = [
            ("exponent", |fit| Some(format!("{:.2}", fit.exponent))),
            ("95 %", |fit| {
                let (low, high) = fit.interval?;
                Some(format!("{low:.2}…{high:.2}"))
            }),
            ("at the end", |fit| Some(format!("{:.2}", fit.at_the_end))),
        ];
        for (title, spell) in fitted {
            let mut row = vec![title.to_owned(), String::new()];
            row.extend(Figure::ALL.map(|figure| or_dash(self.growth.get(&figure).and_then(spell))));
            rows.push(row);
        }
        rows
    }
}

/// A figure of a fit in words, if there is one.
type Spell = fn(&Fit) -> Option<String>;

#[cfg(test)]
mod tests {
    use super::*;

    fn size(nodes: u32, ups: &[f64]) -> Size {
        let sample = |up: &f64| Sample(BTreeMap::from([(Figure::UpS, *up)]));
        let samples: Vec<Sample> = ups.iter().map(sample).collect();
        Size {
            nodes,
            miners: 1,
            median: Sample::median_of(&samples),
            samples,
            failure: None,
        }
    }

    #[test]
    fn what_was_not_measured_is_a_dash_and_has_no_exponent() {
        let sizes = vec![
            size(10, &[1.0, 3.0, 2.0]),
            size(100, &[20.0]),
            size(200, &[]),
        ];
        let told = Growth::of(EngineKind::Process, 2, 10, sizes);
        let rows = told.rows();
        // The mean logarithm of 1, 2 and 3 is 0.26, that of 20 is 1.30.
        assert_eq!(rows[1][..4], ["10", "3", "2.00", "-"]);
        assert_eq!(rows[3][..3], ["200", "0", "-"]);
        assert_eq!(rows[4][..4], ["exponent", "", "1.04", "-"]);
        assert_eq!(rows[6][..4], ["at the end", "", "1.00", "-"]);
        assert_eq!(told.growth.len(), 1);
        assert!(
            rows.iter().all(|row| row.len() == rows[0].len()),
            "{rows:?}"
        );
    }

    #[test]
    fn figures_are_keys_of_the_data() {
        let told = Growth::of(EngineKind::Docker, 2, 10, vec![size(3, &[1.5])]);
        let data = serde_json::to_value(&told).expect("plain data");
        assert_eq!(data["engine"], "docker");
        assert_eq!(data["sizes"][0]["median"]["up_s"], 1.5);
        assert_eq!(data["sizes"][0]["samples"][0]["up_s"], 1.5);
        assert_eq!(data["growth"], serde_json::json!({}));
        for figure in Figure::ALL {
            let key = serde_json::to_value(figure).expect("a word");
            assert!(key.is_string(), "{key}");
        }
    }
}
