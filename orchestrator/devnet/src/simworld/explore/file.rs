//! A case as a scenario file.

use std::fmt::Write as _;

use devnet_scenario::model::Micros;

use super::case::{Case, Shape, Timed, What};

/// After the storm.
const END: &str = "\
\x20 - heal: all
  - title: In the end all is well
    expect:
      - converged: { max_lag: 1, fresh: 2 }
        within: 80 blocks
      - supply:
        within: 20 blocks

finally:
  - heal
";

impl Case {
    fn name(&self, node: u32) -> String {
        match node.checked_sub(self.miners) {
            None => format!("miner-{node}"),
            Some(index) => format!("observer-{index}"),
        }
    }

    fn names(&self, nodes: impl Iterator<Item = u32>) -> String {
        let names: Vec<String> = nodes.map(|node| self.name(node)).collect();
        names.join(", ")
    }

    /// The scenario file, which runs in every world.
    pub fn yaml(&self) -> String {
        let mut text = self.network();
        line(&mut text, "\nsteps:");
        line(&mut text, "  - wait: { height: 2 }\n    timeout: 80 blocks");
        if self.latency_ms > 0 && self.count() > 1 {
            let ms = self.latency_ms;
            let step = format!("  - latency: {{ is: {ms}ms, on: all }}");
            line(&mut text, &step);
        }
        if self.rate > 0 {
            let pay = format!("rate: {}, from: alice, to: bob, via: all", self.rate);
            let step = format!("  - load: {{ name: payments, {pay} }}");
            line(&mut text, &step);
        }
        self.storm(&mut text);
        if self.rate > 0 {
            line(&mut text, "  - stop_load: { name: payments }");
        }
        text.push_str(END);
        text
    }

    /// All before the steps.
    fn network(&self) -> String {
        let (seed, miners, observers) = (self.seed, self.miners, self.observers);
        let mut text = format!(
            "name: explored\n\
             description: Found by devnet sim explore; run it with --seed {seed}.\n\
             topology:\n  groups:\n    - {{ name: miner, count: {miners} }}\n"
        );
        if observers > 0 {
            let group = format!("    - {{ name: observer, count: {observers} }}");
            line(&mut text, &group);
        }
        if let Some(edges) = self.edges() {
            line(&mut text, &format!("  peers: {{ edges: [{edges}] }}"));
        }
        let rules = format!("  genesis: {{ block_time: {}s }}", self.block_s);
        line(&mut text, &rules);
        if let Some(sim) = self.told_sim() {
            line(&mut text, &format!("sim: {{ {sim} }}"));
        }
        text
    }

    /// What the simulator is told, where it is told anything.
    fn told_sim(&self) -> Option<String> {
        let said = |parts: &[(&str, Micros)]| {
            let parts = parts.iter().filter(|(_, time)| *time > Micros::default());
            let parts: Vec<String> = parts.map(|(key, time)| format!("{key}: {time}")).collect();
            (!parts.is_empty()).then(|| parts.join(", "))
        };
        let (sim, cpu) = (&self.sim, self.sim.cpu);
        let cpu = [
            ("block", cpu.block),
            ("input", cpu.input),
            ("kilobyte", cpu.kilobyte),
        ];
        let parts = [
            sim.latency.map(|latency| format!("latency: {latency}")),
            said(&[("start_jitter", sim.start_jitter)]),
            said(&cpu).map(|cpu| format!("cpu: {{ {cpu} }}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Connections, where not everybody finds everybody.
    fn edges(&self) -> Option<String> {
        let count = self.count();
        let edge = |from: u32| {
            let to = (from + 1) % count;
            format!("[{}, {}]", self.name(from), self.name(to))
        };
        let edges = match self.shape {
            Shape::Mesh => return None,
            Shape::Ring if count > 2 => count,
            Shape::Line | Shape::Ring => count.saturating_sub(1),
        };
        let edges: Vec<String> = (0..edges).map(edge).collect();
        (!edges.is_empty()).then(|| edges.join(", "))
    }

    /// The faults: both tracks at once, where there are two.
    fn storm(&self, text: &mut String) {
        let tracks = [&self.links, &self.nodes];
        let tracks: Vec<&Vec<Timed>> = tracks.into_iter().filter(|one| !one.is_empty()).collect();
        if let [only] = tracks.as_slice() {
            self.track(text, only, "  ");
        } else if !tracks.is_empty() {
            line(text, "  - parallel:");
            for track in tracks {
                line(text, "      - steps:");
                self.track(text, track, "          ");
            }
        }
    }

    fn track(&self, text: &mut String, track: &[Timed], indent: &str) {
        for timed in track {
            if timed.after_s > 0 {
                line(text, &format!("{indent}- wait: {}s", timed.after_s));
            }
            line(text, &format!("{indent}- {}", self.verb(timed.what)));
            if timed.what.lasts() {
                line(text, &format!("{indent}  for: {}s", timed.lasts_s));
            }
        }
    }

    fn verb(&self, what: What) -> String {
        match what {
            What::Split(first) => {
                let (left, right) = (self.names(0..first), self.names(first..self.count()));
                format!("partition: [[{left}], [{right}]]")
            }
            What::Isolate(node) => format!("partition: {{ isolate: {} }}", self.name(node)),
            What::Mute(node) => {
                let others = self.names((0..self.count()).filter(|other| *other != node));
                let from = self.name(node);
                format!("partition: {{ one_way: {{ from: {from}, to: [{others}] }} }}")
            }
            What::Slow(node, ms) => format!("latency: {{ is: {ms}ms, on: {} }}", self.name(node)),
            What::Lossy(node, percent) => {
                format!("loss: {{ is: {percent}%, on: {} }}", self.name(node))
            }
            What::Kill(node) => format!("kill: {}", self.name(node)),
            What::Pause(node) => format!("pause: {}", self.name(node)),
            What::Restart(node) => format!("restart: {}", self.name(node)),
            What::Wipe(node) => format!("wipe: {}", self.name(node)),
            What::Fill(node) => format!("fill_disk: {}", self.name(node)),
            What::Tear(node) => format!("corrupt_store: {}", self.name(node)),
            What::Skew(node, ms) => {
                format!("clock_skew: {{ on: {}, by: {ms}ms }}", self.name(node))
            }
            What::Leave(node) => format!("remove: {}", self.name(node)),
            What::Join => {
                let group = if self.observers > 0 {
                    "observer"
                } else {
                    "miner"
                };
                format!("add: {{ group: {group}, count: 1 }}")
            }
        }
    }
}

fn line(text: &mut String, what: &str) {
    // Writing into a text cannot fail.
    let _always = writeln!(text, "{what}");
}
