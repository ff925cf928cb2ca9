//! What a dashboard must be for a person: whole, without overlap, with one
//! question to a panel, and about the chosen network and nodes only.

use std::collections::BTreeSet;

use promql_parser::label::Matchers;
use promql_parser::parser::VectorSelector;
use promql_parser::util::{ExprVisitor, walk_expr};
use serde_json::Value;

use crate::dashboards;
use crate::expression;
use crate::inventory::{self, panels, text};
use crate::reference::Reference;

const COLUMNS: u64 = 24;
const TITLE_MAX: usize = 40;

fn each(mut check: impl FnMut(&str, &Value)) {
    for dashboard in dashboards::ALL {
        check(dashboard.uid, &dashboards::committed(dashboard));
    }
}

#[test]
fn uids_and_panel_ids_are_unique() {
    let mut uids = BTreeSet::new();
    each(|uid, dashboard| {
        assert_eq!(dashboard["uid"], uid);
        assert!(uids.insert(uid.to_owned()), "{uid} twice");
        let panels = dashboard["panels"].as_array().expect("panels");
        let ids: BTreeSet<u64> = panels
            .iter()
            .filter_map(|panel| panel["id"].as_u64())
            .collect();
        assert_eq!(ids.len(), panels.len(), "{uid}: an id is missing or twice");
    });
}

#[test]
fn panels_fill_every_row_and_never_overlap() {
    each(|uid, dashboard| {
        let mut taken: BTreeSet<(u64, u64)> = BTreeSet::new();
        for panel in dashboard["panels"].as_array().expect("panels") {
            let side = |name: &str| panel["gridPos"][name].as_u64().expect("a place");
            let (x, y, w, h) = (side("x"), side("y"), side("w"), side("h"));
            assert!(
                w > 0 && h > 0 && x + w <= COLUMNS,
                "{uid}: {} is outside",
                panel["title"]
            );
            for cell in (y..y + h).flat_map(|y| (x..x + w).map(move |x| (y, x))) {
                assert!(taken.insert(cell), "{uid}: {} overlaps", panel["title"]);
            }
        }
        let height = taken.iter().map(|(y, _)| y + 1).max().expect("panels");
        let cells = u64::try_from(taken.len()).expect("few cells");
        assert_eq!(cells, height * COLUMNS, "{uid} has a hole");
    });
}

#[test]
fn every_panel_asks_one_question_under_a_short_title() {
    each(|uid, dashboard| {
        let mut questions = BTreeSet::new();
        for panel in panels(dashboard) {
            let (title, question) = (text(&panel["title"]), text(&panel["description"]));
            assert!(
                !title.is_empty() && title.len() <= TITLE_MAX,
                "{uid}: title {title:?}"
            );
            assert!(
                question.ends_with('?') && question.matches('?').count() == 1,
                "{uid}, {title}: {question:?} is not one question"
            );
            assert!(questions.insert(question), "{uid}, {title}: asked before");
            assert_ne!(
                text(&panel["fieldConfig"]["defaults"]["noValue"]),
                "",
                "{uid}, {title}"
            );
        }
    });
}

#[test]
fn faults_and_partitions_are_marked_on_every_panel_over_time() {
    each(|uid, dashboard| {
        let annotations: Vec<&Value> = inventory::annotations(dashboard).collect();
        for metric in ["devnet_fault_active", "devnet_partition_groups"] {
            let shows = |one: &&&Value| text(&one["expr"]).contains(metric);
            let found = annotations.iter().find(shows);
            let found = found.unwrap_or_else(|| panic!("{uid} does not mark {metric}"));
            assert_eq!(found["enable"], true, "{uid}: {metric} is off");
            // Without a filter an annotation is drawn on all panels.
            assert!(
                found.get("filter").is_none(),
                "{uid}: {metric} leaves panels out"
            );
        }
    });
}

#[test]
fn data_source_network_and_nodes_are_chosen_and_nothing_is_hard_coded() {
    each(|uid, dashboard| {
        let list = dashboard["templating"]["list"]
            .as_array()
            .expect("variables");
        let names: Vec<String> = list.iter().map(|one| text(&one["name"])).collect();
        assert_eq!(names, ["datasource", "network", "node"], "{uid}");
        assert_eq!(
            (&list[2]["multi"], &list[2]["includeAll"]),
            (&true.into(), &true.into()),
            "{uid}"
        );
        check_sources(uid, dashboard);
    });
}

/// Every data source named anywhere is the chosen one, or Grafana itself.
fn check_sources(uid: &str, value: &Value) {
    if let Some(source) = value.get("datasource").filter(|source| source.is_object()) {
        let named = (source["type"].as_str(), source["uid"].as_str());
        let is_ours = named == (Some("prometheus"), Some("${datasource}"));
        let is_grafana = named == (Some("grafana"), Some("-- Grafana --"));
        assert!(
            is_ours || is_grafana,
            "{uid} names the data source {source}"
        );
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|value| check_sources(uid, value)),
        Value::Array(items) => items.iter().for_each(|value| check_sources(uid, value)),
        _ => {}
    }
}

#[test]
fn every_expression_names_only_what_exists() {
    let reference = Reference::new();
    let problems: Vec<String> = inventory::expressions()
        .iter()
        .filter_map(|one| {
            let why = expression::check(&one.text, &reference).err()?;
            Some(format!("{}: {why}", one.place))
        })
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_expression_is_about_the_chosen_network_and_nodes() {
    for one in inventory::expressions() {
        let expr =
            expression::parse(&one.text).unwrap_or_else(|why| panic!("{}: {why}", one.place));
        let mut chosen = Chosen { problem: None };
        walk_expr(&mut chosen, &expr).expect("a visitor that never fails");
        if let Some(problem) = chosen.problem {
            panic!("{}: {problem}", one.place);
        }
    }
}

struct Chosen {
    problem: Option<String>,
}

impl ExprVisitor for Chosen {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &promql_parser::parser::Expr) -> Result<bool, Self::Error> {
        match expr {
            promql_parser::parser::Expr::VectorSelector(selector) => self.look(selector),
            promql_parser::parser::Expr::MatrixSelector(matrix) => self.look(&matrix.vs),
            _ => {}
        }
        Ok(true)
    }
}

impl Chosen {
    fn look(&mut self, selector: &VectorSelector) {
        let name = selector.name.as_deref().unwrap_or_default();
        let of_network = ["devnet_", "network:", "ALERTS"];
        let is_of_network = of_network.iter().any(|prefix| name.starts_with(prefix));
        if !has(&selector.matchers, "network", "local") {
            self.problem = Some(format!("{name} is not of the chosen network"));
        } else if !is_of_network && !has(&selector.matchers, "node", ".+") {
            self.problem = Some(format!("{name} is not of the chosen nodes"));
        }
    }
}

/// Whether a label is matched by what the variable was replaced with.
fn has(matchers: &Matchers, label: &str, value: &str) -> bool {
    let mut all = matchers.matchers.iter();
    all.any(|matcher| matcher.name == label && matcher.value == value)
}

/// Two series of one name could not be told apart; a label that no series has
/// would be left empty.
#[test]
fn legends_name_exactly_the_labels_that_tell_series_apart() {
    let reference = Reference::new();
    for one in inventory::expressions() {
        let Ok(mut labels) = expression::check(&one.text, &reference) else {
            continue; // Another test tells.
        };
        labels.remove("network");
        let named: BTreeSet<String> = one
            .legend
            .split("{{")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once("}}")?.0.to_owned()))
            .collect();
        let is_table = !one.is_range && !labels.is_empty();
        assert!(
            is_table || labels == named,
            "{}: series have the labels {labels:?}, the legend is {:?}",
            one.place,
            one.legend
        );
    }
}
