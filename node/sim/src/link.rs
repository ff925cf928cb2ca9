//! How long a message travels: latency, jitter, loss and bandwidth, each way
//! by itself.

use crate::queue::{MILLI, Micros};
use crate::random::Stream;

/// Payload of a TCP segment on Ethernet, the unit of loss.
const SEGMENT_BYTES: u64 = 1_460;
/// TCP's first and longest wait for a retransmission (Linux).
const RETRANSMIT_FIRST: Micros = 200 * MILLI;
const RETRANSMIT_MAX: Micros = 120_000 * MILLI;
/// Losses of one segment in a row after which TCP gives up (Linux).
const LOSSES_MAX: u32 = 15;

/// One-way latency.
#[derive(Clone, Debug, PartialEq)]
pub enum Latency {
    /// Always the same.
    Constant(Micros),
    /// Every value of a range is as likely.
    Uniform {
        /// Shortest.
        min: Micros,
        /// Longest.
        max: Micros,
    },
    /// Normal; what falls below the least is drawn up to it.
    Normal {
        /// Mean.
        mean: Micros,
        /// Standard deviation.
        deviation: Micros,
        /// Never shorter.
        min: Micros,
    },
    /// Pareto, heavy-tailed; what exceeds the most is drawn down to it.
    Pareto {
        /// Shortest.
        scale: Micros,
        /// The smaller, the heavier the tail; above 0.
        shape: f64,
        /// Never longer.
        max: Micros,
    },
}

impl Latency {
    /// Draws one.
    pub fn draw(&self, chance: &mut Stream) -> Micros {
        match self {
            Self::Constant(latency) => *latency,
            Self::Uniform { min, max } => {
                min + chance.below(max.saturating_sub(*min).saturating_add(1))
            }
            Self::Normal {
                mean,
                deviation,
                min,
            } => {
                let drawn = to_f64(*mean) + to_f64(*deviation) * chance.normal();
                to_micros(drawn).max(*min)
            }
            Self::Pareto { scale, shape, max } => {
                let drawn = to_f64(*scale) * libm::pow(1.0 - chance.share(), -1.0 / shape);
                to_micros(drawn).min(*max)
            }
        }
    }

    /// Whether it needs no chance.
    const fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_))
    }
}

/// Which latency two nodes have between them.
#[derive(Clone, Debug, PartialEq)]
pub enum Paths {
    /// All alike.
    Everywhere(Latency),
    /// By the nodes' zones: from the row's to the column's.
    Zones(Vec<Vec<Latency>>),
}

impl Paths {
    /// From one zone to another; what the matrix lacks is free.
    #[must_use]
    pub fn between(&self, from: usize, to: usize) -> &Latency {
        const FREE: &Latency = &Latency::Constant(0);
        match self {
            Self::Everywhere(latency) => latency,
            Self::Zones(rows) => rows.get(from).and_then(|row| row.get(to)).unwrap_or(FREE),
        }
    }
}

/// When a latency is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// Once for every pair of nodes.
    OncePerLink,
    /// For every message; order on a connection is kept all the same.
    PerMessage,
}

/// What a fault does to one direction of a link, on top of its nature.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Condition {
    /// Additional one-way latency.
    pub delay: Micros,
    /// Standard deviation of the latency.
    pub jitter: Micros,
    /// Share of segments lost, each costing a retransmission; from 0 to 1.
    pub loss: f64,
    /// Bytes a second; none: as many as you like.
    pub rate: Option<u64>,
}

impl Condition {
    /// No fault.
    #[must_use]
    pub fn is_free(&self) -> bool {
        *self == Self::default()
    }

    /// Additional time on the way of a message of so many bytes, without the
    /// time on the line.
    pub fn hold_up(&self, bytes: u64, chance: &mut Stream) -> Micros {
        let mut late = to_f64(self.delay);
        if self.jitter > 0 {
            late += to_f64(self.jitter) * chance.normal();
        }
        to_micros(late) + self.retransmissions(bytes, chance)
    }

    /// How long the rate makes so many bytes take.
    #[must_use]
    pub fn time_on_line(&self, bytes: u64) -> Micros {
        self.rate.map_or(0, |rate| time_on_line(bytes, rate))
    }

    /// The longest any of the segments is held up by being lost.
    fn retransmissions(&self, bytes: u64, chance: &mut Stream) -> Micros {
        if self.loss <= 0.0 {
            return 0;
        }
        let segments = bytes.div_ceil(SEGMENT_BYTES).max(1);
        let held_up = (0..segments).map(|_| {
            let (mut held_up, mut wait) = (0, RETRANSMIT_FIRST);
            for _ in 0..LOSSES_MAX {
                if chance.share() >= self.loss {
                    break;
                }
                held_up += wait;
                wait = (wait * 2).min(RETRANSMIT_MAX);
            }
            held_up
        });
        held_up.max().unwrap_or_default()
    }
}

/// A path's nature as one connection sees it.
#[derive(Clone, Debug)]
pub struct Path {
    /// Drawn once; none: drawn for every message.
    base: Option<Micros>,
    latency: Latency,
}

impl Path {
    /// The path of an unordered pair; `entity` names it in one order.
    #[must_use]
    pub fn new(latency: &Latency, drawn: Drawn, seed: u64, entity: [u64; 2]) -> Self {
        let is_once = drawn == Drawn::OncePerLink || latency.is_constant();
        let base = is_once.then(|| latency.draw(&mut Stream::new(seed, "latency", &entity)));
        Self {
            base,
            latency: latency.clone(),
        }
    }

    /// The latency of every message; none if it is drawn.
    #[must_use]
    pub const fn base(&self) -> Option<Micros> {
        self.base
    }

    /// One-way latency of the next message.
    pub fn latency<'a>(&self, chance: impl FnOnce() -> &'a mut Stream) -> Micros {
        self.base.unwrap_or_else(|| self.latency.draw(chance()))
    }
}

/// How long so many bytes take at so many bytes a second.
#[must_use]
pub fn time_on_line(bytes: u64, rate: u64) -> Micros {
    bytes.saturating_mul(1_000_000) / rate.max(1)
}

#[expect(clippy::cast_precision_loss, reason = "times stay far below 2^53 µs")]
const fn to_f64(time: Micros) -> f64 {
    time as f64
}

/// Rounds; what is negative or not finite is 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before"
)]
pub(crate) fn to_micros(time: f64) -> Micros {
    if time.is_finite() {
        libm::round(time.clamp(0.0, 9e15)) as Micros
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(latency: &Latency) -> f64 {
        let mut chance = Stream::new(1, "test", &[]);
        (0..50_000)
            .map(|_| to_f64(latency.draw(&mut chance)))
            .sum::<f64>()
            / 5e4
    }

    #[test]
    fn latencies_have_their_means() {
        let uniform = mean(&Latency::Uniform {
            min: 10_000,
            max: 30_000,
        });
        assert!((uniform - 20_000.0).abs() < 200.0, "{uniform}");
        let (scale, shape, max) = (10_000, 3.0, u64::MAX);
        let pareto = mean(&Latency::Pareto { scale, shape, max });
        assert!((pareto - 15_000.0).abs() < 300.0, "{pareto}");
        let (mean_us, deviation, min) = (50_000, 5_000, 0);
        let normal = mean(&Latency::Normal {
            mean: mean_us,
            deviation,
            min,
        });
        assert!((normal - 50_000.0).abs() < 200.0, "{normal}");
    }

    #[test]
    fn bounds_are_kept() {
        let mut chance = Stream::new(2, "test", &[]);
        let normal = Latency::Normal {
            mean: 10,
            deviation: 100,
            min: 5,
        };
        let pareto = Latency::Pareto {
            scale: 10,
            shape: 0.5,
            max: 1_000,
        };
        for _ in 0..10_000 {
            assert!(normal.draw(&mut chance) >= 5);
            let drawn = pareto.draw(&mut chance);
            assert!((10..=1_000).contains(&drawn), "{drawn}");
        }
    }

    #[test]
    fn loss_holds_up_by_whole_retransmissions() {
        let condition = Condition {
            loss: 0.5,
            ..Condition::default()
        };
        let mut chance = Stream::new(3, "test", &[]);
        let times: Vec<_> = (0..1_000)
            .map(|_| condition.hold_up(100, &mut chance))
            .collect();
        let free = times.iter().filter(|time| **time == 0).count();
        assert!((400..600).contains(&free), "{free}");
        assert!(times.contains(&(200 * MILLI)) && times.contains(&(600 * MILLI)));
        assert!(times.iter().all(|time| time % (200 * MILLI) == 0));
    }

    #[test]
    fn a_rate_makes_bytes_take_time() {
        let condition = Condition {
            rate: Some(1_000_000),
            ..Condition::default()
        };
        assert_eq!(condition.time_on_line(500_000), 500 * MILLI);
        assert_eq!(Condition::default().time_on_line(u64::MAX), 0);
    }
}
