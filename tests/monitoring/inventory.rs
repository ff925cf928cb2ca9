//! Every expression of the committed dashboards, with its place.

use serde_json::Value;

use crate::dashboards;

/// An expression as it stands in a dashboard's JSON.
pub struct Expression {
    /// Dashboard, panel and query, for messages.
    pub place: String,
    pub text: String,
    pub legend: String,
    /// A range over the dashboard's time, or the last value only.
    pub is_range: bool,
}

/// Of all panels and annotations.
pub fn expressions() -> Vec<Expression> {
    dashboards::ALL
        .iter()
        .map(dashboards::committed)
        .flat_map(|dashboard| of_dashboard(&dashboard))
        .collect()
}

/// Panels of a dashboard that ask something: all but rows.
pub fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    let panels = dashboard["panels"].as_array().expect("panels");
    panels.iter().filter(|panel| panel["type"] != "row")
}

/// Annotations that ask Prometheus.
pub fn annotations(dashboard: &Value) -> impl Iterator<Item = &Value> {
    let list = dashboard["annotations"]["list"].as_array();
    let list = list.expect("annotations");
    list.iter()
        .filter(|annotation| annotation["datasource"]["type"] == "prometheus")
}

fn of_dashboard(dashboard: &Value) -> Vec<Expression> {
    let uid = text(&dashboard["uid"]);
    let mut all = Vec::new();
    for panel in panels(dashboard) {
        for target in panel["targets"].as_array().expect("targets") {
            all.push(Expression {
                place: format!("{uid}, {}, {}", panel["title"], target["refId"]),
                text: text(&target["expr"]),
                legend: text(&target["legendFormat"]),
                is_range: target["range"] == true,
            });
        }
    }
    for annotation in annotations(dashboard) {
        all.push(Expression {
            place: format!("{uid}, annotation {}", annotation["name"]),
            text: text(&annotation["expr"]),
            legend: text(&annotation["titleFormat"]),
            is_range: true,
        });
    }
    all
}

/// A text that must be there.
pub fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}
