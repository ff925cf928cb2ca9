//! A client of Prometheus' HTTP API, as much as the tests ask.

use std::time::Duration;

use serde_json::Value;

/// An image that nobody serves, so that asking for it ends at once.
pub const NO_IMAGE: &str = "127.0.0.1:1/none:1";

/// A running server.
pub struct Prometheus {
    url: String,
    agent: ureq::Agent,
}

/// The times a range query looks at, in seconds since 1970.
#[derive(Clone, Copy)]
pub struct Range {
    /// The first.
    pub start_s: f64,
    /// The last at most.
    pub end_s: f64,
    /// Between two.
    pub step_s: f64,
}

/// One series of an answer.
pub struct Series {
    /// Its labels with their values; null of a scalar.
    pub labels: Value,
    /// Its values in order of time.
    pub values: Vec<f64>,
}

impl Prometheus {
    /// The server at that address.
    pub fn at(url: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(20)))
            .http_status_as_error(false)
            .build()
            .new_agent();
        let url = url.trim_end_matches('/').to_owned();
        Self { url, agent }
    }

    /// The value of an expression that has one, now.
    pub fn value(&self, expr: &str) -> Result<f64, String> {
        let data = self.get("query", &[("query", expr)])?;
        match series(&data)?.as_slice() {
            [only] if only.values.len() == 1 => Ok(only.values[0]),
            _ => Err(format!("{expr}: no single value: {data}")),
        }
    }

    /// The value of an expression at a time, in seconds since 1970.
    pub fn instant(&self, expr: &str, at_s: f64) -> Result<Vec<Series>, String> {
        let at = at_s.to_string();
        let data = self.get("query", &[("query", expr), ("time", &at)])?;
        series(&data)
    }

    /// The values of an expression over a time.
    pub fn range(&self, expr: &str, range: Range) -> Result<Vec<Series>, String> {
        let times = [range.start_s, range.end_s, range.step_s].map(|time| time.to_string());
        let query = [
            ("query", expr),
            ("start", &times[0]),
            ("end", &times[1]),
            ("step", &times[2]),
        ];
        series(&self.get("query_range", &query)?)
    }

    /// Any other page of the API.
    pub fn get(&self, page: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let url = format!("{}/api/v1/{page}", self.url);
        let query = query.iter().copied();
        let answer = self.agent.get(&url).query_pairs(query).call();
        let mut answer = answer.map_err(|error| format!("{url}: {error}"))?;
        let body: Value = answer
            .body_mut()
            .read_json()
            .map_err(|error| format!("{url}: {error}"))?;
        if body["status"] == "success" {
            Ok(body["data"].clone())
        } else {
            Err(format!("{url}: {body}"))
        }
    }
}

/// Of a vector, a matrix or a scalar.
fn series(data: &Value) -> Result<Vec<Series>, String> {
    if data["resultType"] == "scalar" {
        let values = vec![number(&data["result"])];
        let labels = Value::Null;
        return Ok(vec![Series { labels, values }]);
    }
    let all = data["result"]
        .as_array()
        .ok_or("an answer without result")?;
    Ok(all.iter().map(one).collect())
}

fn one(series: &Value) -> Series {
    let values = match series["values"].as_array() {
        Some(values) => values.iter().map(number).collect(),
        None => vec![number(&series["value"])],
    };
    Series {
        labels: series["metric"].clone(),
        values,
    }
}

/// A sample is its time and its value, the latter as text.
fn number(sample: &Value) -> f64 {
    let text = sample[1].as_str().unwrap_or("NaN");
    text.parse().unwrap_or(f64::NAN)
}
