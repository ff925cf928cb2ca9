//! What GitHub Actions shows beside the code and folds in its log
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).

use devnet_scenario::report::Verdict;

use super::record::{CaseStatus, RunRecord};

/// Whether this process runs in a GitHub workflow.
pub fn is_here() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Begins a group of lines that can be folded.
pub fn group(title: &str) -> String {
    format!("::group::{}", data(title))
}

/// Ends the group.
pub const END_GROUP: &str = "::endgroup::";

/// One annotation of something wrong.
pub fn error(file: &str, line: usize, title: &str, message: &str) -> String {
    annotation("error", (file, line), title, message)
}

/// One annotation: `error` or `warning`, at its place.
pub fn annotation(
    severity: &str,
    (file, line): (&str, usize),
    title: &str,
    message: &str,
) -> String {
    format!(
        "::{severity} file={},line={line},title={}::{}",
        property(file),
        property(title),
        data(message)
    )
}

/// One annotation for each case that did not pass, or for the run as a whole.
pub fn annotations(run: &RunRecord) -> Vec<String> {
    if run.verdict == Verdict::Pass {
        return Vec::new();
    }
    let file = run.file.to_string_lossy();
    let title = format!("{} {}", run.verdict.word(), run.scenario);
    let annotation = |line: usize, message: &str| error(&file, line, &title, message);
    let culprits = run
        .cases
        .iter()
        .filter(|case| matches!(case.status, CaseStatus::Failed | CaseStatus::Errored));
    let lines: Vec<String> = culprits
        .map(|case| {
            let message = format!("{}: {}", case.name, case.message);
            annotation(case.line.unwrap_or(1), &message)
        })
        .collect();
    match lines.is_empty() {
        true => vec![annotation(1, &run.reason)],
        false => lines,
    }
}

/// Text behind the `::`; line ends would end the command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property's value.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::{case, record};
    use super::*;

    #[test]
    fn a_failed_case_is_shown_at_its_line() {
        let mut run = record(Verdict::Fail);
        run.cases[1] = case("converged", CaseStatus::Failed, "2 tips\nafter 100 %");
        run.cases[1].line = Some(12);
        assert_eq!(
            annotations(&run),
            [
                "::error file=tests/scenarios/smoke.yaml,line=12,title=FAIL smoke::converged: 2 \
                 tips%0Aafter 100 %25"
            ]
        );
    }

    #[test]
    fn a_run_without_a_culprit_is_shown_at_the_top_and_a_passing_one_not_at_all() {
        assert_eq!(annotations(&record(Verdict::Pass)), Vec::<String>::new());
        let mut run = record(Verdict::Broken);
        run.reason = "disk, full".into();
        assert!(annotations(&run)[0].ends_with("::disk, full"), "{run:?}");
    }

    #[test]
    fn names_with_colons_and_commas_stay_in_their_property() {
        assert_eq!(property("a,b:c%"), "a%2Cb%3Ac%25");
        assert_eq!(group("x\ny"), "::group::x%0Ay");
    }
}
