//! From the tables to Grafana's JSON, schema 41 (Grafana 11.6).

use serde_json::{Value, json};

use super::panel::Dashboard;
use super::picture;

const SCHEMA: u32 = 41;
const COLUMNS: u32 = 24;
const SOURCE: &str = "${datasource}";

/// The whole dashboard.
pub fn dashboard(dashboard: &Dashboard) -> Value {
    json!({
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.about,
        "tags": ["minichain"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "timezone": "browser",
        "time": {"from": "now-15m", "to": "now"},
        "refresh": "5s",
        "timepicker": {},
        "fiscalYearStartMonth": 0,
        "links": links(),
        "annotations": {"list": annotations()},
        "templating": {"list": variables()},
        "panels": panels(dashboard),
    })
}

/// The other dashboards, with the same network, nodes and time.
fn links() -> Value {
    json!([{
        "type": "dashboards",
        "title": "minichain",
        "tags": ["minichain"],
        "asDropdown": false,
        "includeVars": true,
        "keepTime": true,
        "targetBlank": false,
        "icon": "external link",
        "tooltip": "The same network, nodes and time",
    }])
}

/// Faults and partitions, shown on every panel over time. Grafana draws a
/// region as long as the value is above zero.
fn annotations() -> Value {
    json!([
        {
            "builtIn": 1,
            "datasource": {"type": "grafana", "uid": "-- Grafana --"},
            "enable": true,
            "hide": true,
            "iconColor": "blue",
            "name": "Annotations & Alerts",
            "type": "dashboard",
        },
        annotation(
            "Faults",
            "orange",
            "sum by (kind) (devnet_fault_active{network=\"$network\"})",
            "Fault in force: {{kind}}",
            "kind",
        ),
        annotation(
            "Partitions",
            "red",
            "max by (network) (devnet_partition_groups{network=\"$network\"}) - 1",
            "The network is cut into groups",
            "",
        ),
    ])
}

fn annotation(name: &str, colour: &str, expr: &str, title: &str, tags: &str) -> Value {
    json!({
        "name": name,
        "datasource": source(),
        "enable": true,
        "hide": false,
        "iconColor": colour,
        "expr": expr,
        "step": "1s",
        "titleFormat": title,
        "textFormat": "",
        "tagKeys": tags,
        "useValueForTime": false,
    })
}

fn variables() -> Value {
    json!([
        {
            "type": "datasource",
            "name": "datasource",
            "label": "Data source",
            "description": "A Prometheus that scrapes the network",
            "query": "prometheus",
            "hide": 0,
            "multi": false,
            "includeAll": false,
            "regex": "",
            "refresh": 1,
            "options": [],
            "current": {},
        },
        variable(
            "network",
            "Network",
            "label_values(minichain_chain_height_blocks, network)",
            false,
        ),
        variable(
            "node",
            "Nodes",
            "label_values(minichain_chain_height_blocks{network=\"$network\"}, node)",
            true,
        ),
    ])
}

/// A variable with the values of a label; one that may hold many begins with
/// all of them.
fn variable(name: &str, label: &str, query: &str, is_multi: bool) -> Value {
    let mut variable = json!({
        "type": "query",
        "name": name,
        "label": label,
        "datasource": source(),
        "definition": query,
        "query": {"query": query, "refId": "Variables"},
        "hide": 0,
        "refresh": 2,
        "regex": "",
        "sort": 7,
        "multi": is_multi,
        "includeAll": is_multi,
        "options": [],
        "current": {},
    });
    if is_multi {
        variable["allValue"] = json!(".+");
        variable["current"] = json!({"selected": true, "text": ["All"], "value": ["$__all"]});
    }
    variable
}

fn source() -> Value {
    json!({"type": "prometheus", "uid": SOURCE})
}

/// Rows and panels with their places, numbered from 1 in reading order.
fn panels(dashboard: &Dashboard) -> Vec<Value> {
    let mut panels = Vec::new();
    let (mut id, mut y) = (0, 0);
    for row in dashboard.rows {
        id += 1;
        panels.push(json!({
            "type": "row",
            "id": id,
            "title": row.title,
            "collapsed": false,
            "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
            "panels": [],
        }));
        y += 1;
        let (mut x, mut height) = (0, 0);
        for one in row.panels {
            if x + one.width > COLUMNS {
                (x, y) = (0, y + height);
                height = 0;
            }
            id += 1;
            panels.push(picture::panel(one, id, x, y, &source()));
            x += one.width;
            height = height.max(one.height);
        }
        y += height;
    }
    panels
}
