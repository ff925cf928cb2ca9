//! One panel as Grafana's JSON: queries, units, colours, and how it is drawn.

use serde_json::{Value, json};

use super::panel::{Colour, Panel, Query, Unit, View};

/// A panel at its place, asking `source`.
pub fn panel(panel: &Panel, id: u32, x: u32, y: u32, source: &Value) -> Value {
    let mut value = json!({
        "type": kind(panel.view),
        "id": id,
        "title": panel.title,
        "description": panel.question,
        "datasource": source,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "targets": targets(panel, source),
        "fieldConfig": {"defaults": defaults(panel), "overrides": overrides(panel)},
        "options": options(panel.view, panel.unit),
    });
    let transformations = transformations(panel);
    if !transformations.is_empty() {
        value["transformations"] = json!(transformations);
    }
    value
}

const fn kind(view: View) -> &'static str {
    match view {
        View::Lines | View::Areas | View::Rates => "timeseries",
        View::Heatmap => "heatmap",
        View::Bands => "state-timeline",
        View::Stat => "stat",
        View::Bars { .. } => "barchart",
        View::Table => "table",
    }
}

fn targets(panel: &Panel, source: &Value) -> Vec<Value> {
    let format = match panel.view {
        View::Heatmap => "heatmap",
        View::Table | View::Bars { .. } => "table",
        _ => "time_series",
    };
    let is_range = panel.view.is_over_time();
    let target = |(place, query): (usize, &Query)| {
        json!({
            "refId": letter(place),
            "datasource": source,
            "editorMode": "code",
            "expr": expression(query),
            "legendFormat": query.legend,
            "format": format,
            "range": is_range,
            "instant": !is_range,
        })
    };
    panel.queries.iter().enumerate().map(target).collect()
}

/// The expression with its matchers written out.
fn expression(query: &Query) -> String {
    query
        .expr
        .replace("@node", "network=\"$network\", node=~\"$node\"")
        .replace("@net", "network=\"$network\"")
}

fn letter(place: usize) -> String {
    let letter = u8::try_from(place)
        .ok()
        .and_then(|place| place.checked_add(b'A'));
    letter.map_or_else(String::new, |letter| char::from(letter).to_string())
}

fn defaults(panel: &Panel) -> Value {
    let mut defaults = json!({
        "unit": panel.unit.id(),
        "noValue": panel.empty,
        "thresholds": thresholds(panel.steps),
        "color": {"mode": colour_mode(panel)},
        "mappings": [],
        "custom": custom(panel),
    });
    if let Some(min) = panel.min {
        defaults["min"] = json!(min);
    }
    if let Some(max) = panel.max {
        defaults["max"] = json!(max);
    }
    if panel.view == View::Bands {
        defaults["mappings"] = json!([{
            "type": "value",
            "options": {"0": {"text": "no", "color": "transparent", "index": 0}},
        }]);
    }
    defaults
}

const fn colour_mode(panel: &Panel) -> &'static str {
    match panel.view {
        View::Stat | View::Bands => "thresholds",
        _ => "palette-classic",
    }
}

fn thresholds(steps: &[(f64, Colour)]) -> Value {
    let mut all = vec![json!({"color": "green", "value": null})];
    all.extend(
        steps
            .iter()
            .map(|(value, colour)| json!({"color": colour.name(), "value": value})),
    );
    json!({"mode": "absolute", "steps": all})
}

fn custom(panel: &Panel) -> Value {
    let style = if panel.steps.is_empty() {
        "off"
    } else {
        "dashed"
    };
    let graph = |draw: &str, fill: u32, stacking: &str| {
        json!({
            "drawStyle": draw,
            "lineInterpolation": "linear",
            "lineWidth": 1,
            "fillOpacity": fill,
            "gradientMode": "none",
            "showPoints": "auto",
            "pointSize": 4,
            "spanNulls": false,
            "stacking": {"group": "A", "mode": stacking},
            "axisPlacement": "auto",
            "thresholdsStyle": {"mode": style},
        })
    };
    match panel.view {
        View::Lines => graph("line", 0, "none"),
        View::Areas => graph("line", 40, "normal"),
        View::Rates => graph("bars", 80, "normal"),
        View::Heatmap => json!({"scaleDistribution": {"type": "linear"}}),
        View::Bands => json!({"lineWidth": 0, "fillOpacity": 70}),
        View::Bars { .. } => json!({"lineWidth": 1, "fillOpacity": 80, "gradientMode": "none"}),
        View::Table => json!({"align": "auto", "cellOptions": {"type": "auto"}, "inspect": false}),
        View::Stat => json!({}),
    }
}

/// References dashed and grey; columns in their own units.
fn overrides(panel: &Panel) -> Vec<Value> {
    let properties = |query: &Query| {
        let mut properties = Vec::new();
        if query.is_reference {
            properties
                .push(json!({"id": "color", "value": {"mode": "fixed", "fixedColor": "text"}}));
            if panel.view == View::Lines {
                let dash = json!({"fill": "dash", "dash": [8, 6]});
                properties.push(json!({"id": "custom.lineStyle", "value": dash}));
                properties.push(json!({"id": "custom.showPoints", "value": "never"}));
            }
        }
        if let Some(unit) = query.unit {
            properties.push(json!({"id": "unit", "value": unit.id()}));
        }
        properties
    };
    let one = |query: &Query| {
        let properties = properties(query);
        (!properties.is_empty()).then(|| {
            json!({
                "matcher": {"id": "byName", "options": query.legend},
                "properties": properties,
            })
        })
    };
    panel.queries.iter().filter_map(one).collect()
}

fn options(view: View, unit: Unit) -> Value {
    let tooltip = json!({"mode": "multi", "sort": "desc"});
    let legend = |calcs: &[&str]| json!({"displayMode": "table", "placement": "bottom", "showLegend": true, "calcs": calcs});
    match view {
        View::Lines | View::Areas | View::Rates => {
            json!({"legend": legend(&["lastNotNull", "mean", "max"]), "tooltip": tooltip})
        }
        View::Heatmap => heatmap(unit),
        View::Bands => json!({
            "mergeValues": true,
            "showValue": "auto",
            "alignValue": "left",
            "rowHeight": 0.8,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": false, "calcs": []},
            "tooltip": {"mode": "single", "sort": "none"},
        }),
        View::Stat => json!({
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false},
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "textMode": "auto",
            "orientation": "auto",
            "wideLayout": true,
            "showPercentChange": false,
        }),
        View::Bars { of } => json!({
            "xField": of,
            "orientation": "auto",
            "stacking": "none",
            "showValue": "auto",
            "barWidth": 0.9,
            "groupWidth": 0.7,
            "xTickLabelRotation": 0,
            "xTickLabelSpacing": 0,
            "fullHighlight": false,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []},
            "tooltip": tooltip,
        }),
        View::Table => json!({
            "showHeader": true,
            "cellHeight": "sm",
            "footer": {"show": false, "reducer": ["sum"], "countRows": false},
        }),
    }
}

fn heatmap(unit: Unit) -> Value {
    json!({
        "calculate": false,
        "rowsFrame": {"layout": "auto"},
        "color": {
            "mode": "scheme", "scheme": "Oranges", "fill": "dark-orange",
            "exponent": 0.5, "steps": 64, "reverse": false,
        },
        "filterValues": {"le": 1e-9},
        "cellGap": 1,
        "showValue": "never",
        "yAxis": {"axisPlacement": "left", "unit": unit.id(), "reverse": false},
        "legend": {"show": true},
        "tooltip": {"mode": "single", "yHistogram": true, "showColorScale": true},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
    })
}

/// Instant vectors of several queries side by side, titled.
fn transformations(panel: &Panel) -> Vec<Value> {
    let sort_by = match panel.view {
        View::Table => "node",
        View::Bars { of } => of,
        _ => return Vec::new(),
    };
    // Of a single query Grafana calls the column `Value`.
    let name = |place: usize| match panel.queries.len() {
        1 => "Value".to_owned(),
        _ => format!("Value #{}", letter(place)),
    };
    let titles = panel.queries.iter().enumerate();
    let titles: serde_json::Map<String, Value> = titles
        .map(|(place, query)| (name(place), json!(query.legend)))
        .collect();
    vec![
        json!({"id": "merge", "options": {}}),
        json!({"id": "organize", "options": {
            "excludeByName": {"Time": true},
            "indexByName": {},
            "renameByName": titles,
        }}),
        json!({"id": "sortBy", "options": {"fields": {}, "sort": [{"field": sort_by, "desc": false}]}}),
    ]
}
