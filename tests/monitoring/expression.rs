//! PromQL as Prometheus and Grafana will read it: parsed, its series and labels
//! looked up, and taken apart into what must return data.

use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::{
    AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, VectorMatchCardinality, VectorSelector,
};

use crate::reference::{Labels, Reference};

/// What Grafana puts in place of its variables, for a reader without a network.
const SAMPLES: &[(&str, &str)] = &[
    ("$__rate_interval", "1m"),
    ("$__range", "15m"),
    ("$network", "local"),
    ("$node", ".+"),
];

/// Parses an expression with Grafana's variables.
pub fn parse(text: &str) -> Result<Expr, String> {
    parse_with(text, SAMPLES)
}

/// Parses an expression after these replacements.
fn parse_with(text: &str, values: &[(&str, &str)]) -> Result<Expr, String> {
    let plain = replace(text, values);
    if plain.contains('$') {
        return Err(format!("a variable nobody sets: {plain}"));
    }
    promql_parser::parser::parse(&plain).map_err(|error| format!("{error}: {plain}"))
}

/// Puts values in place of variables.
pub fn replace(text: &str, values: &[(&str, &str)]) -> String {
    let replaced = |text: String, (name, value): &(&str, &str)| text.replace(name, value);
    values.iter().fold(text.to_owned(), replaced)
}

/// The labels that the result can have, or what in the expression does not
/// exist.
pub fn check(text: &str, reference: &Reference) -> Result<Labels, String> {
    labels(&parse(text)?, reference).map_err(|why| format!("{why} in {text}"))
}

/// Parts of an expression that must return data while the network lives:
/// comparisons that filter, `and` and `unless` are taken apart, because they
/// are empty when all is well.
pub fn must_have_data(expr: &Expr) -> Vec<String> {
    match expr {
        Expr::NumberLiteral(_) => Vec::new(),
        Expr::Paren(paren) => must_have_data(&paren.expr),
        Expr::Binary(binary) if is_filter(binary) => {
            let mut parts = must_have_data(&binary.lhs);
            parts.extend(must_have_data(&binary.rhs));
            parts
        }
        other => vec![other.to_string()],
    }
}

fn is_filter(binary: &BinaryExpr) -> bool {
    let keeps_values = binary
        .modifier
        .as_ref()
        .is_none_or(|modifier| !modifier.return_bool);
    let is_intersection = binary.op.is_set_operator() && binary.op.to_string() != "or";
    is_intersection || (binary.op.is_comparison_operator() && keeps_values)
}

fn labels(expr: &Expr, reference: &Reference) -> Result<Labels, String> {
    match expr {
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Ok(Labels::new()),
        Expr::Paren(paren) => labels(&paren.expr, reference),
        Expr::Unary(unary) => labels(&unary.expr, reference),
        Expr::Subquery(subquery) => labels(&subquery.expr, reference),
        Expr::VectorSelector(selector) => of_selector(selector, reference),
        Expr::MatrixSelector(matrix) => of_selector(&matrix.vs, reference),
        Expr::Aggregate(aggregate) => of_aggregate(aggregate, reference),
        Expr::Binary(binary) => of_binary(binary, reference),
        Expr::Call(call) => of_call(call, reference),
        Expr::Extension(_) => Err("not PromQL".into()),
    }
}

fn of_selector(selector: &VectorSelector, reference: &Reference) -> Result<Labels, String> {
    let name = selector
        .name
        .as_deref()
        .ok_or("a selector without a name")?;
    let known = reference.labels(name);
    let known = known.ok_or_else(|| format!("nobody exports {name}"))?;
    check_matchers(name, &selector.matchers, known, reference)?;
    Ok(known.clone())
}

fn check_matchers(
    name: &str,
    matchers: &Matchers,
    known: &Labels,
    reference: &Reference,
) -> Result<(), String> {
    if !matchers.or_matchers.is_empty() {
        return Err(format!("{name}: `or` between matchers is not Prometheus'"));
    }
    for matcher in &matchers.matchers {
        let label = &matcher.name;
        if !known.contains(label) {
            return Err(format!("{name} has no label {label}"));
        }
        let bounds = (label == "le").then(|| reference.bounds(name)).flatten();
        let bounds = bounds.unwrap_or_default();
        if !bounds.is_empty() && !bounds.iter().any(|bound| matcher.is_match(bound)) {
            return Err(format!("{name} has no bucket {}", matcher.value));
        }
        if label == "le" && matcher.op == MatchOp::Equal {
            return Err(format!(
                "{name}: Prometheus 3 writes le=\"5.0\" where 2 wrote \"5\"; match both"
            ));
        }
    }
    Ok(())
}

fn of_aggregate(aggregate: &AggregateExpr, reference: &Reference) -> Result<Labels, String> {
    let inner = labels(&aggregate.expr, reference)?;
    if ["topk", "bottomk"].contains(&aggregate.op.to_string().as_str()) {
        return Ok(inner);
    }
    match &aggregate.modifier {
        None => Ok(Labels::new()),
        Some(modifier) => {
            let named = named(modifier, &inner)?;
            Ok(match modifier {
                LabelModifier::Include(_) => named,
                LabelModifier::Exclude(_) => &inner - &named,
            })
        }
    }
}

/// The labels of a modifier, all of which must be there.
fn named(modifier: &LabelModifier, there: &Labels) -> Result<Labels, String> {
    let named: Labels = modifier.labels().labels.iter().cloned().collect();
    match named.difference(there).next() {
        Some(missing) => Err(format!("there is no label {missing} to group or match by")),
        None => Ok(named),
    }
}

fn of_binary(binary: &BinaryExpr, reference: &Reference) -> Result<Labels, String> {
    let left = labels(&binary.lhs, reference)?;
    let right = labels(&binary.rhs, reference)?;
    let Some(modifier) = &binary.modifier else {
        return Ok(result_of_pair(binary, left, right));
    };
    if let Some(matching) = &modifier.matching {
        if matching.is_include() {
            named(matching, &left)?;
            named(matching, &right)?;
        } else {
            named(matching, &(&left | &right))?;
        }
    }
    let carried = match &modifier.card {
        VectorMatchCardinality::ManyToOne(carried) | VectorMatchCardinality::OneToMany(carried) => {
            carried.labels.iter().cloned().collect()
        }
        _ => Labels::new(),
    };
    Ok(match &modifier.card {
        VectorMatchCardinality::OneToMany(_) => &right | &carried,
        _ => &result_of_pair(binary, left, right) | &carried,
    })
}

/// Of both sides where both can show; else of the vector.
fn result_of_pair(binary: &BinaryExpr, left: Labels, right: Labels) -> Labels {
    if binary.op.to_string() == "or" {
        return &left | &right;
    }
    if left.is_empty() { right } else { left }
}

fn of_call(call: &Call, reference: &Reference) -> Result<Labels, String> {
    let mut all = Vec::new();
    for argument in &call.args.args {
        all.push(labels(argument, reference)?);
    }
    let of_vector = || all.iter().fold(Labels::new(), |sum, labels| &sum | labels);
    let literal = |place: usize| match call.args.args.get(place).map(AsRef::as_ref) {
        Some(Expr::StringLiteral(text)) => Ok(text.val.clone()),
        _ => Err(format!("{} needs a text there", call.func.name)),
    };
    match call.func.name {
        "label_replace" => {
            let mut labels = of_vector();
            labels.insert(literal(1)?);
            Ok(labels)
        }
        "histogram_quantile" => {
            let mut labels = of_vector();
            if !labels.remove("le") {
                return Err("histogram_quantile needs the label le".into());
            }
            Ok(labels)
        }
        "scalar" | "time" | "vector" => Ok(Labels::new()),
        _ => Ok(of_vector()),
    }
}

#[cfg(test)]
mod tests {
    use super::{check, must_have_data, parse};
    use crate::reference::Reference;

    fn refused(text: &str, why: &str) {
        match check(text, &Reference::new()) {
            Ok(labels) => panic!("{text} passed with {labels:?}"),
            Err(said) => assert!(said.contains(why), "{text}: {said}"),
        }
    }

    #[test]
    fn what_does_not_exist_is_found() {
        refused("minichain_heigth", "nobody exports");
        refused("minichain_peers{dir=\"inbound\"}", "no label dir");
        refused("sum by (color) (minichain_peers)", "no label color");
        refused("sum without (color) (minichain_peers)", "no label color");
        refused(
            "minichain_peers / on (color) minichain_peers",
            "no label color",
        );
        refused("minichain_block_interval_seconds", "nobody exports");
        refused(
            "histogram_quantile(0.5, sum by (node) (minichain_block_interval_seconds_bucket))",
            "needs the label le",
        );
        refused(
            "minichain_reorg_depth_blocks_bucket{le=~\"7\"}",
            "no bucket",
        );
        refused(
            "minichain_reorg_depth_blocks_bucket{le=\"5\"}",
            "Prometheus 3",
        );
        refused("rate(minichain_reorgs_total[$__magic])", "nobody sets");
        refused("sum(", "sum(");
    }

    #[test]
    fn labels_follow_the_operators() {
        let reference = Reference::new();
        let labels = |text: &str| {
            let labels = check(text, &reference).unwrap_or_else(|why| panic!("{why}"));
            labels.into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(labels("sum(minichain_peers)"), "");
        assert_eq!(labels("sum by (node) (minichain_peers)"), "node");
        assert_eq!(labels("topk(3, sum by (node) (minichain_peers))"), "node");
        assert_eq!(labels("1 - sum by (node) (minichain_peers)"), "node");
        assert_eq!(
            labels("scalar(sum(minichain_peers)) - sum by (node) (minichain_peers)"),
            "node"
        );
        assert_eq!(
            labels("label_replace(vector(1), \"q\", \"x\", \"\", \"\")"),
            "q"
        );
    }

    #[test]
    fn conditions_are_taken_apart_and_the_rest_is_not() {
        let parts = |text: &str| must_have_data(&parse(text).unwrap_or_else(|why| panic!("{why}")));
        assert_eq!(parts("up == 0"), ["up"]);
        assert_eq!(
            parts("(up > 6 * up) and on (node) up"),
            ["up", "6 * up", "up"]
        );
        assert_eq!(parts("up == bool 0"), ["up == bool 0"]);
        assert_eq!(parts("sum(up) / (up > 0)"), ["sum(up) / (up > 0)"]);
        assert_eq!(parts("up or vector(0)"), ["up or vector(0)"]);
    }
}
